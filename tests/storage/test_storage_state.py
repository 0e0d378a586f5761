"""The state store in both databases: all or nothing, one writer, readers wait for nobody, formats carry a version."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, update

from desireline.storage.import_book import ImportBook
from desireline.storage.state import (
    SAFE_SINCE,
    VERSION,
    State,
    StateDamaged,
    sqlite_in_use,
    sqlite_is_safe,
)
from desireline.storage.state_sqlite import LIBRARY
from desireline.storage.state_tables import STATE_VERSION
from desireline.vocabulary.errors import DesirelineError
from postgresql import URL_PASSWORD, Place
from state_versions import content, make_version_1, rows, tables

REFUSAL = {
    "digest": "d-1",
    "import_id": "live",
    "source": "web",
    "file": "live",
    "row": 3,
    "raw": "{}",
    "whole": True,
    "length": 2,
    "reason": "time.missing",
    "stage": "meaning",
    "status": "waiting",
    "changed_at": 1,
    "sequence": 17,
    "position": 3,
    "dialect": "segment",
}


def version(state: State) -> int:
    with state.reading() as connection:
        return int(connection.execute(select(STATE_VERSION.c.version)).scalar_one())


def test_a_new_state_store_has_todays_format(place: Place) -> None:
    state = place.open()
    assert version(state) == VERSION
    assert version(place.open()) == VERSION
    assert "a password" not in state.where


def test_sqlite_syncs_fully_and_readers_cannot_write(tmp_path: Path) -> None:
    state = State(tmp_path / "data" / "state.sqlite")
    with state.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    if sqlite_is_safe():
        with pytest.raises(Exception, match=r"readonly|cannot be written"), state.reading() as connection:
            connection.execute(update(STATE_VERSION).values(version=77))


def test_postgresql_confirms_only_what_is_on_disk(new_schema) -> None:
    state = State(new_schema())
    with state.writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    with state.reading() as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
        assert connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"


def test_what_fails_half_way_leaves_nothing(place: Place) -> None:
    state = place.open()
    with pytest.raises(ZeroDivisionError), state.writing() as connection:
        connection.execute(update(STATE_VERSION).values(version=77))
        _ = 1 // 0
    assert version(state) == VERSION


def test_a_block_inside_a_block_is_one_transaction(place: Place) -> None:
    state = place.open()
    with pytest.raises(ZeroDivisionError), state.writing():
        with state.writing() as inner:
            inner.execute(update(STATE_VERSION).values(version=77))
        assert version(state) == 77
        _ = 1 // 0
    assert version(state) == VERSION


def test_a_file_that_cannot_be_written_inside_a_block_is_told_as_it_is(place: Place) -> None:
    state = place.open()
    with pytest.raises(ConnectionResetError, match="a provider"), state.writing():
        raise ConnectionResetError("a provider hung up")


@pytest.mark.skipif(not sqlite_is_safe(), reason="with an old SQLite readers take turns with writers")
def test_who_reads_waits_for_nobody_and_sees_one_moment(place: Place) -> None:
    state, seen = place.open(), []
    with state.writing() as connection:
        connection.execute(update(STATE_VERSION).values(version=77))
        reader = threading.Thread(target=lambda: seen.append(version(state)))
        reader.start()
        reader.join(timeout=60)
        assert seen == [VERSION]
        connection.execute(update(STATE_VERSION).values(version=VERSION))
    with state.reading() as before:
        assert before.execute(select(STATE_VERSION.c.version)).scalar_one() == VERSION
        with state.writing() as connection:
            connection.execute(update(STATE_VERSION).values(version=78))
        assert version(state) == VERSION, "a block that reads sees one moment from its beginning to its end"
    assert version(state) == 78


def test_threads_and_processes_take_turns(place: Place) -> None:
    states = [place.open(), place.open()]
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


def test_projects_that_share_a_server_do_not_see_each_other(new_schema) -> None:
    ours, theirs = ImportBook(State(new_schema())), ImportBook(State(new_schema()))
    assert ours.keep_refusals([REFUSAL]) == 1
    assert theirs.refusals() == []


def test_a_newer_format_is_refused_with_advice(place: Place) -> None:
    state = place.open()
    with state.writing() as connection:
        connection.execute(update(STATE_VERSION).values(version=VERSION + 1))
    state.close()
    before = tables(place.where)
    with pytest.raises(DesirelineError, match=r"newer Desireline .* Update Desireline"):
        place.open()
    assert tables(place.where) == before


def test_a_store_of_version_1_is_copied_and_becomes_as_a_new_one(place: Place, tmp_path: Path) -> None:
    make_version_1(place.where, refusals=3)
    before = content(place.where)
    state = place.open()
    assert (version(state), content(place.where)) == (VERSION, before)
    fresh = State(tmp_path / "fresh.sqlite")
    assert {table: sorted(columns) for table, columns in tables(place.where).items()} == {
        table: sorted(columns) for table, columns in tables(tmp_path / "fresh.sqlite").items()
    }
    with state.reading() as ours, fresh.reading() as new:
        for table in inspect(new).get_table_names():
            assert _shape(ours, table) == _shape(new, table), table
    assert ImportBook(state).keep_refusals([REFUSAL]) == 1
    assert [each["number"] for each in ImportBook(state).refusals()] == [1, 2, 3, 4]
    kept = (
        rows(Path(f"{place.where}.version-1"), "SELECT version FROM state_version")
        if isinstance(place.where, Path)
        else rows(place.where, f"SELECT version FROM {place.where.rpartition('=')[2]}_version_1.state_version")
    )
    assert kept == [(1,)]


def _shape(connection, table: str) -> list[tuple[str, bool]]:
    looked = inspect(connection)
    unique = {tuple(each["column_names"]) for each in looked.get_unique_constraints(table)}
    columns = {(each["name"], each["nullable"]) for each in looked.get_columns(table)}
    key = set(looked.get_pk_constraint(table)["constrained_columns"])
    indexes = {tuple(each["column_names"]) for each in looked.get_indexes(table)} - unique
    return [sorted(each) for each in (unique, columns - {(name, True) for name in key}, key, indexes)]


def test_a_copy_holds_everything_and_fills_an_empty_store(place: Place, tmp_path: Path) -> None:
    state = place.open()
    odd = ['"', "\\", "NULL", "", "a\x00b", "\ud800", "\uf8f0", "{a,b}", " é€😀\r\n", "%s :name"]
    odd_rows = [{**REFUSAL, "digest": f"d-{number}", "raw": raw} for number, raw in enumerate(odd)]
    assert ImportBook(state).keep_refusals(odd_rows) == len(odd)
    assert [row["raw"] for row in ImportBook(state).refusals()] == odd
    state.copy_to(tmp_path / "copies" / "copy.sqlite")
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["copy.sqlite"]
    copy = State(tmp_path / "copies" / "copy.sqlite")
    assert ImportBook(copy).refusals() == ImportBook(state).refusals()
    with pytest.raises(DesirelineError, match="is not empty"):
        state.fill_from(copy)


def test_a_project_moves_from_one_database_to_the_other(new_schema, tmp_path: Path) -> None:
    old, new = State(tmp_path / "old.sqlite"), State(new_schema())
    ImportBook(old).keep_refusals([{**REFUSAL, "digest": str(each)} for each in range(6_000)])
    new.fill_from(old)
    assert ImportBook(new).refusals() == ImportBook(old).refusals()
    assert ImportBook(new).keep_refusals([REFUSAL]) == 1, "numbers go on where the copied ones end"


def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    State(tmp_path / "state.sqlite").close()
    (tmp_path / "state.sqlite").write_bytes(b"no database at all" * 1_000)
    with pytest.raises(StateDamaged, match="desireline rebuild"):
        State(tmp_path / "state.sqlite")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("mysql://me:secret@db/state", "must begin with postgresql://"),
        ("postgresql://db/state", "not a whole address"),
        ("postgresql://me:secret@db/state?schema=A-B", "cannot name a schema"),
        ("postgresql://me:secret@db/state?shcema=a", "unknown word 'shcema'"),
    ],
)
def test_a_wrong_address_is_refused_without_telling_the_password(address: str, says: str) -> None:
    with pytest.raises(DesirelineError, match=says) as refused:
        State(address)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("desireline:", "stranger:", "stranger"),
        (f":{URL_PASSWORD}@", "@", "password"),
        ("?", "?sslmode=require&", "Server refuses SSL"),
    ],
    ids=["a stranger", "no password", "no encryption"],
)
def test_a_server_that_refuses_us_is_told_at_once(new_schema, right: str, wrong: str, says: str) -> None:
    address = new_schema().replace(right, wrong)
    with pytest.raises(DesirelineError, match=rf"cannot be used: .*{says}.*state-on-postgresql"):
        State(address)


def test_doctor_can_tell_which_sqlite_is_used_and_whether_it_is_safe() -> None:
    module, number = sqlite_in_use()
    assert (module, number) == (LIBRARY.__name__.partition(".")[0], LIBRARY.sqlite_version)
    assert sqlite_is_safe() == (tuple(map(int, number.split("."))) >= SAFE_SINCE)
