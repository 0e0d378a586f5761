"""The directory of handles is kept between two processes, and taken up again only by the lake it was made of."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from desireline.people import Directory, Updated, keep_directory, kept_directory, update
from desireline.people.resolve import resolution
from desireline.storage.identity import text_hash
from desireline.storage.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def take(lake: Lake, part: str, *handles: tuple[str, ...], directory: Directory | None = None) -> Updated:
    first = 1 + sum(lake.rows("interactions", each) for each in lake.parts("interactions"))
    rows = [
        {
            "id": first + number,
            "source": "desk",
            "source_key": f"{part}-{number}",
            "position": number,
            "import_id": part,
        }
        | {
            "position": number,
            "occurred_at": number,
            "received_at": 0,
            "handles": list(each),
            "handle": text_hash(each[0]),
        }
        for number, each in enumerate(handles)
    ]
    lake.write_rows("interactions", part, rows)
    return update(lake, directory)


def says(directory: Directory) -> list[tuple[int, int]]:
    told = resolution(directory)
    return list(zip(told.handle.tolist(), told.person.tolist(), strict=True))


def test_a_kept_directory_goes_on_as_the_one_it_is_a_copy_of(lake: Lake, tmp_path: Path) -> None:
    known = take(lake, "one", ("crm:1", "email:a@b.example"), ("crm:2", "cookie:x"), ("crm:3",)).directory
    keep_directory(lake, known, tmp_path / "kept.bin")
    again = kept_directory(lake, tmp_path / "kept.bin")
    assert again is not None and says(again) == says(known)
    grown = take(lake, "two", ("email:a@b.example", "crm:3"), ("crm:4", "cookie:x"), directory=again)
    assert says(grown.directory) == says(update(lake).directory)
    assert np.isin(grown.changes.handles, grown.handle).all() and len(grown.changes)


def test_a_directory_of_another_lake_or_a_torn_one_is_not_taken(lake: Lake, tmp_path: Path) -> None:
    kept = tmp_path / "kept.bin"
    assert kept_directory(lake, kept) is None
    known = take(lake, "one", ("crm:1", "email:a@b.example")).directory
    keep_directory(lake, known, kept)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-8])
    assert kept_directory(lake, kept) is None
    kept.write_bytes(whole[:-8] + bytes(8))
    assert kept_directory(lake, kept) is None
    kept.write_bytes(whole)
    assert kept_directory(lake, kept) is not None
    take(lake, "two", ("crm:1", "email:c@d.example"))
    assert kept_directory(lake, kept) is None


def test_a_copy_that_is_as_good_is_not_written_again(lake: Lake, tmp_path: Path) -> None:
    kept = tmp_path / "kept.bin"
    known = take(lake, "one", ("crm:1", "email:a@b.example")).directory
    keep_directory(lake, known, kept)
    os.utime(kept, ns=(1, 1))
    keep_directory(lake, known, kept)
    assert kept.stat().st_mtime_ns == 1
