"""The sentence above the screen: what it shows, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.faces.web.drawing import counted
from desireline.faces.web.what_is_shown import PromiseShown

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def finding(promises: Sequence[PromiseShown]) -> tuple[str, str]:
    """What the promises say together, and the next thing to do.

    >>> finding([])[0]
    'This map makes no promise yet.'
    """
    if not promises:
        return ("This map makes no promise yet.", "Write the first promise into the map file, then judge again.")
    burning = sorted((p for p in promises if p.state == "burns"), key=lambda p: p.broken, reverse=True)
    risky = sorted((p for p in promises if p.state == "at risk"), key=lambda p: p.broken, reverse=True)
    overdue = sum(p.overdue for p in promises)
    if not sum(p.kept + p.broken for p in promises):
        return (
            "No promise of this map has been put to the test in this time.",
            "Choose a longer time, take the segment away, or look whether the map's touchpoints occur in the data.",
        )
    if burning:
        return _burning_says(burning), _what_to_do(burning[0], overdue)
    if risky:
        some = f"{_word(len(risky)).lower()} {'is' if len(risky) == 1 else 'are'}"
        says = f"No promise burns; {some} at risk, first “{_plain(risky[0].says)}”."
        return says, _what_to_do(risky[0], overdue)
    return _calm(promises)


def _burning_says(burning: Sequence[PromiseShown]) -> str:
    """What burns, the one broken most first."""
    worst, broken = burning[0], sum(p.broken for p in burning)
    if len(burning) == 1:
        return (
            f"One promise burns: “{_plain(worst.says)}” was broken {_times(broken)} of {counted(worst.kept + broken)}."
        )
    return (
        f"{_word(len(burning))} promises burn: broken {counted(broken)} of "
        f"{counted(sum(p.kept + p.broken for p in burning))} times, most often “{_plain(worst.says)}”."
    )


def _calm(promises: Sequence[PromiseShown]) -> tuple[str, str]:
    """Where nothing burns and nothing is at risk: too little to judge by, no limit to judge by, or all is well."""
    settled, broken = sum(p.kept + p.broken for p in promises), sum(p.broken for p in promises)
    if all(p.rate.value is None for p in promises):
        some = f"{counted(settled)} {'promise' if settled == 1 else 'promises'}"
        return (
            f"Too little to judge by yet: {some} settled in this time, {counted(broken)} broken.",
            "Choose a longer time or take the segment away. Each promise needs 30 settled cases before it gets a rate.",
        )
    if any(p.state == "no limit" for p in promises):
        return (
            f"{counted(broken)} of {counted(settled)} promises {'was' if broken == 1 else 'were'} broken in this time.",
            "Say with “keep:” in the map how often each promise must hold; then what burns turns red here.",
        )
    says = f"Every promise with enough cases holds: broken {_times(broken)} of {counted(settled)}."
    return says, "Look at the few let down, or ask whether the limits are still ambitious enough."


def _what_to_do(worst: PromiseShown, overdue: int) -> str:
    cause = ""
    if worst.breaches:
        kind, count = max(worst.breaches.items(), key=lambda pair: pair[1])
        cause = f"Mostly {_KINDS.get(kind, kind)} ({counted(count)} of {counted(worst.broken)}). "
    now = f"{counted(overdue)} people wait past their moment now: answer them first. " if overdue > 1 else ""
    return f"{cause}{now}Open promise {worst.number}, “{worst.promise}”, and read three of the people it let down."


_KINDS = {
    "missing": "nothing came at all",
    "late": "it came too late",
    "wrong_channel": "it came on the wrong channel",
    "wrong_hands": "it came from the wrong hands",
    "forbidden": "something happened that was promised never to",
    "repeated": "people had to come again",
    "without_consent": "it came without consent",
}


def breach_in_words(kind: str) -> str:
    """A kind of breach as people say it.

    >>> breach_in_words("wrong_channel")
    'it came on the wrong channel'
    """
    return _KINDS.get(kind, kind)


def _plain(says: str) -> str:
    return says.strip().split(". ")[0].rstrip(".")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{counted(count)} times"


def _word(count: int) -> str:
    return _NUMBERS[count].capitalize() if count < len(_NUMBERS) else str(count)
