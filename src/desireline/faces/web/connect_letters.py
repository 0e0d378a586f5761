"""The letters of a source on its page: how it stands with them, and the mailbox or port they come in by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desireline.project import Project
from desireline.vocabulary.errors import DesirelineError

ACTIONS = ("letters", "look", "no-letters")
_WORDS = {
    "imap": ("host", "port", "user", "password_env", "password_file", "folder", "security"),
    "smtp": ("port", "accepts"),
    "lmtp": ("port", "accepts"),
}


def letters_of(project: Project, source: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page of a source says of its letters; None for a source that takes none."""
    if source["dialect"] != "email":
        return None
    mail = source["mail"]
    condition = project.letters.conditions().get(source["name"]) if mail else None
    return {
        "words": {name: mail.get(name, "") for names in _WORDS.values() for name in names},
        "accepts": " ".join(mail.get("accepts", ())),
        "way": mail.get("way", ""),
        "says": project.letters.says(source),
        "failing": condition is not None and condition.is_failing,
        "place": condition.place if condition is not None else "",
    }


def change_letters(project: Project, source: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """Do what a form on the page of a source says: bring its letters in so, look for some now, or no more."""
    name, action = source["name"], words["action"]
    if action == "look":
        project.letters.look_now(name)
    elif action == "no-letters":
        project.sources.change(name, mail={})
    else:
        project.sources.change(name, mail=_mail_words(words))


def _mail_words(words: Mapping[str, str]) -> dict[str, Any]:
    way = words.get("way", "")
    given: dict[str, Any] = {name: words.get(name, "").strip() for name in _WORDS.get(way, ())}
    if given.get("port"):
        if not (given["port"].isascii() and given["port"].isdigit()):
            raise DesirelineError(f"'{given['port'][:20]}' is no port. Write a number, such as 993.")
        given["port"] = int(given["port"][:6])
    if "accepts" in given:
        given["accepts"] = given["accepts"].split()
    return {"way": way, **given}
