"""What is known of a mailbox stays known, in both databases: how far it is read, how many letters, what is wrong."""

from __future__ import annotations

from desireline.storage.forgetting import forget_applied
from desireline.storage.mailbox_book import MailboxBook
from desireline.storage.source_book import SourceBook
from postgresql import Place


def test_letters_add_up_and_the_rest_is_as_it_was_last_told(place: Place) -> None:
    book = MailboxBook(place.open())
    assert book.of("help") is None
    book.keep("help", {"place": "anna@mail", "numbering": 7, "last": 3}, more_letters=3)
    book.keep("help", {"failing_since": 5, "tries": 1, "fault": "nobody answers"})
    book.keep("help", {"last": 9, "failing_since": None, "tries": 0, "fault": ""}, more_letters=6)
    book.keep("post", {"letter_at": 2}, more_letters=1)
    found = book.of("help")
    assert found is not None
    assert (found["place"], found["numbering"], found["last"], found["letters"]) == ("anna@mail", 7, 9, 9)
    assert (found["failing_since"], found["fault"]) == (None, "")
    assert list(book.all()) == ["help", "post"]


def test_a_rebuild_leaves_what_the_log_does_not_know(place: Place) -> None:
    state = place.open()
    SourceBook(state).add({"name": "help", "dialect": "email", "created_at": 1, "mail": {"way": "imap"}})
    MailboxBook(state).keep("help", {"last": 3}, more_letters=3)
    assert SourceBook(state).sources()[0]["mail"] == {"way": "imap"}
    forget_applied(state)
    assert SourceBook(state).sources() == []
    assert MailboxBook(state).all()["help"]["last"] == 3
