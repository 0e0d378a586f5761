"""The how-to page matches the code: what it tells people to write is accepted, and its figures are the limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from desireline.outreach import CHANGES, KINDS, Limits
from desireline.outreach.channels.email import MailServer, Security
from desireline.outreach.retries import TIMEOUT_SECONDS
from desireline.project.file import read_project_file
from outreach.listening import Clock, outbox_in

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "tell-whoever-listens.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_every_change_on_the_page_is_accepted(tmp_path: Path) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock)
    changes = [json.loads(text) for text in blocks("json")]
    for change in changes:
        outbox.check(change, at=clock())
        outbox.apply(change, at=clock())
    assert [each.name for each in outbox.listeners()] == ["help-desk"]
    assert all(word in PAGE for word in CHANGES)
    assert all(f"`{kind}`" in PAGE for kind in KINDS if kind != "listener.test")


def test_the_mail_server_on_the_page_is_read(tmp_path: Path) -> None:
    (tmp_path / "desireline.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    file = read_project_file(tmp_path / "desireline.yaml")
    server = MailServer.from_words(file.mail)
    assert server is not None
    assert (server.host, server.port, server.sender) == (
        "smtp.harbour.example",
        587,
        "Harbour Bank <promises@harbour.example>",
    )
    assert server.security in get_args(Security)
    assert MailServer.from_words({}) is None


def test_the_figures_on_the_page_are_the_limits() -> None:
    limits = Limits()
    assert (limits.most_attempts, limits.patience, limits.first_wait) == (20, 3 * 86_400_000, 5_000)
    assert (limits.longest_wait, limits.longest_asked_wait) == (4 * 3_600_000, 86_400_000)
    assert (limits.failures_to_open, limits.failing_to_open, limits.open_first) == (5, 20_000, 30_000)
    assert (limits.open_longest, TIMEOUT_SECONDS, limits.singles_a_minute) == (300_000, 10.0, 5)
    assert limits.tell_within == 86_400_000
    assert "After 20 tries or 3 days of trying" in PAGE
