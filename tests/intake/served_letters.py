"""A project whose server brings letters in by itself, for the tests that look at it from all sides."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desireline.faces.serve import Serving, at_work
from desireline.project import Project, new_project
from intake.mail_servers import Mailbox

PORT = 8765


def letter(number: int, *, to: str = "help@bank.example") -> bytes:
    """A letter of a customer."""
    return (
        f"From: anna{number}@example.org\r\nTo: {to}\r\nMessage-ID: <m{number}@x>\r\nSubject: {number}\r\n"
        f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nletter {number}\r\n"
    ).encode()


def a_bank(folder: Path) -> Path:
    """A new project that knows its own addresses."""
    new_project(folder).state.close()
    settings = folder / "desireline.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + 'own_addresses: "@bank.example"\n', encoding="utf-8")
    return folder


def mailbox_words(box: Mailbox, **words: Any) -> dict[str, Any]:
    """How the mailbox of the test's mail server is fetched."""
    given = {"way": "imap", "host": "127.0.0.1", "port": box.port, "user": "anna", "security": "none"}
    return {**given, **({} if "password_file" in words else {"password_env": "MAIL_PASSWORD"}), **words}


@contextmanager
def served(folder: Path) -> Iterator[Serving]:
    """The project at work in this process, until the block ends."""
    project = Project(folder)
    try:
        with at_work(project, port=PORT) as serving:
            assert serving.live.wait_until_ready(120)
            yield serving
    finally:
        project.state.close()


def until(holds: Callable[[], object], *, seconds: float = 120.0) -> None:
    """Wait until something holds, as long as a busy machine may need."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        threading.Event().wait(0.05)


def keys(project: Project) -> Counter[str]:
    """How often each letter's id is in the lake."""
    with project.lake.connection() as connection:
        return Counter(str(row[0]) for row in connection.execute("SELECT source_key FROM interactions").fetchall())
