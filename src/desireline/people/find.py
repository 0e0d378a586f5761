"""Finding a person by anything they are known by: the whole of a handle, part of it, or the person's number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from desireline.people.golden_record import shown_name
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.handles import strongest_first

NEARNESS = ("the person's number", "the handle", "how a handle begins", "part of a handle")
"""How well a text fits, best first."""


@dataclass(frozen=True, slots=True)
class KnownHandle:
    """A handle of a person, and the reason it is shared by strangers (empty when it is not)."""

    handle: int
    kind: str
    value: str
    person: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A person found: number, name to show, all handles strongest first, what fitted and how well (0 the best)."""

    person: int
    name: str
    handles: tuple[str, ...]
    fitted: str
    nearness: int
    shared_because: str = ""


def ranked(fits: Sequence[tuple[KnownHandle, int]], handles: Iterable[KnownHandle]) -> list[Found]:
    """Persons that fit, the best first, each once; `fits` are handles that fitted, with their nearness.

    `handles` are all the handles of those persons.
    """
    of_person: dict[int, list[KnownHandle]] = {}
    for handle in handles:
        of_person.setdefault(handle.person, []).append(handle)
    best: dict[int, tuple[int, KnownHandle]] = {}
    for fit, nearness in fits:
        if fit.person not in best or nearness < best[fit.person][0]:
            best[fit.person] = (nearness, fit)
    found = [_found(person, near, fit, of_person.get(person, [fit])) for person, (near, fit) in best.items()]
    return sorted(found, key=lambda one: (one.nearness, bool(one.shared_because), -len(one.handles), one.person))


def nobody_found(text: str, known: Sequence[str]) -> DesirelineError:
    """The answer when nobody fits, naming the nearest handle there is."""
    hint = nearest(text, known) or "Try an e-mail address, a phone number, a customer number or part of one."
    return DesirelineError(Mistake(f"nobody is known by '{text}'.", do=hint))


def _found(person: int, nearness: int, fit: KnownHandle, handles: Sequence[KnownHandle]) -> Found:
    named = sorted((handle.kind, handle.value) for handle in handles)
    itself = [handle.reason for handle in handles if handle.handle == person]
    return Found(
        person=person,
        name=shown_name(named),
        handles=tuple(strongest_first(f"{kind}:{value}" for kind, value in named)),
        fitted=f"{fit.kind}:{fit.value}",
        nearness=nearness,
        shared_because=itself[0] if itself else "",
    )
