"""Small parts become long ones: nothing is doubled, nothing lost, whatever moment the process dies at."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desireline.storage import merging
from desireline.storage.identity import handle_id, interaction_id
from desireline.storage.journey_store import Identities, JourneyStore
from desireline.storage.lake import Lake
from desireline.storage.merging import LIVE, forget_covered, merge_handles, merge_live_parts, next_merge
from desireline.storage.part_names import Stretch, shown, stretch_of, stretches, unmatched
from faults.forms import how_many

NOW = 4_000_000_000_000
LONG_AGO = 0


def rows_of(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """One interaction for each number, of one of five people, in no order of time."""
    return [
        {
            "id": interaction_id("web", str(number)),
            "source": "web",
            "source_key": str(number),
            "position": number,
            "import_id": LIVE,
            "occurred_at": 1_000 + (number * 7) % 40,
            "handles": [f"crm:{number % 5}", f"cookie:{number % 7}"],
            "handle": handle_id("crm", str(number % 5)),
            "channel": "web",
            "touchpoint": "page.viewed",
            "properties": f'{{"number": "n{number}"}}',
        }
        for number in numbers
    ]


def links_of(numbers: Sequence[int]) -> list[dict[str, Any]]:
    pairs = sorted({(number % 5, 100 + number % 7) for number in numbers})
    return [
        {"handle_a": a, "handle_b": b, "seen": 1, "first_id": min(numbers), "evidence": "seen together", "since": 5}
        for a, b in pairs
    ]


class Company:
    """A lake fed a stretch at a time, and its store."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder / "lake")
        self.store = JourneyStore(folder / "store", self.lake)
        self.reached = 0

    def take(self, count: int, *, skip: int = 0) -> str:
        """The next messages come in; `skip` numbers were other changes in the log."""
        numbers = range(self.reached + 1 + skip, self.reached + 1 + skip + count)
        self.reached += count + skip
        part = Stretch(LIVE, numbers[0], numbers[-1]).name
        self.lake.write_rows("interactions", part, rows_of(numbers))
        self.lake.write_rows("links", part, links_of(numbers))
        self.store.add_parts([part])
        return part

    def contents(self) -> tuple[Any, ...]:
        """What readers see: every row of the lake in order of parts, the links, and the store."""
        with self.lake.connection() as connection:
            rows = connection.execute("SELECT source_key, occurred_at, properties FROM interactions").fetchall()
            links = connection.execute(
                "SELECT handle_a, handle_b, sum(seen), min(first_id) FROM links GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        return rows, links, self.store.digest(), self.store.verify()

    def fresh(self, folder: Path) -> JourneyStore:
        store = JourneyStore(folder, self.lake)
        store.build(Identities())
        return store


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def parts_in_tens(company: Company, table: str = "interactions") -> list[tuple[int, int]]:
    found = [stretch_of(part) for part in company.lake.parts(table)]
    return [(each.first, each.last) for each in found if each is not None]


def test_sixteen_small_parts_become_one_and_nobody_sees_a_difference(company: Company, tmp_path: Path) -> None:
    company.lake.write_rows("interactions", "web-0001", rows_of(range(9_000, 9_010)))
    company.store.add_parts(["web-0001"])
    for _ in range(16):
        company.take(3, skip=2)
    before = company.contents()
    version = company.store.snapshot()
    told = merge_live_parts(company.lake, company.store, now=NOW)
    assert [(each.table, each.of, each.part) for each in told] == [
        ("links", 16, "live-0000000003-0000000080"),
        ("interactions", 16, "live-0000000003-0000000080"),
    ]
    assert company.lake.parts("interactions") == ("live-0000000003-0000000080", "web-0001")
    assert company.contents() == before
    assert company.store.snapshot() is version
    assert company.store.behind() == ((), ())
    assert company.fresh(tmp_path / "fresh").digest() == company.store.digest()
    assert merge_live_parts(company.lake, company.store, now=NOW) == ()


def test_whoever_reads_the_small_parts_may_go_on_for_a_minute(company: Company) -> None:
    for _ in range(16):
        company.take(2)
    connection = company.lake.connection()
    merge_live_parts(company.lake, company.store, now=NOW)
    merge_live_parts(company.lake, company.store, now=LONG_AGO)
    assert connection.execute("SELECT count(*) FROM interactions").fetchone() == (32,)
    assert len(company.lake.covered("interactions")) == len(company.lake.covered("links")) == 16
    merge_live_parts(company.lake, company.store, now=NOW)
    assert company.lake.covered("interactions") == company.lake.covered("links") == ()


def test_a_property_asked_for_after_a_merge_is_found_at_its_interaction(company: Company) -> None:
    for _ in range(9):
        company.take(4, skip=1)
    merge_live_parts(company.lake, company.store, now=NOW, fan_in=4)
    company.take(3)
    company.store.ensure_columns(["properties.number", "source_key"])
    snapshot = company.store.snapshot()
    found = [row for bucket in snapshot.buckets for who in bucket.person for row in company.store.person_rows(int(who))]
    assert len(found) == 39
    assert all(row["properties.number"] == f"n{row['source_key']}" for row in found)
    assert all(row["id"] == interaction_id("web", row["source_key"]) for row in found)


def test_what_people_or_the_store_have_not_taken_in_is_not_merged(company: Company) -> None:
    for _ in range(4):
        company.take(2)
    company.lake.remove_part("links", "live-0000000007-0000000008")
    assert merge_live_parts(company.lake, company.store, now=NOW, fan_in=4) == ()
    company.lake.write_rows("links", "live-0000000007-0000000008", links_of([7, 8]))
    company.lake.write_rows("interactions", "live-0000000009-0000000009", rows_of([9]))
    company.lake.write_rows("links", "live-0000000009-0000000009", links_of([9]))
    assert [each.part for each in merge_live_parts(company.lake, company.store, now=NOW, fan_in=4)] == [
        "live-0000000001-0000000008"
    ] * 2
    company.store.add_parts(["live-0000000009-0000000009"])
    assert company.store.behind() == ((), ())
    assert company.store.verify() == ()


def test_a_stretch_that_does_not_go_on_where_the_store_ends_has_it_built_afresh(
    company: Company, tmp_path: Path
) -> None:
    company.take(5)
    company.take(5)
    company.lake.write_rows("interactions", "live-0000000006-0000000020", rows_of(range(6, 21)))
    assert company.store.behind() == (("live-0000000006-0000000020",), ("live-0000000001-0000000010",))
    company.store.add_parts(["live-0000000006-0000000020"])
    assert company.store.snapshot().interactions == 20
    assert company.store.behind() == ((), ())
    assert company.fresh(tmp_path / "fresh").digest() == company.store.digest()


def test_the_end_of_a_stream_that_was_never_counted_is_taken_out_again(company: Company, tmp_path: Path) -> None:
    company.take(5)
    last = company.take(5)
    company.lake.remove_part("interactions", last)
    new, gone = company.store.behind()
    company.store.remove_parts(gone)
    company.store.add_parts(company.lake.parts("interactions"))
    assert new == () and gone == ("live-0000000001-0000000010",)
    company.lake.write_rows("interactions", "live-0000000006-0000000007", rows_of([6, 7]))
    company.store.add_parts(["live-0000000006-0000000007"])
    assert company.store.verify() == () and company.store.behind() == ((), ())
    assert company.fresh(tmp_path / "fresh").digest() == company.store.digest()


DIES_AT_A_STEP = """
import os, signal, sys
from pathlib import Path
import desireline.storage.durable as durable
from desireline.storage.journey_store import JourneyStore
from desireline.storage.lake import Lake
from desireline.storage.merging import merge_live_parts

folder, left = Path(sys.argv[1]), int(sys.argv[2])

def counted(real):
    def called(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return called

durable.sync_file = counted(durable.sync_file)
Path.replace = counted(Path.replace)
Path.unlink = counted(Path.unlink)
lake = Lake(folder / "lake")
merge_live_parts(lake, JourneyStore(folder / "store", lake), now=4_000_000_000_000, fan_in=4)
"""


@pytest.mark.parametrize("step", range(0, 26, how_many(short=5, long=1)))
def test_killed_at_any_step_of_a_merge_nothing_is_doubled_or_lost(tmp_path: Path, step: int) -> None:
    company = Company(tmp_path)
    for _ in range(4):
        company.take(3)
    merge_live_parts(company.lake, company.store, now=LONG_AGO, fan_in=4)
    for _ in range(3):
        company.take(3)
    before = company.contents()
    ended = subprocess.run([sys.executable, "-c", DIES_AT_A_STEP, str(tmp_path), str(step)], check=False, timeout=60)
    assert ended.returncode == (-signal.SIGKILL if step < 24 else 0)
    after = Company(tmp_path)
    assert after.contents() == before
    forget_covered(after.lake)
    assert after.contents() == before
    assert unmatched(after.lake.parts("interactions"), after.lake.parts("links")) == []
    assert unmatched(after.lake.parts("links"), after.lake.parts("interactions")) == []
    while merge_live_parts(after.lake, after.store, now=NOW, fan_in=4):
        pass
    forget_covered(after.lake)
    assert after.contents() == before
    names = {path.name for table in ("interactions", "links") for path in (after.lake.folder / table).iterdir()}
    assert names == {"live-0000000001-0000000021.parquet"}


DEED = st.one_of(
    st.tuples(st.just("take"), st.integers(1, 9)),
    st.tuples(st.just("join"), st.tuples(st.integers(0, 4), st.integers(0, 4))),
    st.tuples(st.just("merge"), st.integers(2, 4)),
    st.tuples(st.just("forget"), st.none()),
    st.tuples(st.just("compact"), st.none()),
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(deeds=st.lists(DEED, min_size=4, max_size=14))
def test_taking_in_merging_and_joining_end_where_a_fresh_build_begins(
    deeds: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("company")
    company, persons = Company(folder), {}
    company.take(2)
    for deed, what in deeds:
        if deed == "take":
            company.take(what, skip=what % 3)
        elif deed == "join":
            a, b = (handle_id("crm", str(number)) for number in what)
            persons |= {each: min(a, b) for each in (a, b)}
            company.store.reassign([a, b], [min(a, b)] * 2)
        elif deed == "merge":
            merge_live_parts(company.lake, company.store, now=LONG_AGO, fan_in=what)
        elif deed == "forget":
            forget_covered(company.lake)
        else:
            company.store.compact()
        assert company.store.verify() == ()
    fresh = JourneyStore(folder / "fresh", company.lake)
    fresh.build(Identities.of(list(persons), list(persons.values())))
    assert fresh.digest() == company.store.digest()
    assert fresh.snapshot().interactions == company.store.snapshot().interactions
    with company.lake.connection() as connection:
        found = connection.execute("SELECT position FROM interactions").fetchall()
    assert [row[0] for row in found] == sorted(row[0] for row in found)


def test_of_a_handle_the_last_row_counts_before_and_after_a_merge(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    chance = random.Random(3)
    last: dict[int, int] = {}
    for number in range(12):
        changed = {chance.randrange(30): chance.randrange(100) for _ in range(4 if number else 30)}
        last |= changed
        rows = [
            {"handle": handle, "kind": "crm", "value": str(handle), "person": who} for handle, who in changed.items()
        ]
        lake.write_rows("handles", Stretch("handles", number, number).name, rows)
        if number % 4 == 3:
            told = merge_handles(lake, prefix="handles", now=LONG_AGO if number < 8 else NOW, fan_in=4)
            assert told is not None
        with lake.connection() as connection:
            found = connection.execute("SELECT handle, person FROM handles").fetchall()
        assert sorted(found) == sorted(last.items())
    assert merge_handles(lake, prefix="handles", now=NOW) is None
    assert lake.covered("handles") == ()


def test_what_is_merged_next_stays_small_and_ends() -> None:
    chance = random.Random(1)
    parts: list[int] = []
    written = 0
    for _ in range(3_000):
        parts.append(chance.choice((1, 50, 400)))
        while (chosen := next_merge(parts, fan_in=16, most_rows=20_000)) is not None:
            assert len(chosen) >= 2
            total = sum(parts[chosen.start : chosen.stop])
            assert total <= 20_000
            written += total
            parts[chosen.start : chosen.stop] = [total]
        assert len([count for count in parts if count <= 10_000]) < 60
    assert written < 6 * sum(parts)


def test_a_long_part_is_left_alone_and_what_does_not_fit_waits() -> None:
    assert next_merge([600, 10, 10], fan_in=2, most_rows=1_000) == range(1, 3)
    assert next_merge([600, 20], fan_in=2, most_rows=1_000) is None
    assert next_merge([400, 400, 400], fan_in=16, most_rows=1_000) == range(0, 2)


def test_only_the_longest_stretches_count() -> None:
    parts = ["live-0000000001-0000000002", "live-0000000001-0000000004", "live-0000000003-0000000004", "web-0002"]
    assert shown(parts) == ["live-0000000001-0000000004", "web-0002"]
    assert [each.last for each in stretches(parts, LIVE)] == [4]
    assert unmatched(parts, ["live-0000000001-0000000004"]) == ["web-0002"]
    assert unmatched(["live-0000000001-0000000004"], parts[:1]) == ["live-0000000001-0000000004"]
    assert merging.FAN_IN == 16
