"""Which number each part of the lake has in the store, so that every row knows where it came from.

An import's part has a number of its own. The stretches of a stream (what came in live) share one number, and
their rows are counted on from stretch to stretch: merging the lake's small parts into longer ones moves no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desireline.storage.journey_store.lake_reader import PART_BITS
from desireline.storage.journey_store.manifest import Manifest
from desireline.storage.lake import Lake
from desireline.storage.part_names import Stretch, shown, stretch_of, unmatched


class OutOfStepError(Exception):
    """The stretches in the lake do not go on where the store's end: the store must be built afresh."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Parts with their numbers: the manifest's next lists, and the origin of each part's first row."""

    parts: list[str]
    streams: dict[str, int]
    origins: list[int]


def in_order(parts: Sequence[str]) -> list[str]:
    """Imports as they were given, then streams from their beginning."""
    streams = [part for part in parts if stretch_of(part) is not None]
    return [*(part for part in parts if stretch_of(part) is None), *shown(streams)]


def number_parts(manifest: Manifest, new: Sequence[str], rows: Sequence[int]) -> Numbered:
    """Give new parts their numbers; `new` stands in order (`in_order`), `rows` says how many each has."""
    parts, streams = list(manifest.parts), dict(manifest.streams)
    numbers = {each.prefix: number for number, each in _streams(manifest).items()}
    origins = []
    for part, count in zip(new, rows, strict=True):
        own = stretch_of(part)
        if own is None or own.prefix not in numbers:
            number, row = len(parts), 0
            parts.append(part)
        else:
            number, row = numbers[own.prefix], streams[own.prefix]
            parts[number] = _longer(parts[number], own)
        if own is not None:
            numbers[own.prefix], streams[own.prefix] = number, row + count
        origins.append(number << PART_BITS | row)
    return Numbered(parts, streams, origins)


def files_held(manifest: Manifest, lake: Lake, table: str) -> list[str]:
    """The parts of the lake, as they lie there now, whose rows the store holds, in order."""
    there, held = lake.parts(table), manifest.live_parts()
    missing = set(unmatched(there, held))
    return in_order([part for part in there if part not in missing])


def numbers_of(manifest: Manifest, files: Sequence[str], rows: Sequence[int]) -> list[int]:
    """The number of each part that the store holds; the rows of every stream must be as many as were taken in."""
    by_name = {part: number for number, part in enumerate(manifest.parts) if number not in manifest.removed}
    by_prefix = {each.prefix: number for number, each in _streams(manifest).items()}
    found, counted = [], dict.fromkeys(manifest.streams, 0)
    for part, count in zip(files, rows, strict=True):
        own = stretch_of(part)
        if own is not None:
            counted[own.prefix] += count
        found.append(by_name[part] if own is None else by_prefix[own.prefix])
    if counted != manifest.streams:
        raise OutOfStepError
    return found


def _streams(manifest: Manifest) -> dict[int, Stretch]:
    live = [(number, part) for number, part in enumerate(manifest.parts) if number not in manifest.removed]
    return {number: own for number, part in live if (own := stretch_of(part)) is not None}


def _longer(held: str, own: Stretch) -> str:
    before = stretch_of(held)
    if before is None or own.first <= before.last:
        raise OutOfStepError
    return Stretch(own.prefix, before.first, own.last).name
