"""A mailbox file is imported like any export: with a recipe, a preview, a quarantine and an undo."""

from __future__ import annotations

import gzip
import json
import mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from desireline.intake import guess_recipe, import_file, preview, read_recipe, refused_rows, undo_import, write_recipe
from desireline.intake.mail import interactions_of_mail
from desireline.intake.mail.boxes import is_mailbox, letters
from desireline.storage.lake import Lake
from desireline.storage.state import State

NOW = 1_800_000_000_000


def letter(number: int, *, ours: bool = False, text: str = "Where is my card?") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = ("ben@bank.example", "anna@x.org") if ours else ("anna@x.org", "help@bank.example")
    message["Message-ID"] = f"<m{number}@x>"
    message["Subject"] = "Re: My card" if number else "My card"
    message["Date"] = f"Sun, 22 Nov 2026 10:{number:02d}:00 +0100"
    if 0 < number < 9:
        message["References"] = "<m0@x>"
    message.set_content(text)
    return message


def from_carl() -> EmailMessage:
    message = letter(9)
    message.replace_header("From", "carl@y.org")
    return message


def written(folder: Path) -> Path:
    """A mailbox of letters, one of them twice, and something that is no letter."""
    path = folder / "inbox.mbox"
    box = mailbox.mbox(path)
    for message in (
        letter(0, text="Where is my card?\n\nFrom Anna with love"),
        letter(1, ours=True, text="On its way.\n\nOn Sun, 22 Nov 2026 at 10:00, Anna <anna@x.org> wrote:\n> Where"),
        letter(2),
        letter(2),
        from_carl(),
    ):
        box.add(message)
    box.flush()
    with path.open("ab") as file:
        file.write(b"From nobody Sun Nov 22 10:00:00 2026\nthis is no letter\n\n")
    return path


def interactions(lake: Lake) -> list[dict[str, Any]]:
    with lake.connection() as connection:
        found = connection.execute("SELECT * FROM interactions ORDER BY occurred_at")
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_mailbox_is_guessed_imported_and_undone(tmp_path: Path) -> None:
    path = written(tmp_path)
    guess = guess_recipe(path)
    assert guess.recipe is not None
    assert guess.recipe.reading.own_addresses == ("@bank.example",)
    assert read_recipe(write_recipe(guess.recipe), name="mailbox") == guess.recipe
    assert preview(path, guess.recipe).columns["touchpoint"][0] == "email.received"
    lake, state = Lake(tmp_path / "data" / "lake"), State(tmp_path / "data" / "state.sqlite")
    report = import_file(lake=lake, state=state, path=path, recipe=guess.recipe, import_id="i1", received_at=NOW)
    assert (report.rows_read, report.made, report.already_known, report.rows_refused) == (6, 4, 1, 1)
    asked, answered, again, _ = interactions(lake)
    assert [row["touchpoint"] for row in (asked, answered, again)] == ["email.received", "email.sent", "email.received"]
    assert {row["about_case"] for row in (asked, answered, again)} == {"m0@x"}
    assert asked["text"] == "Where is my card?\n\nFrom Anna with love"
    assert (answered["answers"], answered["text"], answered["hands"]) == (True, "On its way.", "ben@bank.example")
    assert asked["handles"] == answered["handles"] == ["email:anna@x.org"]
    assert asked["zone"] == "+01:00"
    [refused] = refused_rows(state=state)
    assert refused.reason.startswith("no letter")
    later = import_file(lake=lake, state=state, path=path, recipe=guess.recipe, import_id="i2", received_at=NOW)
    assert (later.made, later.already_known) == (0, 5)
    assert undo_import(lake=lake, state=state, import_id="i1") == 4
    assert interactions(lake) == []


def test_a_letter_out_of_a_file_is_the_interaction_it_is_live(tmp_path: Path) -> None:
    path = tmp_path / "anna.eml"
    path.write_bytes(letter(1).as_bytes())
    guess = guess_recipe(path)
    assert guess.recipe is not None
    lake, state = Lake(tmp_path / "data" / "lake"), State(tmp_path / "data" / "state.sqlite")
    import_file(lake=lake, state=state, path=path, recipe=guess.recipe, import_id="i1", received_at=NOW)
    [from_file] = interactions(lake)
    [live] = interactions_of_mail(letter(1).as_bytes(), source="mail", own_addresses=["@bank.example"], received_at=NOW)
    same = set(live) - {"original_at", "zone", "position", "raw", "properties", "received_at"}
    assert {name: from_file[name] for name in same} == {name: live[name] for name in same}
    assert json.loads(from_file["properties"]) == json.loads(live["properties"])


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_letters_are_parted_where_they_begin(tmp_path: Path, ending: str) -> None:
    text = (
        "From a@x Sun Nov 22 10:00:00 2026\nSubject: one\n\nFrom here on, words.\n>From us, too.\n\nFrom now on\n\n"
        "From b@x Sun Nov 22 11:00:00 2026\nSubject: two\n\nbye\n"
    ).replace("\n", ending)
    path = tmp_path / "a.mbox"
    path.write_bytes(text.encode())
    one, two = letters(path)
    assert b"From now on" in one and b"From us, too." in one and b">From us" not in one
    assert two.startswith(b"From b@x")
    packed = tmp_path / "a.mbox.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert list(letters(packed, zipped=True)) == [one, two]
    guess = guess_recipe(packed)
    assert guess.reading.format == "mbox"


def test_a_maildir_holds_letters_too(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "mail")
    box.add(letter(0))
    box.add(letter(1))
    assert len(list(letters(tmp_path / "mail"))) == 2


def test_a_table_is_no_mailbox() -> None:
    assert not is_mailbox("from.csv", b"From,To,Date\na,b,2026\n")
    assert not is_mailbox("a.csv", b"From the desk of Anna\nx\n")
    assert not is_mailbox("a.eml", b"a,b,c\n1,2,3\n")
    assert is_mailbox("a.eml", b"Received: by mx\nFrom: a@x.org\n\nhi")
