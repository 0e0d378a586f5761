"""Faults of the state store: migrations and writing killed, full disks, servers and networks that go away.

F8 and F11 of docs/reference/faults.md, and the kills of F1 as far as they concern the state store.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import insert

from desireline.storage.progress_book import ProgressBook
from desireline.storage.state import VERSION, Patience, State, StateLost
from desireline.storage.state_tables import SEEN
from desireline.storage.state_waiting import Pace
from desireline.vocabulary.errors import DesirelineError, WorkFailed
from faults.cut_network import Between, between
from faults.forms import how_many
from faults.state_children import ROWS_AT_ONCE, Children, children
from faults.state_writer import PATIENT, Writer, everything_is_there_once
from postgresql import Place, Server
from state_versions import bare, content, make_version_1, rows, tables


@pytest.fixture(scope="module")
def young() -> Iterator[Children]:
    with children() as found:
        yield found


class Older:
    """State stores of version 1 with the same content, as many as are asked for."""

    def __init__(self, place: Place, new_schema: Callable[[], str], folder: Path, *, refusals: int) -> None:
        self.database, self._new_schema, self._refusals = place.database, new_schema, refusals
        self._pattern = folder / "pattern" / "state.sqlite"
        self._folder, self._made = folder, 0
        make_version_1(self._pattern, refusals=refusals)
        self.content = content(self._pattern)
        self.tables = tables(self._pattern)
        State(folder / "today.sqlite").close()
        self.tables_today = tables(folder / "today.sqlite")

    def another(self) -> Path | str:
        if self.database == "postgresql":
            address = self._new_schema()
            make_version_1(address, refusals=self._refusals)
            return address
        self._made += 1
        folder = self._folder / str(self._made)
        shutil.copytree(self._pattern.parent, folder)
        return folder / "state.sqlite"

    def version_of(self, where: Path | str) -> int:
        """The version that lies there, after making sure that all of it is of this version."""
        ((version,),) = rows(where, "SELECT version FROM state_version")
        found = {table: sorted(columns) for table, columns in tables(where).items()}
        wanted = self.tables if version == 1 else self.tables_today
        assert found == {table: sorted(columns) for table, columns in wanted.items()}
        assert content(where) == self.content
        return int(version)


@pytest.fixture
def older(place: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Older:
    new_schema = request.getfixturevalue("new_schema") if place.database == "postgresql" else str
    return Older(place, new_schema, tmp_path / "older", refusals=300)


def test_F8_a_migration_killed_at_any_moment_leaves_the_old_or_the_new_format(older: Older, young: Children) -> None:
    kills = how_many(20 if older.database == "sqlite" else 8, 100)
    lasts = young.work("open", older.another(), kill_after_seconds=30.0)
    assert lasts is not None
    found = []
    for kill in range(kills):
        where = older.another()
        soon = lasts * 1.5 * kill / kills
        young.work("open", where, kill_after_seconds=soon if kill < kills - 1 else 30.0)
        found.append(older.version_of(where))
        if found[-1] == VERSION and isinstance(where, Path):
            assert older.version_of(where.with_name("state.sqlite.version-1")) == 1
        State(where).close()
        assert older.version_of(where) == VERSION
    assert set(found) == {1, VERSION}, "some kills came in time, the last one too late"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 16 MB."""
    with tempfile.TemporaryDirectory(prefix="desireline-disk-", ignore_cleanup_errors=True) as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount).returncode:
            pytest.skip("a small disk can be mounted by root only")
        Path(folder).chmod(0o755)
        yield Path(folder)
        subprocess.run(["umount", "--lazy", folder], check=True)


class Ballast:
    """A file that fills a disk but for so much."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "ballast"

    def fill(self, *, leave_kilobytes: int) -> None:
        free = shutil.disk_usage(self._file.parent).free - leave_kilobytes * 1_024
        self._file.write_bytes(bytes(max(0, free)))

    def take_away(self) -> None:
        self._file.unlink()


def test_F8_a_disk_that_fills_during_a_migration_leaves_the_old_or_the_new_format(
    small_disk: Path, tmp_path: Path
) -> None:
    older = Older(Place("sqlite", small_disk), str, tmp_path / "older", refusals=1_000)
    ballast, found, tries = Ballast(small_disk), [], how_many(24, 120)
    for each in range(tries):
        shutil.copytree(tmp_path / "older" / "pattern", small_disk / "project")
        where = small_disk / "project" / "state.sqlite"
        ballast.fill(leave_kilobytes=720 * each // tries)
        try:
            State(where).close()
        except WorkFailed as error:
            assert "cannot be written" in str(error)
        ballast.take_away()
        found.append(older.version_of(where))
        State(where).close()
        assert older.version_of(where) == VERSION
        assert older.version_of(where.with_name("state.sqlite.version-1")) == 1
        shutil.rmtree(where.parent)
    assert (found[0], found[-1]) == (1, VERSION)


def test_F8_a_servers_disk_that_fills_during_a_migration_leaves_the_old_or_the_new_format(
    small_disk: Path, tmp_path: Path, own_postgresql: Server
) -> None:
    postgresql = own_postgresql
    (small_disk / "tables").mkdir()
    shutil.chown(small_disk / "tables", postgresql.user)
    with database_on(postgresql, small_disk / "tables"):
        numbers = iter(range(1_000))
        older = Older(
            Place("postgresql", ""),
            lambda: postgresql.address(schema=f"full_{next(numbers)}", database="small"),
            tmp_path / "older",
            refusals=1_000,
        )
        ballast, found = Ballast(small_disk), []
        for kilobytes in (0, 64, 200, 2_400):
            where = older.another()
            ballast.fill(leave_kilobytes=kilobytes)
            try:
                State(where).close()
            except WorkFailed as error:
                assert "cannot do this now" in str(error)
            found.append(older.version_of(where))
            ballast.take_away()
            State(where).close()
            assert older.version_of(where) == VERSION
        assert (found[0], found[-1]) == (1, VERSION)


@contextmanager
def database_on(server: Server, disk: Path) -> Iterator[None]:
    def say(*statements: str) -> None:
        with bare(server.address(schema="public")) as connection:
            connection.commit()
            connection.autocommit = True
            for statement in statements:
                connection.cursor().execute(statement)
            connection.autocommit = False

    say(f"CREATE TABLESPACE small LOCATION '{disk}'", "CREATE DATABASE small TABLESPACE small")
    try:
        yield
    finally:
        say("DROP DATABASE small WITH (FORCE)", "DROP TABLESPACE small")


def test_F1_rows_and_their_progress_agree_after_every_kill(place: Place, young: Children) -> None:
    """On a machine so busy that nothing was written before any kill, later ones come later, until something was."""
    place.open().close()
    kills, kill, before = how_many(10, 200), 0, 0
    while kill < kills or (before == 0 and kill < kills + 30):
        seconds = 0.02 + 0.011 * (kill % 20) + 0.2 * max(0, kill - kills)
        assert young.work("write", place.where, kill_after_seconds=seconds) is None
        # One question: a server may still be committing what a killed client asked for last.
        ((reached, counted, last),) = rows(
            place.where, "SELECT (SELECT sequence FROM progress), count(*), max(sequence) FROM seen"
        )
        assert (counted, last) == ((reached or 0) * ROWS_AT_ONCE, reached)
        reached = reached or 0
        assert reached >= before
        kill, before = kill + 1, reached
    assert before > 0


def test_F11_a_server_that_restarts_costs_nothing_but_time(postgresql: Server, new_schema: Callable[[], str]) -> None:
    address = new_schema()
    writer = Writer(address)
    for _ in range(how_many(1, 10)):
        for mode in ("fast", "immediate"):
            writer.goes_on()
            postgresql.restart(mode)
            writer.goes_on()
    everything_is_there_once(address, writer.stop())


def test_F11_a_network_that_is_cut_costs_nothing_but_time(postgresql: Server, new_schema: Callable[[], str]) -> None:
    address = new_schema()
    with between(postgresql.port) as network:
        writer = Writer(through(network, address))
        for each in range(how_many(1, 10)):
            writer.goes_on()
            started = len(network.attempts)
            network.reset()
            writer.goes_on()
            network.stay("silent", seconds=how_many(2, 3 + 3 * each))
            writer.goes_on()
            network.stay("refusing", seconds=how_many(2, 5))
            writer.goes_on()
            network.way = "slow"
            writer.goes_on()
            network.way = "open"
            writer.goes_on()
            never_hotly(network.attempts[started:])
        everything_is_there_once(address, writer.stop())


def through(network: Between, address: str) -> str:
    head, _, tail = address.partition("127.0.0.1:")
    return f"{head}127.0.0.1:{network.port}/{tail.partition('/')[2]}"


def never_hotly(attempts: list[float]) -> None:
    assert len(attempts) >= 2
    gaps = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert min(gaps) >= 0.75 * PATIENT.least_seconds, gaps


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_F11_a_commit_whose_answer_is_lost_is_looked_up(
    lost: Literal["request", "answer"], postgresql: Server, new_schema: Callable[[], str]
) -> None:
    address = new_schema()
    with between(postgresql.port) as network:
        state = connected(through(network, address), PATIENT)
        network.lose_once(COMMIT, lost)
        told = pytest.raises(StateLost, match="Nothing was changed") if lost == "request" else nullcontext()
        with told, state.writing() as connection:
            connection.execute(insert(SEEN).values(id=1, content=1, sequence=1))
        assert network.lose is None
        assert rows(address, "SELECT count(*) FROM seen") == [(int(lost == "answer"),)]
        network.lose_once(COMMIT, lost)
        state.carry_out(lambda connection: connection.execute(insert(SEEN).values(id=2, content=1, sequence=1)))
        assert rows(address, "SELECT count(*) FROM seen WHERE id = 2") == [(1,)]


COMMIT = b"\0commit\0"


def connected(address: str, patience: Patience) -> State:
    state = State(address, patience=patience)
    with state.writing():
        return state


def test_F11_when_it_is_not_known_whether_a_change_is_in_that_is_said(
    postgresql: Server, new_schema: Callable[[], str]
) -> None:
    with between(postgresql.port) as network:
        state = connected(through(network, new_schema()), Patience(silence_seconds=1.0, give_up_seconds=0.5))
        network.lose_once(COMMIT, "answer")
        network.way = "refusing"
        with pytest.raises(StateLost, match="only the state store can tell") as told, state.writing():
            ProgressBook(state).reach("live", 7)
        assert (told.value.certain, told.value.again) == (False, False)
        network.way = "open"
        assert ProgressBook(state).reached("live") == 7


def test_F11_many_who_ask_again_and_again_try_the_server_once_a_second(
    postgresql: Server, new_schema: Callable[[], str]
) -> None:
    with between(postgresql.port) as network:
        state = State(through(network, new_schema()), patience=Patience(silence_seconds=1.0, give_up_seconds=0.2))
        network.way = "refusing"
        network.reset()
        before, stop_at, told = len(network.attempts), time.monotonic() + how_many(4, 30), []

        def ask() -> None:
            while time.monotonic() < stop_at:
                try:
                    ProgressBook(state).reached("live")
                except StateLost as lost:
                    told.append(str(lost))

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert told
        never_hotly([attempt for attempt in network.attempts[before:] if attempt > network.attempts[before] + 0.5])
        network.way = "open"
        assert ProgressBook(state).reached("live") == 0


def test_F11_the_pause_grows_and_chance_keeps_servers_from_coming_back_together() -> None:
    now, pauses = [0.0], []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    pace = Pace(Patience(clock=lambda: now[0], pause=pause, chance=lambda: 0.5))
    pace.wait()
    for _ in range(6):
        pace.failed()
        pace.wait()
    assert pauses == [1.25, 2.5, 5.0, 10.0, 10.0, 10.0]
    pace.well()
    pace.failed()
    pace.wait()
    assert pauses[-1] == 1.25


def test_F11_a_server_that_was_never_there_is_told_in_a_sentence() -> None:
    with pytest.raises(DesirelineError, match=r"does not answer: .*refused.*Nothing was changed"):
        State("postgresql://me:secret@127.0.0.1:9/state", patience=Patience(give_up_seconds=0.0))
