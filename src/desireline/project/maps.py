"""The maps of a project in all their versions: an opening is judged by the map and calendar in force when it occurred."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desireline.project.file import ProjectFile
from desireline.promises import Calendar, Map, MapVersion, Promise, in_order, load_map, load_maps, read_calendars
from desireline.storage.versions import SavedVersion, Versions
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.units import moment_text

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
        raise DesirelineError(f"there is no map '{name}'. {nearest(name, names) or 'Maps: ' + (', '.join(names) or 'none yet.')}")

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
    calendar_versions = _with_today(saved, CALENDARS, _calendars_text(file), now=now, keep=keep)
    maps = load_maps(folder, file.calendars, project_calendar=file.calendar)
    versions: list[MapVersion] = []
    notes: list[str] = []
    for each in maps:
        history = _with_today(saved, f"map-{each.name}", each.text, now=now, keep=keep)
        parsed = [(_holds_from(version, each, file), _read(version, each, file)) for version in history]
        if len(history) > 1 and history[-1].saved_at == now:
            notes.append(_note(each.name, len(history), parsed[-1][0]))
        for version in in_order(parsed):
            versions.extend(_by_calendar(version, calendar_versions))
    calendars = {
        _at(name, version.number): calendar
        for version in calendar_versions
        for name, calendar in read_calendars(json.loads(version.text)["calendars"], file.time_zone).items()
    }
    return MapSet(maps, tuple(versions), calendars, tuple(notes))


def _with_today(saved: Versions, name: str, text: str, *, now: int, keep: bool) -> list[SavedVersion]:
    history = saved.of(name)
    if not history or history[-1].text != text:
        newest = saved.save(name, text, saved_at=now) if keep else SavedVersion(len(history) + 1, now, text)
        history.append(newest)
    return history


def _read(version: SavedVersion, today: Map, file: ProjectFile) -> Map:
    if version.text == today.text:
        return today
    return load_map(version.text, today.file_name, file.calendars, project_calendar=file.calendar)


def _holds_from(version: SavedVersion, today: Map, file: ProjectFile) -> int:
    valid_from = _read(version, today, file).valid_from
    return version.saved_at if valid_from is None else valid_from


def _by_calendar(version: MapVersion, calendars: list[SavedVersion]) -> Iterator[MapVersion]:
    """A version of a map, cut where the calendars changed while it was in force."""
    for place, calendar in enumerate(calendars):
        begins = version.holds_from if place == 0 else max(version.holds_from, calendar.saved_at)
        last = place + 1 == len(calendars)
        ends = version.holds_to if last else min(version.holds_to, calendars[place + 1].saved_at)
        if begins < ends:
            yield replace(version, map=_counted_by(version.map, calendar.number), holds_from=begins, holds_to=ends)


def _counted_by(each: Map, number: int) -> Map:
    promises = tuple(replace(p, calendar=_at(p.calendar, number)) for p in each.promises)
    return replace(each, calendar=_at(each.calendar, number), promises=promises)


def _at(calendar: str, number: int) -> str:
    return f"{calendar}@{number}" if calendar else ""


def _calendars_text(file: ProjectFile) -> str:
    return json.dumps({"calendars": _plain(file.calendars)}, sort_keys=True, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _note(name: str, number: int, moment: int) -> str:
    return (
        f"map {name}: version {number} holds from {moment_text(moment)}. What opened before keeps the version of its time; "
        "write 'valid_from: 2020-01-01' in the map to judge the past by it."
    )
