"""A made-up journey, drawn faintly where a project is still empty, so that people see what will stand there."""

from __future__ import annotations

from collections import Counter

from desireline.faces.web.url_state import ScreenState, months_between
from desireline.faces.web.what_is_shown import (
    ARRIVED,
    LEFT,
    START,
    UNDER_WAY,
    Choices,
    DesignedOverLived,
    LivedFlow,
    Passage,
    PromiseShown,
    StepShown,
)
from desireline.vocabulary.estimate import keep_rate

CHANNELS = ("app", "phone", "email", "sms", "web", "branch")
_STEPS = (
    ("report", "Alarm"),
    ("block", "Alarm"),
    ("explain", "Alarm"),
    ("order card", "Replace"),
    ("card sent", "Replace"),
    ("first use", "Back to normal"),
)
_PROMISES = (
    ("blocked-at-once", "Your card is blocked within five minutes of your report.", 0, 2_310, 36, 3, 0.97),
    ("told-by-a-person", "A person tells you, by phone or face to face.", 2, 871, 214, 12, 0.95),
    ("card-within-5-days", "A new card within five working days.", 4, 1_750, 61, 41, 0.97),
    ("note-that-it-is-settled", "You hear from us when it is settled.", 5, 11, 4, 2, 0.9),
)
_FLOW = (
    (START, 0, 2_400), (0, 1, 2_260), (0, 0, 160), (1, 2, 1_060), (1, 3, 1_040), (1, 1, 70), (2, 3, 890), (2, 2, 140),
    (2, 0, 60), (3, 4, 1_820), (3, UNDER_WAY, 40), (4, 5, 1_650), (4, 3, 60), (4, UNDER_WAY, 50), (5, ARRIVED, 1_650),
)  # fmt: skip
_OTHERS = (120, 340, 410, 680, 890, 60)
_SHARES = (
    (46, 31, 4, 2, 14, 3), (62, 24, 2, 8, 4, 0), (3, 64, 9, 16, 2, 6), (48, 22, 6, 0, 20, 4), (14, 4, 42, 38, 2, 0),
    (58, 2, 4, 6, 24, 6),
)  # fmt: skip


def sample_screen(state: ScreenState | None = None) -> DesignedOverLived:
    """The one screen of a bank that does not exist."""
    promises = tuple(
        PromiseShown(
            number=place + 1,
            promise=name,
            says=says,
            step=_STEPS[step][0],
            rate=keep_rate(kept=kept, broken=broken, what=name),
            limit=limit,
            kept=kept,
            broken=broken,
            waiting=waiting,
            overdue=waiting // 3,
        )
        for place, (name, says, step, kept, broken, waiting, limit) in enumerate(_PROMISES)
    )
    months = months_between("2023-01", "2025-12")
    return DesignedOverLived(
        map="lost-card",
        says="Whoever loses a card is safe at once and pays again within days.",
        state=state or ScreenState(),
        choices=Choices(
            months, tuple(900 + 17 * place + (place * 37) % 190 for place in range(36)), {}, ("lost-card",)
        ),
        promises=promises,
        flow=_sample_flow(promises),
        as_of=1_767_225_599_000,
    )


def sample_counts(*, seconds: int, step: int) -> list[tuple[int, Counter[str]]]:
    """Messages of a site that does not exist, in bars of so many seconds: (first second, by verdict)."""
    return [
        (
            second,
            Counter(accepted=40 + second * 7 % 23 + second * 3 % 11, repeated=second % 3, quarantined=second % 4 // 3),
        )
        for second in range(0, seconds, step)
    ]


def _sample_flow(promises: tuple[PromiseShown, ...]) -> LivedFlow:
    names = [name for name, _ in _STEPS]
    steps = tuple(
        StepShown(name, name, phase, tuple(promise for promise in promises if promise.step == name))
        for name, phase in _STEPS
    )
    passages: list[Passage] = []
    for origin, target, count in _balanced(_FLOW):
        place = origin if isinstance(origin, int) else 0
        passages += [
            Passage(
                names[origin] if isinstance(origin, int) else origin,
                names[target] if isinstance(target, int) else target,
                channel,
                part,
            )
            for channel, part in zip(CHANNELS, _parts(count, _SHARES[place]), strict=True)
            if part
        ]
    others = {
        name: dict(zip(CHANNELS, _parts(count, _SHARES[-1 - place]), strict=True))
        for place, (name, count) in enumerate(zip(names, _OTHERS, strict=True))
    }
    return LivedFlow(steps, tuple(passages), CHANNELS, journeys=2_400, people=2_263, others=others)


def _balanced(flow: tuple[tuple[int | str, int | str, int], ...]) -> list[tuple[int | str, int | str, int]]:
    """The made-up flow with what is left over at a step leaving there, so that it loses nobody."""
    rows = list(flow)
    for place in range(len(_STEPS)):
        into = sum(count for _, target, count in rows if target == place)
        out = sum(count for origin, _, count in rows if origin == place)
        way_out = ARRIVED if place == len(_STEPS) - 1 else LEFT
        known = sum(count for origin, target, count in rows if origin == place and target == way_out)
        rows = [row for row in rows if not (row[0] == place and row[1] == way_out)]
        if known + into - out > 0:
            rows.append((place, way_out, known + into - out))
    return rows


def _parts(count: int, shares: tuple[int, ...]) -> list[int]:
    parts = [count * share // sum(shares) for share in shares]
    parts[0] += count - sum(parts)
    return parts
