"""How a number is counted: rule, evidence, method, grade and moment, ready for the *why?* sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from desireline.faces.web.drawing import counted
from desireline.faces.web.finding import breach_in_words
from desireline.faces.web.what_is_shown import LivedFlow, PromiseShown
from desireline.vocabulary.units import moment_text


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet or one way on: a name and what it says, or an address."""

    name: str
    says: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class WhySheet:
    """What stands behind one number."""

    heading: str
    lines: tuple[Line, ...]
    links: Sequence[Line] = field(default_factory=tuple)


def why_promise(promise: PromiseShown, *, as_of: int, address: str) -> WhySheet:
    """What stands behind a promise's keep-rate."""
    lines = [Line("Rule", promise.rule or promise.says), *_evidence(promise), *_number(promise)]
    lines += [Line("Grade", "A count of what happened; it claims no cause."), Line("As of", moment_text(as_of))]
    heading = f"Promise {promise.number}: {promise.promise}"
    return WhySheet(heading, tuple(lines), (Line("See the people", address=address),))


def _evidence(promise: PromiseShown) -> Iterator[Line]:
    """What was counted, what stands beside it, and how promises were broken."""
    overdue = f" ({counted(promise.overdue)} of them past their moment)" if promise.overdue else ""
    yield Line(
        "Evidence",
        f"{counted(promise.kept)} kept, {counted(promise.broken)} broken, {counted(promise.waiting)} waiting{overdue}, "
        f"{counted(promise.withdrawn)} withdrawn; {counted(promise.made_good)} of the broken ones were made good.",
    )
    if promise.of_nobody:
        yield Line(
            "Beside it",
            f"{counted(promise.of_nobody)} openings of all time are by nobody known (no handle, or one that "
            "strangers share). They open nothing and are in no rate.",
        )
    if promise.breaches:
        kinds = sorted(promise.breaches.items(), key=lambda pair: -pair[1])
        said = "; ".join(f"{breach_in_words(kind)}: {counted(count)}" for kind, count in kinds)
        yield Line("Broken how", f"{said}.")


def _number(promise: PromiseShown) -> Iterator[Line]:
    """The rate with its interval, or why there is none; how it is made, and where it burns."""
    rate = promise.rate
    if rate.value is None:
        yield Line("No rate", f"{rate.why_missing}.")
    else:
        low, high = rate.low or 0.0, rate.high or 0.0
        interval = f"interval at {rate.level:.0%}: {low:.2%} to {high:.2%}"
        yield Line("Number", f"{rate.value:.2%} of {counted(rate.count)} settled; {interval}.")
    method = rate.method or "kept / (kept + broken), Wilson score interval"
    yield Line("Method", f"{method}. Instances that waited together for one key count once, with the worst verdict.")
    if promise.limit is not None:
        burns = "It burns when even the upper end of the interval lies below."
        yield Line("Limit", f"The map asks for {promise.limit:.1%}. {burns}")


def why_flow(flow: LivedFlow, *, counted_how: str, as_of: int) -> WhySheet:
    """What stands behind the lived flow."""
    lines = (
        Line(
            "Rule",
            counted_how or "Each journey's touches in order; a touch that is no designed step counts as (other).",
        ),
        Line(
            "Evidence",
            f"{counted(flow.journeys)} journeys of {counted(flow.people)} people; "
            f"{counted(flow.other_touches())} touches outside the design, after the step they follow.",
        ),
        Line(
            "Sums",
            "What goes into a step comes out: to the next designed step, arrived, left, or under way. Asserted.",
        ),
        Line("Colour", "A band has the colour of the channel people came from."),
        Line("Grade", "A count of what happened; it claims no cause."),
        Line("As of", moment_text(as_of)),
    )
    return WhySheet("The lived flow", lines)
