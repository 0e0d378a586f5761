"""The terms of the last judging, kept while maps, calendars and words stay: judging a few people must cost little."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desireline.promises.calendars import Calendar
from desireline.promises.deadlines import Deadlines
from desireline.promises.masks import kind_of
from desireline.promises.patterns import PROPERTY
from desireline.promises.row_classes import Machine, Meaning, machine_of, meaning_of
from desireline.promises.terms import Terms, terms_of
from desireline.promises.versions import MapVersion
from desireline.storage.journey_store import Snapshot

_AHEAD_MS = 7 * 86_400_000
"""Open time is laid out so far beyond what is asked, so that every second does not ask for a second more."""


@dataclass(frozen=True, slots=True)
class ReadyTerms:
    """Terms with all that follows from them alone. meaning: of the machine's classes, `None` without a machine."""

    terms: Terms
    machine: Machine | None
    meaning: Meaning | None


@dataclass(frozen=True, slots=True)
class _Kept:
    versions: Sequence[MapVersion]
    calendars: Mapping[str, Calendar]
    words: Mapping[str, Any]
    earliest: int
    latest: int
    ready: ReadyTerms


class TermsKeeper:
    """Keeps the last terms made. Safe between threads: what is kept is replaced whole."""

    def __init__(self) -> None:
        self._last: _Kept | None = None

    def terms(
        self,
        versions: Sequence[MapVersion],
        snapshot: Snapshot,
        calendars: Mapping[str, Calendar],
        *,
        earliest: Callable[[], int],
        since: int,
        latest: int,
    ) -> ReadyTerms:
        """The terms for openings from `since` to `latest`.

        earliest: the first moment of the whole snapshot, asked only when open time must be laid out anew.
        """
        last = self._last
        same = last is not None and last.versions == versions and last.calendars == calendars
        if last is not None and same and last.earliest <= since and latest <= last.latest:
            if last.words == _words(last.ready.terms, snapshot):
                return last.ready
            return self._keep(versions, snapshot, calendars, last.earliest, last.latest, last.ready.terms.deadlines)
        return self._keep(versions, snapshot, calendars, min(earliest(), since, latest), latest + _AHEAD_MS, None)

    def _keep(
        self,
        versions: Sequence[MapVersion],
        snapshot: Snapshot,
        calendars: Mapping[str, Calendar],
        earliest: int,
        latest: int,
        deadlines: Deadlines | None,
    ) -> ReadyTerms:
        terms = terms_of(versions, snapshot, calendars, earliest=earliest, latest=latest, deadlines=deadlines)
        machine = machine_of(terms.tables)
        ready = ReadyTerms(terms, machine, meaning_of(terms, machine.words) if machine else None)
        self._last = _Kept(versions, dict(calendars), _words(terms, snapshot), earliest, latest, ready)
        return ready


def _words(terms: Terms, snapshot: Snapshot) -> dict[str, Any]:
    """All of a snapshot that the terms were made from: its columns, their texts, and what properties hold."""
    coded = {column.name for column in terms.tables.columns if column.kind == "coded"} | {"channel"}
    found: dict[str, Any] = {name: snapshot.words(name) for name in coded}
    named = {column.name for column in terms.tables.columns if column.name.startswith(PROPERTY)}
    return found | {"": snapshot.columns} | {f"kind of {name}": kind_of(name, snapshot) for name in named}


KEPT = TermsKeeper()
"""The terms of this process."""
