"""A second copy of the log kept up with it: only what is new goes over, and what fails on the way is made good."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from desireline.storage.log import Disk, LogShipper, Shipped, read_log
from storage.writing_logs import PLAIN, SMALL, fill, opened, until_sealed


def are_there(folder: Path, files: Sequence[Shipped]) -> bool:
    """Whether every file of the copy is what was said of it."""
    contents = {each.name: (folder / each.name).read_bytes()[: each.bytes] for each in files}
    return all(hashlib.sha256(contents[each.name]).hexdigest() == each.sha256 for each in files)


def test_the_copy_follows_what_is_written_and_what_is_packed(tmp_path: Path) -> None:
    with opened(tmp_path / "log", SMALL) as log:
        shipper = LogShipper(tmp_path / "log", tmp_path / "copy")
        for rounds in range(1, 6):
            fill(log, 10)
            until_sealed(log, rounds)
            last, files = shipper.ship()
            shipper.forget(files)
            assert last == 10 * rounds and are_there(tmp_path / "copy", files)
            assert [frame.sequence for frame in read_log(tmp_path / "copy")] == list(range(1, last + 1))


def test_a_disk_that_was_full_for_a_moment_spoils_no_sum(tmp_path: Path) -> None:
    class FullOnce(Disk):
        refusals = 1

        def sync(self, file: int) -> None:
            if self.refusals:
                self.refusals -= 1
                raise OSError(28, "No space left on device")

    with opened(tmp_path / "log", PLAIN) as log:
        disk = FullOnce()
        disk.refusals = 0
        shipper = LogShipper(tmp_path / "log", tmp_path / "copy", disk=disk)
        fill(log, 3)
        shipper.ship()
        fill(log, 3)
        disk.refusals = 1
        with pytest.raises(OSError, match="No space"):
            shipper.ship()
        last, files = shipper.ship()
    assert last == 6 and are_there(tmp_path / "copy", files)


@pytest.mark.parametrize("limits", [PLAIN, SMALL])
def test_a_copy_that_somebody_removed_is_made_again(tmp_path: Path, limits: object) -> None:
    with opened(tmp_path / "log", limits) as log:  # type: ignore[arg-type]
        fill(log, 60)
        if limits is SMALL:
            until_sealed(log, log.state.segments - 1)
        shipper = LogShipper(tmp_path / "log", tmp_path / "copy")
        shipper.ship()
        shutil.rmtree(tmp_path / "copy")
        last, files = shipper.ship()
    assert last == 60 and are_there(tmp_path / "copy", files)
    assert len(list(read_log(tmp_path / "copy"))) == 60


def test_a_copy_that_cannot_be_written_is_told_and_not_tried_for_ever(tmp_path: Path) -> None:
    class Gone(Disk):
        def create(self, path: Path) -> int:
            raise FileNotFoundError(2, "No such file or directory", str(path))

    with opened(tmp_path / "log", PLAIN) as log:
        fill(log, 3)
        with pytest.raises(FileNotFoundError):
            LogShipper(tmp_path / "log", tmp_path / "copy", disk=Gone()).ship()
