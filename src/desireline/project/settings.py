"""What readers of live messages need of the project file; every change of it is written down, so a rebuild knows."""

from __future__ import annotations

import json
from email.utils import parseaddr
from typing import TYPE_CHECKING

from desireline.project.file import ProjectFile
from desireline.storage.progress_book import ProgressBook
from desireline.storage.versions import SavedVersion, Versions
from desireline.vocabulary.country_codes import country_code

if TYPE_CHECKING:
    from pathlib import Path

    from desireline.project.project import Project
    from desireline.project.record import Record

SETTINGS = "settings"
VERSIONS = "versions"
"""The name under which the state store counts the saved versions, so that a lost one is noticed."""


def settings_of(file: ProjectFile) -> dict[str, str]:
    """The settings of a project file that live messages are read by."""
    return {
        "time_zone": file.time_zone,
        "currency": file.currency,
        "country_code": country_code(file.country),
        "own_addresses": " ".join(own_addresses(file)),
    }


def own_addresses(file: ProjectFile) -> list[str]:
    """The company's own e-mail addresses: those that are named, and the one that notices are sent from."""
    sender = parseaddr(str(file.mail.get("from", "")))[1]
    return list(dict.fromkeys([*file.own_addresses.replace(",", " ").split(), *([sender] if sender else [])]))


def keep_settings(project: Project) -> None:
    """Write the settings down when they changed; the project is held.

    What came in before is read by the settings before, now as in a rebuild.
    """
    now = settings_of(project.file)
    history = Versions(project.data / "versions").of(SETTINGS)
    if not history or json.loads(history[-1].text) != now:
        text = json.dumps(now, sort_keys=True)
        project.record.change("version", {"name": SETTINGS, "saved_at": project.now()}, body=text.encode())


class LoggedVersions(Versions):
    """Versions of documents, each written to the log of record before it is saved."""

    def __init__(self, folder: Path, record: Record) -> None:
        super().__init__(folder)
        self.record = record

    def save(self, name: str, text: str, *, saved_at: int) -> SavedVersion:
        """Keep a text as the newest version of a document; in the log and on disk when this returns."""
        self.record.note("version", {"name": name, "saved_at": saved_at}, body=text.encode())
        return self.save_applied(name, text, saved_at=saved_at)

    def save_applied(self, name: str, text: str, *, saved_at: int) -> SavedVersion:
        """Keep a text that is in the log already, and count it."""
        saved = super().save(name, text, saved_at=saved_at)
        book = ProgressBook(self.record.project.state)
        book.reach(VERSIONS, book.reached(VERSIONS) + 1)
        return saved
