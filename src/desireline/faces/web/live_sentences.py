"""What the live page says in words: what happened, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desireline.faces.web.live_promises_board import Stakes
from desireline.faces.web.live_reading import Quarantine
from desireline.faces.web.why import Line, WhySheet
from desireline.vocabulary.units import counted, moment_text


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing to do, and where."""

    says: str
    address: str


def finding(minute: int, broken: Stakes, *, heard: bool) -> str:
    """The sentence above the page. minute: messages of the last minute. heard: whether any came at all.

    >>> finding(2, Stakes("broken", (), total=0, is_all=True, now=0), heard=True)
    '2 messages came in the last minute; no promise was broken in the last hour.'
    """
    if not heard:
        comes = "Nothing came in since this server began"
    else:
        comes = f"{counted(minute, 'message') if minute else 'Nothing'} came in the last minute"
    was = "was" if broken.total == 1 else "were"
    lost = f"{broken.words} {was}" if broken.total else "no promise was"
    return f"{comes}; {lost} broken in the last hour."


def to_do(*, broken: int, waiting: int, silent: Sequence[tuple[str, str]]) -> list[ToDo]:
    """What to do now, the most pressing first. silent: name and address of sources that were never heard."""
    found = []
    if broken:
        found.append(ToDo("Answer who was let down last.", "/live/promises?what=broken"))
    if waiting:
        lie = "lies" if waiting == 1 else "lie"
        found.append(ToDo(f"{counted(waiting, 'message')} {lie} in quarantine: mend and try again.", "#quarantine"))
    found += [
        ToDo(f"Nothing ever came from {name}: copy its lines into the site.", address) for name, address in silent[:2]
    ]
    return found


def counts_sentence(series: Sequence[tuple[int, Counter[str]]], *, step: int, began_at: int = 0) -> str:
    """What the picture of what came in shows.

    step: seconds that one bar holds. began_at: when this server began, UTC milliseconds, if it is known.
    """
    is_young = bool(series) and began_at > series[0][0] * 1000
    when = "since this server began" if is_young else f"of the last {len(series) * step // 60} minutes"
    total = sum((counts for _, counts in series), Counter[str]())
    all_of_them = sum(total.values())
    if not all_of_them:
        return f"Nothing came in {when.replace('of the', 'within the')}."
    most = max(sum(counts.values()) for _, counts in series) / step
    share = total["accepted"] / all_of_them
    words = f"{min(share, 0.999) if share < 1 else 1:.1%}".replace("%", " %")
    return (
        f"Of {counted(all_of_them, 'message')} in the full bars {when} {words} were accepted, "
        f"{total['repeated']:,} repeated and {total['quarantined']:,} quarantined; at most {most:.3g} a second."
    )


def kept_sentence(listed: int, kept: int, oldest: int | None) -> str:
    """How far back a list of messages reaches. kept: how many fit of those kept in mind; oldest: when that came."""
    if oldest is None:
        return ""
    back = f"back to {moment_text(oldest)[11:19]}"
    shown = f"{listed:,} of the latest {kept:,}" if listed < kept else f"All {kept:,}" if kept > 1 else "The only one"
    return f"{shown} kept in mind, {back} UTC. The log holds every one."


def quarantine_sentence(waiting: Quarantine) -> str:
    """What waits in quarantine, and why most of it."""
    if not waiting.total:
        return "Nothing waits in quarantine."
    most = waiting.reasons[0]
    wait = "waits" if waiting.total == 1 else "wait"
    most_often = f"; most often ({most[1]:,}): {most[0]}" if len(waiting.reasons) > 1 else f": {most[0]}"
    return f"{counted(waiting.total, 'message')} {wait}{most_often}"


def drift_in_words(change: Mapping[str, str]) -> str:
    """A change in the shape of an event, as people say it.

    >>> drift_in_words({"change": "renamed", "name": "", "was": "price", "now": "amount"})
    'price seems to be called amount now'
    """
    name, was, now = change["name"], change["was"], change["now"]
    words = {
        "new_event": "an event of this name was never seen before",
        "new_property": f"a new property: {name}{f' ({now})' if now else ''}",
        "changed_kind": f"{name} was {was}, now it is {now}",
        "renamed": f"{was or name} seems to be called {now} now",
    }
    return words.get(change["change"], change["change"])


def why_counts(began_at: int) -> WhySheet:
    """How messages are counted."""
    began = f" This server counts since {moment_text(began_at)}." if began_at else ""
    return WhySheet(
        "How messages are counted",
        (
            Line("Rule", "One for each message a client sends, by the second in which its request came."),
            Line("accepted", "It lies in the log and became interactions, or said something about a person."),
            Line("repeated", "The same source sent the same message id before: it counts once."),
            Line("quarantined", "It could not be understood. It lies in the log and waits to be mended."),
            Line("Not here", "Requests that were refused as a whole, such as those with an unknown key: see /metrics."),
            Line("Method", f"Counted as each is applied, in memory; the last quarter of an hour is kept.{began}"),
            Line("Grade", "A count of what happened; it claims no cause."),
        ),
    )


def why_promises() -> WhySheet:
    """How promises at stake are counted."""
    return WhySheet(
        "When a promise counts as broken",
        (
            Line(
                "Rule",
                "It breaks at its due moment if nothing came to keep it, or as soon as something breaks it.",
            ),
            Line("Evidence", "Each stands in the ledger with its person; the promise says its rule in the map."),
            Line("Method", "A timer for each open promise; what came late or was corrected is judged again."),
            Line("The hour", "Counted by the moment it broke, not by when that became known."),
            Line("Grade", "A count of what happened; it claims no cause."),
        ),
    )
