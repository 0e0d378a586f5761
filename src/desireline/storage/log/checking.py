"""Checking a whole log for the doctor: every byte of every segment, and the chain of their sums."""

from __future__ import annotations

import hashlib
from pathlib import Path

from desireline.storage.log.kept_files import unpacks
from desireline.storage.log.looking import opened
from desireline.storage.log.packed import damaged_parts, plain_blocks, read_index
from desireline.storage.log.recovery import FILES, look
from desireline.storage.log.said import Damage
from desireline.storage.log.shelf import Segment


def check_log(folder: Path | str) -> tuple[Damage, ...]:
    """Everything that is wrong with a log that nobody writes, also what the next reading would mend by itself.

    >>> check_log("data/log")                                  # doctest: +SKIP
    ()
    """
    found = look(Path(folder))
    damage = list(found.damage)
    previous: str | None = ""
    for segment in found.segments:
        if segment.packed:
            previous, more = _packed(segment, previous)
            damage.extend(more)
    for path in sorted((Path(folder) / FILES).glob("*.zst")):
        if not unpacks(path, write=lambda _chunk: None):
            damage.append(Damage(f"{FILES}/{path.name}", 0, path.stat().st_size, says="This kept file is damaged."))
    return tuple(damage)


def _packed(segment: Segment, previous: str | None) -> tuple[str | None, list[Damage]]:
    """The sum of a packed segment (None when it cannot be known) and what is wrong with the segment."""
    size = segment.path.stat().st_size
    with opened(segment.path) as read_at:
        index = read_index(read_at, size=size)
        if index is None:
            return None, [Damage(segment.name, 0, size, segment.first, segment.last, says="No index can be read.")]
        parts = damaged_parts(read_at, index, size=size)
        lost: list[Damage] = []
        digest = hashlib.sha256(index.footer.previous.encode())
        for _, plain in plain_blocks(
            read_at,
            index,
            after=-1,
            lost=lambda block: lost.append(
                Damage(segment.name, block.offset, block.size, block.first, block.last, says="A block is lost.")
            ),
            mended=lambda _block: None,
        ):
            digest.update(plain)
    found = [*lost, *(Damage(segment.name, 0, 0, says=f"Damaged: {part}.") for part in parts)]
    if not lost and digest.hexdigest() != index.footer.sha256:
        found.append(Damage(segment.name, 0, 0, says="Its content does not agree with its sum."))
    if previous is not None and index.footer.previous != previous:
        found.append(Damage(segment.name, 0, 0, says="It does not follow the sealed segment before it."))
    return index.footer.sha256, found
