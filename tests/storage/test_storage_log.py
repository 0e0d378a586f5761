"""The log of record: entries are on disk before anybody is told, keep their order, and read back from anywhere."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desireline.storage.log import (
    LARGEST_FRAME_BYTES,
    Disk,
    Frame,
    Kind,
    Log,
    LogFull,
    LogLimits,
    Outcome,
    check_log,
    read_log,
)
from desireline.storage.log.frames import MAGIC, Hole, Piece, pieces, written
from desireline.storage.log.recovery import look
from desireline.vocabulary.errors import DesirelineError, WorkFailed
from storage.writing_logs import MOMENT, PLAIN, Told, Unsynced, fill, opened, segments, until_sealed


def test_ana_s_request_reads_back_as_it_came(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        sequence = log.append(
            Kind.REQUEST, received_at=MOMENT, source="löwe", meta=b'{"path":"/v1/batch"}', body=b"\x00\xde raw"
        )
        assert list(log.read()) == [
            Frame(sequence, Kind.REQUEST, MOMENT, "löwe", b'{"path":"/v1/batch"}', b"\x00\xde raw")
        ]
        assert (sequence, log.last) == (1, 1)


def test_entries_stay_when_the_log_is_closed_and_opened_and_their_order_goes_on(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        with opened(tmp_path) as log:
            assert log.append(Kind.CHANGE, received_at=MOMENT, body=b"%d" % expected) == expected
            assert [frame.body for frame in log.read()] == [b"%d" % each for each in range(1, expected + 1)]
            assert log.state.damage == ()


def test_an_old_file_is_never_written_again(tmp_path: Path) -> None:
    with opened(tmp_path, PLAIN) as log:
        fill(log, 1)
    before = {path: path.read_bytes() for path in segments(tmp_path)}
    with opened(tmp_path, PLAIN) as log:
        fill(log, 1)
    assert {path: path.read_bytes() for path in before} == before
    assert len(segments(tmp_path)) == 2


def test_everybody_is_told_once_with_rising_sequences_and_waiting_entries_share_a_commit(tmp_path: Path) -> None:
    class Slow(Disk):
        gate = threading.Event()

        def sync(self, file: int) -> None:
            self.gate.wait(30)

    told = Told(100)
    with opened(tmp_path, disk=Slow()) as log:
        for token in range(100):
            log.submit(Kind.REQUEST, received_at=MOMENT, source="web", meta=b"", body=b"x", token=token, tell=told)
        assert (told.outcomes, log.last, list(log.read())) == ([], 0, []), "told or shown before it was on disk"
        Slow.gate.set()
        outcomes = told.wait()
        assert [(each.token, each.sequence, each.error) for each in outcomes] == [
            (each, each + 1, None) for each in range(100)
        ]
        assert log.state.commits <= 2 and max(told.groups) >= 50
        assert log.state.queued_bytes == 0


def test_a_listener_that_fails_does_not_keep_the_news_from_the_others(tmp_path: Path) -> None:
    def broken(_outcomes: Sequence[Outcome]) -> None:
        raise RuntimeError("the loop is closed")

    told = Told(1)
    with opened(tmp_path) as log:
        log.submit(Kind.REQUEST, received_at=MOMENT, source="", meta=b"", body=b"a", token=1, tell=broken)
        log.submit(Kind.REQUEST, received_at=MOMENT, source="", meta=b"", body=b"b", token=2, tell=told)
        assert told.wait()[0].token == 2
        assert [frame.body for frame in log.read()] == [b"a", b"b"]
        assert log.state.failed_tells == 1


def test_a_segment_rolls_by_age_when_the_clock_says_so(tmp_path: Path) -> None:
    class Clock(Disk):
        at = 0.0

        def elapsed(self) -> float:
            return self.at

    with opened(tmp_path, LogLimits(segment_seconds=3_600, seal=False, ballast_bytes=0), Clock()) as log:
        fill(log, 2)
        Clock.at = 3_601.0
        fill(log, 2)
        fill(log, 2)
        assert log.state.segments == 2
        assert log.last == 6


def test_reading_goes_on_while_others_write_and_segments_are_packed(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        writer = threading.Thread(target=fill, args=(log, 300))
        writer.start()
        seen = 0
        while seen < 300:
            assert log.wait(seen, 30)
            for frame in log.read(seen):
                assert frame.sequence == seen + 1
                seen = frame.sequence
        writer.join()
        assert log.state.damage == ()


def test_another_process_reads_up_to_what_is_known_to_be_on_disk(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        fill(log, 20)
        assert [frame.sequence for frame in read_log(tmp_path)] == list(range(1, 21))
        (tmp_path / "mark").write_bytes(b"")
        assert list(read_log(tmp_path)) == []
    assert len(list(read_log(tmp_path))) == 20


def test_waiting_ends_when_an_entry_comes_and_when_the_time_is_over(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        assert not log.wait(0, 0.001)
        threading.Thread(target=fill, args=(log, 1)).start()
        assert log.wait(0, 30)


def test_one_process_writes_at_a_time_and_the_other_is_told_who(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(WorkFailed, match=f"process {os.getpid()}"):
        Log(tmp_path, now=lambda: MOMENT)
    with opened(tmp_path) as log:
        assert log.last == 0


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_is_empty(tmp_path: Path) -> None:
    class Slow(Disk):
        gate = threading.Event()

        def sync(self, file: int) -> None:
            self.gate.wait(30)

    told = Told(10)
    with opened(tmp_path, LogLimits(queue_bytes=11_000, ballast_bytes=0), Slow()) as log:
        for token in range(10):
            log.submit(Kind.REQUEST, received_at=0, source="", meta=b"", body=bytes(1_000), token=token, tell=told)
        with pytest.raises(LogFull) as refused:
            log.submit(Kind.REQUEST, received_at=0, source="", meta=b"", body=bytes(1_000), token=11, tell=told)
        assert (refused.value.reason, refused.value.retry_after_seconds) == ("queue", 1)
        Slow.gate.set()
        assert [each.error for each in told.wait()] == [None] * 10
        assert log.append(Kind.REQUEST, received_at=0, body=bytes(1_000)) == 11


def test_an_entry_that_can_never_be_taken_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        with pytest.raises(WorkFailed, match="Import it as a file"):
            log.append(Kind.CHANGE, received_at=0, body=bytes(LARGEST_FRAME_BYTES))
        with pytest.raises(UnicodeEncodeError):
            log.append(Kind.CHANGE, received_at=0, source="\ud800")
        largest = LARGEST_FRAME_BYTES - 40
        assert log.append(Kind.CHANGE, received_at=0, meta=b"", body=bytes(largest)) == 1
        assert [len(frame.body) for frame in log.read()] == [largest]


def test_a_closed_log_takes_nothing_and_wrote_everything(tmp_path: Path) -> None:
    told = Told(500)
    with opened(tmp_path) as log:
        for token in range(500):
            log.submit(Kind.REQUEST, received_at=0, source="", meta=b"", body=b"x", token=token, tell=told)
    assert len(told.outcomes) == 500
    with pytest.raises(WorkFailed, match="closed"):
        log.append(Kind.REQUEST, received_at=0)


def test_a_bug_in_the_writer_answers_everybody_and_stops_the_log(tmp_path: Path) -> None:
    class Buggy(Disk):
        def write(self, file: int, data: bytes) -> None:
            raise ZeroDivisionError

    ended: list[object] = []
    before, threading.excepthook = threading.excepthook, ended.append
    try:
        with opened(tmp_path, disk=Buggy()) as log:
            with pytest.raises(LogFull, match="writer ended"):
                log.append(Kind.REQUEST, received_at=0)
            with pytest.raises(LogFull):
                log.append(Kind.REQUEST, received_at=0)
            assert log.state.read_only
    finally:
        threading.excepthook = before
    assert len(ended) == 1


def test_an_imported_file_is_kept_once_under_its_sum_and_comes_back_the_same(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(b"time,person\n" + os.urandom(5_000) + b"2026-01-01,ana\n" * 400_000)
    with opened(tmp_path / "log") as log:
        kept = log.keep_file(export)
        assert log.keep_file(export) == kept
        assert kept.size_bytes == export.stat().st_size > 50 * kept.packed_bytes
        back = log.kept_file(kept.sha256, tmp_path / "back.csv")
        assert back.read_bytes() == export.read_bytes()
        assert [path.name for path in (tmp_path / "log" / "files").iterdir()] == [f"{kept.sha256}.zst"]


def test_a_kept_file_that_was_damaged_is_refused(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(os.urandom(100_000))
    with opened(tmp_path / "log") as log:
        kept = log.keep_file(export)
        packed = tmp_path / "log" / "files" / f"{kept.sha256}.zst"
        content = bytearray(packed.read_bytes())
        content[50_000] ^= 1
        packed.write_bytes(content)
        with pytest.raises(WorkFailed, match="damaged"):
            log.kept_file(kept.sha256, tmp_path / "back.csv")
        with pytest.raises(WorkFailed, match="not among the kept files"):
            log.kept_file("0" * 64, tmp_path / "back.csv")
    assert not (tmp_path / "back.csv").exists()


def test_a_copy_that_was_broken_off_is_cleared_away_at_the_next_opening(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        fill(log, 1)
    (tmp_path / "files").mkdir()
    leftovers = [tmp_path / "files" / "1-ab.part", tmp_path / "00000000000000000001-00000000.log.zst.part"]
    for path in leftovers:
        path.write_bytes(b"half")
    with opened(tmp_path) as log:
        assert [path for path in leftovers if path.exists()] == []
        assert log.state.damage == ()


def test_the_doctor_finds_a_damaged_kept_file(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(b"time,person\n" * 100)
    with opened(tmp_path / "log") as log:
        kept = log.keep_file(export)
    assert check_log(tmp_path / "log") == ()
    packed = tmp_path / "log" / "files" / f"{kept.sha256}.zst"
    packed.write_bytes(packed.read_bytes()[:-12])
    assert [each.segment for each in check_log(tmp_path / "log")] == [f"files/{kept.sha256}.zst"]


def test_no_sequence_that_was_applied_elsewhere_is_given_again(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        fill(log, 3)
    log = Log(tmp_path, now=lambda: MOMENT, disk=Unsynced(), applied=7)
    assert [(each.first_missing, each.last_missing) for each in log.state.damage] == [(4, 7)]
    assert log.last == 3 and not log.wait(3, 0)
    assert log.append(Kind.CHANGE, received_at=MOMENT) == 8
    log.close()
    with opened(tmp_path) as again:
        assert [frame.sequence for frame in again.read()] == [1, 2, 3, 8]
        assert [(each.first_missing, each.last_missing) for each in again.state.damage] == [(4, 7)]


def test_a_file_that_somebody_removed_while_the_log_was_open_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    with opened(tmp_path, PLAIN) as log:
        fill(log, 30)
        removed = segments(tmp_path)[1]
        removed.unlink()
        read = [frame.sequence for frame in log.read()]
        (damage,) = log.state.damage
        missing = list(range(damage.first_missing, damage.last_missing + 1))
        assert damage.segment == removed.name
        assert missing and sorted(read + missing) == list(range(1, 31))


def test_a_disk_that_cannot_be_used_is_told_in_words_and_keeps_no_lock(tmp_path: Path) -> None:
    class Refusing(Unsynced):
        def sync_folder(self, folder: Path) -> None:
            raise OSError(5, "Input/output error")

    with pytest.raises(WorkFailed, match="cannot be opened"), opened(tmp_path, disk=Refusing()):
        pass
    with opened(tmp_path) as log:
        assert fill(log, 1) == [1]
        log.close()


def test_entries_of_a_newer_desireline_are_not_guessed_at(tmp_path: Path) -> None:
    name = tmp_path / "00000000000000000001-00000007.log"
    opening = written(7, kind=0, sequence=1, received_at=0, meta=b'{"after":0}')
    name.write_bytes(b"".join((*opening, *written(7, kind=99, sequence=1, received_at=0, body=b"?"))))
    with opened(tmp_path) as log, pytest.raises(DesirelineError, match="newer Desireline"):
        list(log.read())
    with pytest.raises(DesirelineError, match="newer Desireline"):
        list(read_log(tmp_path))


def test_what_a_stranger_sends_cannot_pass_for_a_frame(tmp_path: Path) -> None:
    class Known(Unsynced):
        def seed(self) -> int:
            return 7 << 32 | 1

    forged = b"".join(written(7 << 32, kind=1, sequence=2, received_at=0, source=b"", meta=b"", body=b"forged"))
    with opened(tmp_path, PLAIN, Known()) as log:
        for body in (b"first", forged, b"third"):
            log.append(Kind.REQUEST, received_at=0, body=body)
    (path,) = segments(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.find(forged) - 3] ^= 1
    path.write_bytes(content)
    with opened(tmp_path, PLAIN) as log:
        assert [frame.body for frame in log.read()] == [b"first", b"third"]
        (damage,) = log.state.damage
        assert (damage.first_missing, damage.last_missing) == (2, 2)
        assert (tmp_path / "damaged" / damage.kept_in).stat().st_size == damage.size_bytes


def test_a_body_full_of_beginnings_costs_no_time_after_damage(tmp_path: Path) -> None:
    length, others = 15 << 20, 15 << 20
    hostile = (MAGIC + length.to_bytes(4, "little")) * (1 << 17)
    with opened(tmp_path, LogLimits(ballast_bytes=0, seal=False)) as log:
        for body in (hostile, bytes(others), bytes(others), bytes(others)):
            log.append(Kind.REQUEST, received_at=0, body=body)
    (path,) = segments(tmp_path)
    with path.open("r+b") as file:
        file.seek(hostile_at := path.read_bytes().find(hostile))
        file.write(b"\x00")
    begun = time.process_time()
    found = look(tmp_path)
    assert time.process_time() - begun < 10, "half an hour with a magic that everybody knows"
    assert [(each.first_missing, each.last_missing) for each in found.damage] == [(1, 1)]
    assert found.damage[0].offset < hostile_at


def test_a_log_from_before_seeds_were_longer_is_read_and_goes_on(tmp_path: Path) -> None:
    class Before(Unsynced):
        def seed(self) -> int:
            return 0x0000BEEF

    with opened(tmp_path, PLAIN, Before()) as log:
        fill(log, 1)
    (old,) = segments(tmp_path)
    assert old.name == f"{1:020d}-0000beef.log" and MAGIC in old.read_bytes()
    with opened(tmp_path, PLAIN) as log:
        fill(log, 1)
    with opened(tmp_path) as log:
        until_sealed(log, 2)
        assert [frame.sequence for frame in log.read()] == [1, 2]
        assert log.state.damage == ()
    assert check_log(tmp_path) == ()


ENTRIES = st.lists(
    st.tuples(st.sampled_from(Kind), st.text(max_size=5), st.binary(max_size=20), st.binary(max_size=300)), max_size=30
)


@settings(max_examples=30, deadline=None)
@given(entries=ENTRIES, closed_after=st.sets(st.integers(0, 30), max_size=3), sealed=st.booleans())
def test_any_entries_read_back_however_often_the_log_was_closed(
    entries: list[tuple[Kind, str, bytes, bytes]],
    closed_after: set[int],
    sealed: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("log")
    limits = LogLimits(segment_bytes=300, ballast_bytes=0, seal=sealed)
    expected = []
    log = Log(folder, now=lambda: 0, limits=limits, disk=Unsynced())
    for place, (kind, source, meta, body) in enumerate(entries):
        sequence = log.append(kind, received_at=place, source=source, meta=meta, body=body)
        expected.append(Frame(sequence, kind, place, source, meta, body))
        if place in closed_after:
            log.close()
            log = Log(folder, now=lambda: 0, limits=limits, disk=Unsynced())
    assert list(log.read()) == expected
    assert [frame.sequence for frame in expected] == list(range(1, len(expected) + 1))
    after = len(expected) // 2
    assert list(log.read(after)) == expected[after:]
    log.close()
    assert list(read_log(folder)) == expected
    assert check_log(folder) == ()


@settings(max_examples=200, deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=200), min_size=1, max_size=20),
    rubbish=st.lists(st.tuples(st.integers(0, 20), st.binary(min_size=1, max_size=100)), max_size=4),
    seed=st.integers(0, 2**64 - 1),
)
def test_frames_are_found_between_any_rubbish(bodies: list[bytes], rubbish: list[tuple[int, bytes]], seed: int) -> None:
    content, kept = b"", []
    for number, body in enumerate(bodies):
        content += b"".join(junk for place, junk in rubbish if place == number)
        kept.append(len(content))
        content += b"".join(written(seed, kind=1, sequence=number, received_at=0, source=b"", meta=b"", body=body))
    found = list(pieces(lambda at, size: content[at : at + size], seed, start=0, end=len(content)))
    assert [(each.offset, each.body) for each in found if isinstance(each, Piece)] == list(
        zip(kept, bodies, strict=True)
    )
    holes = [each for each in found if isinstance(each, Hole)]
    assert sum(each.size for each in found) == len(content)
    assert bool(holes) == any(place < len(bodies) for place, _ in rubbish)
