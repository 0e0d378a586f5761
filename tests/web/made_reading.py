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
CHANNELS = ("app", "phone", "email", "sms", "web", "branch")
MARKS = (("kept", "", 800, None, None), ("broken", "late", 430, 345_600, 415), ("waiting", "", 4, None, None))


class MadeReading:
    """Answers like `Reading`, from values written down here. `words` stands in every text that reaches a page."""

    def __init__(
        self, words: str = "", *, interactions: int = 2_000_000, maps: tuple[str, ...] = ("lost-card",)
    ) -> None:
        self.words = words
        self.name = words or "Harbour Bank"
        self.as_of = AS_OF
        self.interactions = interactions
        self._maps = maps

    def says(self, text: str) -> str:
        return self.words or text

    def warm_up(self) -> None:
        """Nothing to warm."""

    def renewed(self) -> None:
        """Nothing newer."""

    def close(self) -> None:
        """Nothing to let go of."""

    def kept(self, _key: tuple[Any, ...], make: Any) -> Any:
        return make()

    def map_names(self) -> list[str]:
        return list(self._maps)

    def promise_names(self, _name: str) -> list[str]:
        return [promise.promise for promise in sample_screen().promises]

    def segment_columns(self) -> list[str]:
        return ["channel", "topic"]

    def maps(self) -> list[MapShown]:
        says, owner = self.says("Safe at once."), self.says("card operations")
        return [MapShown("lost-card", says, owner, 6, 4, 4_942, 315, 58, ("burns", "not enough yet"))]

    def designed_over_lived(self, name: str, state: ScreenState) -> DesignedOverLived:
        shown = sample_screen(state)
        segments = {"channel": ("app", "phone"), "topic": (self.says("card"),)}
        choices = replace(shown.choices, segments=segments, maps=self._maps, burning={self.says("dispute"): 2})
        promises = tuple(
            replace(each, says=self.says(each.says), rule=self.says(""), step=self.says(each.step))
            for each in shown.promises
        )
        steps = tuple(
            replace(step, label=self.says(step.label), phase=self.says(step.phase)) for step in shown.flow.steps
        )
        flow = replace(shown.flow, steps=steps)
        return replace(shown, map=name, says=self.says(shown.says), promises=promises, choices=choices, flow=flow)

    def promise_shown(self, name: str, promise: str, state: ScreenState) -> PromiseShown:
        return next(each for each in self.designed_over_lived(name, state).promises if each.promise == promise)

    def promise_people(
        self, _map: str, promise: str, _state: ScreenState, *, verdict: str, page: int, size: int = 50
    ) -> PeopleList:
        rows = tuple(self._row(number, verdict) for number in range(12))
        return PeopleList(promise, self.says("all"), rows, 214, page, 5, self.says("Each opening counts once."), AS_OF)

    def _row(self, number: int, verdict: str) -> PersonRow:
        late = bool(number % 2)
        return PersonRow(
            person=ANA + number,
            name=self.says(f"ana{number}@harbour.example"),
            opened_at=AS_OF - (number + 9) * DAY_MS,
            due_at=AS_OF - (number + 2) * DAY_MS,
            settled_at=AS_OF - number * DAY_MS if late else None,
            verdict=verdict,
            breach="late" if late else "missing",
            lateness_seconds=2 * 86_400 if late else None,
            made_good_at=None,
            channel=self.says("phone"),
            key=self.says(f"C-10{number}"),
        )

    def people_of_flow(self, _map: str, _state: ScreenState, page: int, **_mark: str | None) -> PeopleFound:
        return self.find("", page)

    def find(self, text: str, page: int) -> PeopleFound:
        name = self.says("ana@harbour.example")
        count = 1 if text == "ana" else 3
        rows = tuple(PersonFound(ANA + n, name, name, 214, AS_OF - 900 * DAY_MS, AS_OF) for n in range(count))
        return PeopleFound(rows, count, page, 1)

    def person(self, person: int, *, touches: int = 60) -> PersonLine | None:
        if not ANA <= person < ANA + 12:
            return None
        at = [AS_OF - (n * n * 37 % 1000) * DAY_MS - n * 3_600_000 for n in range(140)]
        moments = tuple(sorted((moment, CHANNELS[n * n % 6]) for n, moment in enumerate(at)))
        return PersonLine(
            person=person,
            name=self.says("ana@harbour.example"),
            handles=(HandleShown("email", self.says("ana@harbour.example"), self.says("seen with card 4711")),),
            touches=tuple(self._touch(n, *moment) for n, moment in enumerate(moments[: -touches - 1 : -1])),
            total=140,
            promises=tuple(self._mark(*mark) for mark in MARKS),
            moments=moments,
            as_of=AS_OF,
        )

    def _touch(self, number: int, at: int, channel: str) -> Touch:
        words = [self.says(text) for text in (channel, "card.lost", "C-1", "I lost my card", "calls", "calls.csv:7")]
        return Touch(number, at, words[0], words[1], "inbound", *words[2:])

    def _mark(self, verdict: str, breach: str, days: int, late: int | None, good: int | None) -> PromiseMark:
        opened = AS_OF - days * DAY_MS
        settled = None if verdict == "waiting" else opened + 9 * DAY_MS
        mended = None if good is None else AS_OF - good * DAY_MS
        names = [self.says(text) for text in ("lost-card", "blocked-at-once", "Blocked within five minutes.")]
        return PromiseMark(*names, verdict, breach, opened, opened + 5 * DAY_MS, settled, late, mended)


def made_reading(words: str = "", **more: Any) -> Any:
    """A reading made by hand."""
    return MadeReading(words, **more)
