"""What is tried again and what is passed over: a database that cannot do its work just now loses no change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pg8000
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from desireline.storage.passing import may_pass
from desireline.storage.state import Patience, State
from desireline.storage.state_postgresql import PostgreSQL
from desireline.storage.state_tables import SEEN


def told(error: Exception) -> BaseException:
    database = PostgreSQL("postgresql://ana@x.example/bank", schema="", patience=Patience())
    return database._told_plainly(error)


def said_by_server(code: str) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, pg8000.DatabaseError({"C": code, "M": "as the server says it"}))


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("53100", True),  # disk full
        ("53200", True),  # out of memory
        ("55P03", True),  # lock not available
        ("57014", True),  # statement cancelled
        ("40001", True),  # could not serialise
        ("25006", True),  # read only
        ("58030", True),  # cannot read or write
        ("22003", False),  # number out of range
        ("23505", False),  # key is there already
        ("42703", False),  # no such column
    ],
)
def test_what_a_server_cannot_do_just_now_may_pass_and_what_is_wrong_in_itself_may_not(
    code: str, *, passes: bool
) -> None:
    assert may_pass(told(said_by_server(code))) is passes


def test_too_many_questions_at_once_may_pass() -> None:
    assert may_pass(told(NoneFree()))


def test_a_change_that_takes_a_server_too_long_is_tried_again_not_passed_over(new_schema: Callable[[], str]) -> None:
    state = State(new_schema())
    with pytest.raises(Exception) as refused, state.writing() as connection:
        connection.execute(insert(SEEN).values(id=1, content=1, sequence=1))
        connection.execute(text("SET LOCAL statement_timeout = 1"))
        connection.execute(text("SELECT pg_sleep(5)"))
    assert may_pass(refused.value)
    with state.reading() as connection:
        assert connection.execute(SEEN.select()).first() is None


def test_readers_that_find_no_free_connection_are_told_and_may_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path / "state.sqlite")

    def none_free() -> None:
        raise NoneFree

    monkeypatch.setattr(state._database._readers, "connect", none_free)
    with pytest.raises(Exception) as refused, state.reading():
        pass
    assert may_pass(refused.value)
    assert "at once" in str(refused.value)


@pytest.mark.parametrize("name", ["really?", "50%", "a#b", "späti & co"])
def test_a_state_store_lies_where_it_is_said_to_lie_whatever_its_folder_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "state.sqlite"
    state = State(path)
    with state.writing() as connection:
        connection.execute(insert(SEEN).values(id=1, content=1, sequence=1))
    state.copy_to(tmp_path / name / "copy.sqlite")
    state.close()
    assert {each.name for each in tmp_path.iterdir()} == {name}
    for each in (path, tmp_path / name / "copy.sqlite"):
        again = State(each)
        with again.reading() as connection:
            assert connection.execute(SEEN.select()).all() == [(1, 1, 1)]
        again.close()
