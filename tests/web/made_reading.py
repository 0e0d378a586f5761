"""A reading made by hand: the pages of a small bank, without a store behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from desireline.faces.web.sample import sample_screen
from desireline.faces.web.url_state import ScreenState
from desireline.faces.web.what_is_shown import (
    DesignedOverLived,
    HandleShown,
    MapShown,
    PeopleFound,
    PeopleList,
    PersonFound,
    PersonLine,
    PersonRow,
    PromiseMark,
    PromiseShown,
    Touch,
)
from desireline.vocabulary.units import DAY_MS

AS_OF = 1_767_225_599_000
ANA = 4_711


class MadeReading:
    """Answers like `Reading`, from values written down here. `words` replaces texts that reach pages."""

    def __init__(self, words: str = "", *, interactions: int = 2_000_000) -> None:
        self.words = words
        self.name = words or "Harbour Bank"
        self.as_of = AS_OF
        self.interactions = interactions

    def warm_up(self) -> None:
        """Nothing to warm."""

    def map_names(self) -> list[str]:
        return ["lost-card", "dispute"]

    def promise_names(self, _name: str) -> list[str]:
        return [promise.promise for promise in sample_screen().promises]

    def segment_columns(self) -> list[str]:
        return ["channel", "topic"]

    def maps(self) -> list[MapShown]:
        says = self.words or "Whoever loses a card is safe at once and pays again within days."
        return [
            MapShown(
                "lost-card",
                says,
                self.words or "card operations",
                6,
                4,
                4_942,
                315,
                58,
                ("burns", "at risk", "not enough yet"),
            )
        ]

    def designed_over_lived(self, name: str, state: ScreenState) -> DesignedOverLived:
        shown = sample_screen(state)
        choices = replace(
            shown.choices,
            segments={"channel": ("app", "phone"), "topic": (self.words or "card",)},
            maps=("lost-card", "dispute"),
        )
        if self.words:
            promises = tuple(
                replace(promise, says=self.words, rule=self.words, step=self.words) for promise in shown.promises
            )
            steps = tuple(replace(step, label=self.words, phase=self.words) for step in shown.flow.steps)
            shown = replace(shown, says=self.words, promises=promises, flow=replace(shown.flow, steps=steps))
        return replace(shown, map=name, choices=choices, counted=self.words)

    def promise_shown(self, name: str, promise: str, state: ScreenState) -> PromiseShown:
        return next(each for each in self.designed_over_lived(name, state).promises if each.promise == promise)

    def promise_people(
        self, _map: str, promise: str, _state: ScreenState, *, verdict: str, page: int, size: int = 50
    ) -> PeopleList:
        rows = tuple(
            PersonRow(
                ANA + number, self.words or f"Ana Ortega · ana{number}@harbour.example", AS_OF - (number + 9) * DAY_MS, AS_OF - (number + 2) * DAY_MS,
                AS_OF - number * DAY_MS if number % 2 else None, verdict, "late" if number % 2 else "missing",
                2 * 86_400 if number % 2 else None, None, self.words or "phone", self.words or f"C-10{number}",
            )
            for number in range(12)
        )  # fmt: skip
        return PeopleList(promise, self.words, rows, 214, page, 5, self.words or "Each opening counts once.", AS_OF)

    def find(self, text: str, page: int) -> PeopleFound:
        name = self.words or "ana@harbour.example"
        rows = tuple(
            PersonFound(ANA + n, name, name, 214, AS_OF - 900 * DAY_MS, AS_OF) for n in range(1 if text == "ana" else 3)
        )
        return PeopleFound(rows, len(rows), page, 1)

    def person(self, person: int) -> PersonLine | None:
        if not ANA <= person < ANA + 12:
            return None
        words = self.words
        channels = ("app", "phone", "email", "sms", "web", "branch")
        moments = tuple(
            sorted((AS_OF - (n * n * 37 % 1000) * DAY_MS - n * 3_600_000, channels[n * n % 6]) for n in range(140))
        )
        touches = tuple(
            Touch(
                n,
                at,
                words or channel,
                words or "card.reported_lost",
                "inbound",
                words or "C-1",
                words or "I lost my card",
                words or "calls",
                words or "calls.csv:7",
            )
            for n, (at, channel) in enumerate(moments[:-20:-1])
        )
        marks = tuple(
            PromiseMark(words or "lost-card", words or "blocked-at-once", words or "Your card is blocked within five minutes.", verdict, breach, AS_OF - days * DAY_MS,
                        AS_OF - (days - 5) * DAY_MS, None if verdict == "waiting" else AS_OF - (days - 9) * DAY_MS, late, good)
            for verdict, breach, days, late, good in (
                ("kept", "", 800, None, None), ("broken", "late", 430, 345_600, AS_OF - 415 * DAY_MS), ("kept", "", 200, None, None), ("waiting", "", 4, None, None)
            )
        )  # fmt: skip
        handles = (
            HandleShown("email", words or "ana@harbour.example", words or "seen with card 4711 on 12 interactions"),
            HandleShown("phone", "+34600111222", "seen with ana@harbour.example"),
        )
        return PersonLine(person, words or "ana@harbour.example", handles, touches, 140, marks, moments, AS_OF)


def made_reading(words: str = "") -> Any:
    """A reading made by hand."""
    return MadeReading(words)
