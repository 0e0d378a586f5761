"""The books of the state store, in both databases: sources, what was seen, how far the log is applied, refusals."""

from pathlib import Path

import pytest
from sqlalchemy import event

from desireline.storage.forgetting import APPLIED, forget_applied
from desireline.storage.import_book import ImportBook
from desireline.storage.mailbox_tables import MAILBOXES
from desireline.storage.outbox_book import OutboxBook
from desireline.storage.outbox_tables import ATTEMPTS, LISTENERS, NOTICES, OUTBOX
from desireline.storage.progress_book import ProgressBook
from desireline.storage.seen_book import SeenBook
from desireline.storage.source_book import SourceBook
from desireline.storage.state import State
from desireline.storage.state_tables import METADATA, STATE_VERSION
from desireline.vocabulary.errors import DesirelineError
from postgresql import Place

WEB = {"name": "web", "dialect": "segment", "key": "wk_1", "created_at": 5}
SHOP = {**WEB, "name": "shop", "key": "wk_2", "origins": ["https://shop.example"], "per_second": 50}


def test_a_source_is_found_by_its_key_and_can_be_changed(place: Place) -> None:
    book = SourceBook(place.open())
    book.add(WEB)
    book.add(SHOP)
    assert [source["name"] for source in book.sources()] == ["shop", "web"]
    found = book.by_key("wk_2")
    assert found is not None
    assert (found["name"], found["origins"], found["enabled"]) == ("shop", ["https://shop.example"], True)
    book.change("shop", key="wk_3", enabled=False, origins=[])
    assert book.by_key("wk_2") is None
    assert book.sources(enabled=True) == [book.by_name("web")]


def test_a_name_or_key_belongs_to_one_source(place: Place) -> None:
    book = SourceBook(place.open())
    book.add(WEB)
    book.add({**SHOP, "key": None})
    book.add({**SHOP, "name": "mail", "key": None})
    with pytest.raises(DesirelineError, match="a source 'web' already"):
        book.add({**WEB, "key": "wk_9"})
    with pytest.raises(DesirelineError, match="'web' has this write key"):
        book.change("shop", key="wk_1")
    with pytest.raises(DesirelineError, match=r"no source 'wbe'\. Did you mean 'web'"):
        book.change("wbe", enabled=False)
    book.change("web", key="wk_1", says="unchanged key")


def test_a_repeat_is_known_and_a_conflict_told_by_its_content(place: Place) -> None:
    book = SeenBook(place.open())
    assert book.add([(17, 4711, 1), (2**63 - 1, 1, 1)]) == 2
    assert book.add([(17, 9999, 2), (18, 1, 2), (18, 2, 3)]) == 1
    assert book.known([17, 18, 19, 2**63 - 1]) == {17: 4711, 18: 1, 2**63 - 1: 1}
    assert book.known([]) == {}
    book.forget()
    assert book.known([17]) == {}


def test_tens_of_thousands_are_seen_in_one_go(place: Place) -> None:
    book = SeenBook(place.open())
    rows = [(number * 7_919 % 2**63, number, number) for number in range(1, 20_001)]
    assert book.add(rows) == 20_000
    assert book.add(rows) == 0
    assert book.known(row[0] for row in rows) == {row[0]: row[1] for row in rows}


def test_progress_goes_forward_or_begins_anew(place: Place) -> None:
    book = ProgressBook(place.open())
    assert book.reached("live") == 0
    book.reach("live", 7, at=1_000)
    book.reach("live", 7)
    assert (book.reached("live"), book.reached("live", version=2), book.reached("other")) == (7, 0, 0)
    with pytest.raises(AssertionError, match="back from 7 to 6"):
        book.reach("live", 6)
    book.reach("live", 3, version=2)
    assert (book.reached("live"), book.reached("live", version=2)) == (0, 3)
    book.forget("live")
    assert book.reached("live", version=2) == 0


def test_progress_and_effects_are_in_one_transaction(place: Place) -> None:
    state = place.open()
    seen, progress = SeenBook(state), ProgressBook(state)
    with pytest.raises(ZeroDivisionError), state.writing():
        seen.add([(1, 1, 1)])
        progress.reach("live", 1)
        _ = 1 // 0
    assert (seen.known([1]), progress.reached("live")) == ({}, 0)


def test_a_message_refused_live_says_where_in_the_log_it_lies(tmp_path: Path, new_schema) -> None:
    refused = {
        "digest": "a",
        "import_id": "live",
        "source": "web",
        "file": "live",
        "row": 4,
        "raw": '{"event": 7}',
        "whole": True,
        "length": 12,
        "reason": "event.not_text",
        "stage": "meaning",
        "status": "waiting",
        "changed_at": 1,
        "sequence": 2**40,
        "position": 4,
        "dialect": "segment",
    }
    for state in (State(tmp_path / "state.sqlite"), State(new_schema())):
        book = ImportBook(state)
        assert (book.keep_refusals([refused]), book.keep_refusals([refused])) == (1, 0)
        (found,) = book.refusals(dialect="segment")
        assert {**refused, "number": 1, "replayed_by": None} == found
        assert book.reasons() == [{"reason": "event.not_text", "rows": 1}]
        assert book.change_refusals([1], status="discarded") == 1


def test_many_refusals_are_changed_in_a_few_statements(place: Place) -> None:
    state = place.open()
    book = ImportBook(state)
    refusal = {
        "import_id": "live", "source": "web", "file": "live", "row": 1, "raw": "{}", "whole": True, "length": 2,
        "reason": "time.missing", "stage": "meaning", "status": "waiting", "changed_at": 1,
    }  # fmt: skip
    book.keep_refusals([{**refusal, "digest": str(each)} for each in range(6_000)])
    numbers = [row["number"] for row in book.refusals()]
    statements: list[str] = []
    with state.writing() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
        assert book.change_refusals([*numbers[1:], numbers[1], 10**9], status="discarded") == 5_999
    assert sum("UPDATE refusals" in each for each in statements) == 2
    assert [len(book.refusals(status=each)) for each in ("waiting", "discarded")] == [1, 5_999]
    assert book.change_refusals([], status="discarded") == 0


def test_a_rebuild_begins_the_ledger_anew_also_for_whoever_is_told_of_it(place: Place) -> None:
    state = place.open()
    OutboxBook(state).have_told("ledger_rows", "000057")
    ProgressBook(state).reach("record", 9)
    forget_applied(state)
    assert (OutboxBook(state).told_so_far("ledger_rows"), ProgressBook(state).reached("record")) == ("", 0)


def test_every_table_is_forgotten_by_a_rebuild_or_holds_what_the_log_cannot_tell() -> None:
    kept = {STATE_VERSION, LISTENERS, NOTICES, OUTBOX, ATTEMPTS, MAILBOXES}
    assert kept.isdisjoint(APPLIED)
    assert kept | set(APPLIED) == set(METADATA.sorted_tables)
