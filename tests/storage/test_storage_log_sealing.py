"""Sealing a finished segment of the log: summed up, packed, mended, and never in the way of whoever writes."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desireline.storage.log import Disk, Kind, LogLimits, check_log, read_log
from desireline.storage.log.contents import Contents, contents_of
from desireline.storage.log.frames import OPENING, written
from desireline.storage.log.packed import Footer, Packer, plain_blocks, read_index
from desireline.storage.log.packing import NotSealed, pack
from desireline.storage.log.segment_writer import SegmentWriter
from desireline.storage.log.waiting import Order
from storage.writing_logs import MOMENT, PLAIN, fill, opened, segments, until_sealed


def test_segments_roll_by_size_are_sealed_in_the_background_and_read_back_across_all_forms(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        sequences = fill(log, 60)
        until_sealed(log, 8)
        assert [frame.sequence for frame in log.read()] == sequences == list(range(1, 61))
        assert [frame.sequence for frame in log.read(37, until=45)] == list(range(38, 46))
        assert list(log.read(60)) == []
        assert log.state.why_not_sealed == ""
    assert {path.suffix for path in segments(tmp_path)} >= {".zst"}
    assert check_log(tmp_path) == ()
    assert [frame.sequence for frame in read_log(tmp_path, after=58)] == [59, 60]


def test_a_segment_is_sealed_without_looking_at_each_entry_unless_it_was_there_when_the_log_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def looking(*given: object, **more: object) -> Contents | None:
        looked.append(1)
        return contents_of(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("desireline.storage.log.packing.contents_of", looking)
    with opened(tmp_path) as log:
        fill(log, 60)
        until_sealed(log, 8)
    assert (looked, check_log(tmp_path)) == ([], ())
    with opened(tmp_path) as log:
        until_sealed(log, log.state.segments)
    assert looked and check_log(tmp_path) == ()
    assert [frame.sequence for frame in read_log(tmp_path)] == list(range(1, 61))


GROUPS = st.lists(st.lists(st.tuples(st.binary(max_size=60), st.integers(-5, 5)), max_size=6), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(groups=GROUPS, first=st.integers(1, 9), block_bytes=st.integers(41, 400))
def test_what_is_remembered_of_a_segment_is_what_lies_in_it(
    groups: list[list[tuple[bytes, int]]], first: int, block_bytes: int
) -> None:
    content = b"".join(written(7, kind=OPENING, sequence=first, received_at=0))
    remembered, sequence, begin = Contents(), first, 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("desireline.storage.log.contents.BLOCK_BYTES", block_bytes)
        for group in groups:
            frames = [
                b"".join(written(7, kind=1, sequence=sequence + place, received_at=at, body=body))
                for place, (body, at) in enumerate(group)
            ]
            content += b"".join(frames)
            remembered = remembered.grown(
                content[begin:], first=sequence, sizes=[len(each) for each in frames], times=[at for _, at in group]
            )
            sequence, begin = sequence + len(group), len(content)
        found = contents_of(
            lambda at, size: content[at : at + size], 7, first=first, end=len(content), going_on=lambda: None
        )
    assert found == remembered
    times = [at for group in groups for _, at in group]
    assert (remembered.earliest, remembered.latest) == (min(times, default=None), max(times, default=None))


@pytest.mark.parametrize("remembered", [True, False])
def test_a_segment_that_was_damaged_before_it_is_sealed_stays_as_it_is(tmp_path: Path, *, remembered: bool) -> None:
    writer = SegmentWriter(tmp_path, Disk(), first=1, after=0, opened_at=MOMENT)
    sizes = [len(b"".join(written(writer.segment.seed, kind=1, sequence=1, received_at=0, body=b"ana")))] * 2
    orders = [Order(int(Kind.REQUEST), MOMENT, b"", b"", b"ana", None, lambda _outcomes: None, size) for size in sizes]
    writer.add(1, orders)
    writer.close()
    segment = writer.segment if remembered else replace(writer.segment, contents=None)
    target = tmp_path / "packed"
    assert pack(segment, target, Disk(), previous="", going_on=lambda: None).footer.count == 2
    content = bytearray(segment.path.read_bytes())
    content[-2] ^= 1
    segment.path.write_bytes(content)
    with pytest.raises(NotSealed):
        pack(segment, target, Disk(), previous="", going_on=lambda: None)


def test_a_plain_file_goes_only_once_the_packed_one_has_its_name_on_disk(tmp_path: Path) -> None:
    class Noting(Disk):
        def __init__(self) -> None:
            self.done: list[str] = []

        def remove(self, path: Path) -> None:
            self.done.append(f"remove {path.name}")
            super().remove(path)

        def sync_folder(self, folder: Path) -> None:
            self.done.append("sync")
            super().sync_folder(folder)

    with opened(tmp_path, PLAIN) as log:
        fill(log, 30)
    plain = {path: path.read_bytes() for path in segments(tmp_path)}
    with opened(tmp_path) as log:
        until_sealed(log, len(plain))
    killed_in_between, content = next(iter(plain.items()))
    killed_in_between.write_bytes(content)
    disk = Noting()
    with opened(tmp_path, PLAIN, disk) as log:
        assert len(list(log.read())) == 30
    assert not killed_in_between.exists()
    assert "sync" in disk.done[: disk.done.index(f"remove {killed_in_between.name}")]


def test_the_ballast_is_laid_also_where_the_system_reserves_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.posix_fallocate")
    waiting = threading.Event()
    with opened(tmp_path, LogLimits(ballast_bytes=100_000, retry_seconds=0.02)) as log:
        for _ in range(3_000):
            if log.state.ballast_bytes or log.state.why_not_sealed:
                break
            waiting.wait(0.01)
        assert (log.state.ballast_bytes, log.state.why_not_sealed) == (100_000, "")


def test_a_sealed_segment_unpacks_with_any_zstd_to_what_was_written(tmp_path: Path) -> None:
    with opened(tmp_path, PLAIN) as log:
        fill(log, 30)
    plain = {path.name: path.read_bytes() for path in segments(tmp_path)}
    with opened(tmp_path) as log:
        until_sealed(log, len(plain))
    import zstandard

    for name, content in plain.items():
        with (tmp_path / f"{name}.zst").open("rb") as packed:
            unpacked = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
        assert unpacked == content


def test_a_sealed_segment_that_was_damaged_is_told_read_whole_and_packed_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        fill(log, 30)
        until_sealed(log, 3)
    first = segments(tmp_path)[0]
    whole = first.read_bytes()
    first.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    assert [each.says for each in check_log(tmp_path)] == ["Damaged: block 0."]
    with opened(tmp_path) as log:
        assert [frame.sequence for frame in log.read()] == list(range(1, 31))
        (damage,) = log.state.damage
        assert damage.mended and damage.first_missing == 0
        waiting = threading.Event()
        tries = iter(range(3_000))
        while first.read_bytes() != whole and next(tries, None) is not None:
            waiting.wait(0.01)
    assert check_log(tmp_path) == ()
    assert first.read_bytes() == whole


@settings(max_examples=200, deadline=None)
@given(blocks=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=9), data=st.data())
def test_a_packed_segment_mends_any_flipped_bit(blocks: list[bytes], data: st.DataObject) -> None:
    content = bytearray()
    packer = Packer(content.extend)
    for number, block in enumerate(blocks):
        packer.add(block, first=number, last=number)
    index = packer.finish(Footer(len(blocks), 0, 0, len(blocks) - 1, 0, 0, "", ""))
    place = data.draw(st.integers(0, len(content) * 8 - 1))
    content[place // 8] ^= 1 << place % 8

    def read_at(at: int, size: int) -> bytes:
        return bytes(content[at : at + size])

    found = read_index(read_at, size=len(content))
    assert found == index
    lost: list[object] = []
    unpacked = plain_blocks(read_at, index, after=-1, lost=lost.append, mended=lambda _block: None)
    assert [plain for _, plain in unpacked] == blocks
    assert lost == []
