"""The state store: all or nothing, one writer, formats carry a version."""

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, update

from desireline.storage.state import SAFE_SINCE, VERSION, State, sqlite_in_use, sqlite_is_safe
from desireline.storage.state_tables import STATE_VERSION
from desireline.vocabulary.errors import DesirelineError


def version(state: State) -> int:
    with state.reading() as connection:
        return int(connection.execute(select(STATE_VERSION.c.version)).scalar_one())


def test_a_new_state_store_has_todays_format_and_syncs_fully(tmp_path: Path) -> None:
    state = State(tmp_path / "data" / "state.sqlite")
    assert version(state) == VERSION
    with state.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    with pytest.raises(ZeroDivisionError), state.writing() as connection:
        connection.execute(update(STATE_VERSION).values(version=77))
        _ = 1 // 0
    assert version(state) == VERSION


def test_a_block_inside_a_block_is_one_transaction(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    with pytest.raises(ZeroDivisionError), state.writing():
        with state.writing() as inner:
            inner.execute(update(STATE_VERSION).values(version=77))
        _ = 1 // 0
    assert version(state) == VERSION


def test_threads_and_processes_take_turns(tmp_path: Path) -> None:
    states = [State(tmp_path / "state.sqlite"), State(tmp_path / "state.sqlite")]
    with states[0].writing() as connection:
        connection.exec_driver_sql("CREATE TABLE counted (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counted VALUES (0)")

    def count(state: State) -> None:
        for _ in range(20):
            with state.writing() as connection:
                n = connection.exec_driver_sql("SELECT n FROM counted").scalar_one()
                connection.exec_driver_sql(f"UPDATE counted SET n = {n + 1}")

    workers = [threading.Thread(target=count, args=(state,)) for state in states for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with states[0].reading() as connection:
        assert connection.exec_driver_sql("SELECT n FROM counted").scalar() == 80


def test_a_newer_format_is_refused_with_advice(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    with state.writing() as connection:
        connection.execute(update(STATE_VERSION).values(version=VERSION + 1))
    state.close()
    with pytest.raises(DesirelineError, match="Update Desireline"):
        State(tmp_path / "state.sqlite")


def test_an_older_format_is_copied_and_then_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    State(tmp_path / "state.sqlite").close()
    monkeypatch.setattr("desireline.storage.state.VERSION", VERSION + 1)
    steps = {VERSION: lambda connection: connection.exec_driver_sql("CREATE TABLE added (n INTEGER)")}
    monkeypatch.setattr("desireline.storage.state.MIGRATIONS", steps)
    state = State(tmp_path / "state.sqlite")
    assert version(state) == VERSION + 1
    with state.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM added").scalar() == 0
    copy = sqlite3.connect(tmp_path / f"state.sqlite.version-{VERSION}")
    assert copy.execute("SELECT version FROM state_version").fetchall() == [(VERSION,)]
    copy.close()


def test_doctor_can_tell_whether_sqlite_is_safe() -> None:
    module, version_of_it = sqlite_in_use()
    assert module in ("pysqlite3", "sqlite3")
    assert sqlite_is_safe() == (tuple(map(int, version_of_it.split("."))) >= SAFE_SINCE)
