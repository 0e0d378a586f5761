"""The maps of a project in all their versions; an opening is judged by the one in force when it occurred."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from desireline.project.file import ProjectFile
from desireline.promises import Calendar, Map, MapVersion, Promise, in_order, load_map, load_maps, read_calendars
from desireline.storage.versions import SavedVersion, Versions
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import counted, moment_text

CALENDARS = "calendars"


@dataclass(frozen=True, slots=True)
class MapSet:
    """Every map as it is now, every version ever in force, their calendars, and notes for whoever changed one."""

    maps: tuple[Map, ...]
    versions: tuple[MapVersion, ...]
    calendars: Mapping[str, Calendar]
    notes: tuple[str, ...] = ()

    def named(self, name: str) -> Map:
        """The map of that name; a clear error when there is none."""
        for each in self.maps:
            if each.name == name:
                return each
        names = [each.name for each in self.maps]
        raise DesirelineError(
            f"there is no map '{name}'. {nearest(name, names) or 'Maps: ' + (', '.join(names) or 'none yet.')}"
        )

    def same_until(self, moment: int, other: MapSet) -> bool:
        """Whether whatever opened before a moment (UTC milliseconds) is judged by both in the same way."""
        return _until(moment, self.versions) == _until(moment, other.versions)

    def table(self) -> Table:
        """The maps as a list."""
        rows = [each.as_dict() for each in self.maps]
        columns: dict[str, list[Any]] = {
            name: [row[name] for row in rows] for name in ("map", "says", "owner", "file", "steps")
        }
        columns["promises"] = [", ".join(row["promises"]) for row in rows]
        columns["warnings"] = ["; ".join(row["warnings"]) for row in rows]
        promised = sum(len(row["promises"]) for row in rows)
        says = f"{counted(len(rows), 'map')} with {counted(promised, 'promise')}." if rows else "No maps yet."
        return Table(says=says, columns=columns, notes={"maps": list(self.notes)})

    def promise(self, name: str) -> tuple[Map, Promise]:
        """A promise by its name, with its map; a clear error when there is none."""
        found = {promise.name: (each, promise) for each in self.maps for promise in each.promises}
        if name not in found:
            raise DesirelineError(f"there is no promise '{name}'. {nearest(name, list(found))}".strip())
        return found[name]


def read_maps(folder: Path, saved: Versions, file: ProjectFile, *, now: int, keep: bool) -> MapSet:
    """Read every map with all mistakes at once; a changed map, or changed calendars, become a new version.

    now: UTC milliseconds, when a change counts as saved. keep: save new versions (the project may be written to);
    otherwise they count for this reading only.
    """
    calendars = _Calendars(_with_today(saved, CALENDARS, _calendars_text(file), now=now, keep=keep))
    maps = load_maps(folder, file.calendars, project_calendar=file.calendar)
    versions: list[MapVersion] = []
    notes: list[str] = []
    for each in maps:
        history = _with_today(saved, f"map-{each.name}", each.text, now=now, keep=keep)
        parsed = []
        for version in history:
            read = (
                each
                if version.text == each.text
                else _read_before(version.text, each.file_name, calendars.names, file.calendar)
            )
            parsed.append((version.saved_at if read.valid_from is None else read.valid_from, read))
        if len(history) > 1 and history[-1].saved_at == now:
            notes.append(_note(each.name, len(history), parsed[-1][0]))
        for version_in_force in in_order(parsed):
            versions.extend(calendars.cut(version_in_force))
    return MapSet(maps, tuple(versions), calendars.by_name, tuple(notes))


class _Calendars:
    """Every version of the project's calendars; `office@2` is the calendar office of the second version."""

    def __init__(self, saved: list[SavedVersion]) -> None:
        self.saved = saved
        self.by_name: dict[str, Calendar] = {}
        for version in saved:
            body = json.loads(version.text)
            for name, calendar in read_calendars(body["calendars"], body["time_zone"]).items():
                self.by_name[f"{name}@{version.number}"] = calendar
        self.names = frozenset(name.rpartition("@")[0] for name in self.by_name)

    def cut(self, version: MapVersion) -> Iterator[MapVersion]:
        """A version of a map, cut where the calendars changed while it was in force."""
        for place, calendar in enumerate(self.saved):
            begins = version.holds_from if place == 0 else max(version.holds_from, calendar.saved_at)
            last = place + 1 == len(self.saved)
            ends = version.holds_to if last else min(version.holds_to, self.saved[place + 1].saved_at)
            if begins < ends:
                yield replace(version, map=self._counted_by(version.map, place), holds_from=begins, holds_to=ends)

    def _counted_by(self, each: Map, place: int) -> Map:
        promises = tuple(replace(promise, calendar=self._at(promise.calendar, place)) for promise in each.promises)
        return replace(each, calendar=self._at(each.calendar, place), promises=promises)

    def _at(self, calendar: str, place: int) -> str:
        """The calendar's name in that version, or in the nearest one that has it."""
        nearest_first = sorted(self.saved, key=lambda version: abs(version.number - self.saved[place].number))
        names = (f"{calendar}@{version.number}" for version in nearest_first)
        return next((name for name in names if name in self.by_name), "") if calendar else ""


def _until(moment: int, versions: Sequence[MapVersion]) -> list[MapVersion]:
    return [replace(each, holds_to=min(each.holds_to, moment)) for each in versions if each.holds_from < moment]


@lru_cache(maxsize=1_000)
def _read_before(text: str, file_name: str, calendars: frozenset[str], project_calendar: str) -> Map:
    """An earlier version of a map, which is read once however often a later one is saved."""
    return load_map(text, file_name, calendars, project_calendar=project_calendar)


def _with_today(saved: Versions, name: str, text: str, *, now: int, keep: bool) -> list[SavedVersion]:
    history = saved.of(name)
    if not history or history[-1].text != text:
        newest = saved.save(name, text, saved_at=now) if keep else SavedVersion(len(history) + 1, now, text)
        history.append(newest)
    return history


def _calendars_text(file: ProjectFile) -> str:
    return json.dumps({"time_zone": file.time_zone, "calendars": _plain(file.calendars)}, sort_keys=True, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _note(name: str, number: int, moment: int) -> str:
    return (
        f"map {name}: version {number} holds from {moment_text(moment)}. What opened before keeps the version of its "
        "time; write 'valid_from: 2020-01-01' in the map to judge the past by it."
    )
