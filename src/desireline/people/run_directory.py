"""The directory of handles kept in a file between two processes, so that a small import need not decide everybody.

It is a copy of what the lake's `links` and `handles` say. A copy made of other parts, by other rules or only half
written is not taken: then everything is decided afresh, which gives the same.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from desireline.people import directory as directories
from desireline.people.directory import Directory
from desireline.storage.durable import replacing
from desireline.storage.lake import Lake
from desireline.vocabulary.handles import HANDLE_KINDS

OF_HANDLES = ("handle", "rank", "why", "person", "parent", "ring", "size", "least", "company", "head")
OF_LINKS = ("ends", "seen")


def keep_directory(lake: Lake, directory: Directory, path: Path) -> None:
    """Keep a directory that knows all of the lake; nothing is written when the copy there is as good."""
    made_of = _made_of(lake)
    if _head(path).get("made_of") == made_of:
        return
    known, linked = (int(count) for count in directory.held)
    arrays = [getattr(directory, name)[:known] for name in OF_HANDLES]
    arrays += [directory.ends[: 2 * linked], directory.seen[:linked]]
    body = b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)
    head = {"made_of": made_of, "handles": known, "links": linked, "sum": _sum(body)}
    with replacing(path, durable=False) as temporary:
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + body)


def kept_directory(lake: Lake, path: Path) -> Directory | None:
    """The directory that was kept, if it is of the lake as it is now."""
    head = _head(path)
    if head.get("made_of") != _made_of(lake):
        return None
    with path.open("rb") as file:
        file.readline()
        body = file.read()
    if _sum(body) != head["sum"]:
        return None
    known, linked = int(head["handles"]), int(head["links"])
    directory = directories.empty(handles=known * 9 // 8 + 16, links=linked * 9 // 8 + 16)
    begin = 0
    for name in (*OF_HANDLES, *OF_LINKS):
        array = getattr(directory, name)
        rows = known if name in OF_HANDLES else 2 * linked if name == "ends" else linked
        part = array[:rows]
        part[:] = np.frombuffer(body, array.dtype, part.size, begin).reshape(part.shape)
        begin += part.nbytes
    directory.held[:] = (known, linked)
    directories.fill_table(directory.table, directory.handle, known)
    return directory


def _made_of(lake: Lake) -> str:
    """The parts it is made of, with their sizes and moments, and the rules it was made by."""
    digest = hashlib.sha256(repr(HANDLE_KINDS).encode())
    for table in ("links", "handles"):
        for part in lake.parts(table):
            told = lake.path(table, part).stat()
            digest.update(f"{table}/{part} {told.st_size} {told.st_mtime_ns}\n".encode())
    for rules in sorted(files("desireline.people").iterdir(), key=lambda each: each.name):
        if rules.is_file():
            digest.update(rules.read_bytes())
    return digest.hexdigest()


def _head(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError), path.open("rb") as file:
        found = json.loads(file.readline())
        return found if isinstance(found, dict) else {}
    return {}


def _sum(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()
