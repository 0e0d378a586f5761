"""A small bank with a story: who loses a card is promised that it is blocked in five minutes, and a call in two days.

Of forty people, person n reports on day n; every fourth is blocked too late, every tenth is never called,
every fifth reports by phone, the others in the app. The last two reported so lately that their call still waits.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from desireline.project.project import Project, new_project

PEOPLE = 40
BEGINS = datetime(2025, 1, 1, 10, 0, tzinfo=UTC)
NASTY = "<script>alert(1)</script>"

MAP = """\
map: lost-card
says: Whoever loses a card is safe at once.
begins: {touchpoint: card.reported_lost}
ends: {touchpoint: card.first_use}
quiet_after: 30 days
phases:
  - phase: Alarm
    steps:
      - {step: report, touchpoint: card.reported_lost}
      - {step: blocked, touchpoint: card.blocked}
      - {step: called, touchpoint: customer.called}
  - phase: Paying again
    steps:
      - {step: first-use, touchpoint: card.first_use}
promises:
  - promise: blocked-at-once
    at: Alarm/report
    says: Your card is blocked within five minutes.
    when: {touchpoint: card.reported_lost}
    then: {touchpoint: card.blocked}
    within: 5 minutes
    keep: 95 %
  - promise: a-call
    at: Alarm/called
    says: A person calls you within two days.
    when: {touchpoint: card.reported_lost}
    then: {touchpoint: customer.called, channel: phone}
    within: 2 days
"""


def late(number: int) -> bool:
    """Whether the card of a person was blocked too late."""
    return number % 4 == 0


def called(number: int) -> bool:
    """Whether a person was called."""
    return number % 10 != 0 and number < PEOPLE - 1


def channel_of(number: int) -> str:
    """The channel a person reported on."""
    return "phone" if number % 5 == 0 else "app"


def rows() -> list[tuple[str, ...]]:
    """The export: moment, e-mail, direction, channel, touchpoint, words."""
    made: list[tuple[datetime, str, str, str, str, str]] = []
    for number in range(1, PEOPLE + 1):
        email, channel = f"person{number}@bank.example", channel_of(number)
        opened = BEGINS + timedelta(days=number)
        blocked = opened + timedelta(minutes=30 if late(number) else 2)
        words = NASTY if number == 1 else "lost it"
        made.append((opened, email, "inbound", channel, "card.reported_lost", words))
        made.append((blocked, email, "outbound", channel, "card.blocked", ""))
        if called(number):
            made.append((opened + timedelta(days=1), email, "outbound", "phone", "customer.called", ""))
            made.append((opened + timedelta(days=1, hours=4), email, "inbound", "web", "page.viewed", ""))
        if number < PEOPLE - 10:
            made.append((opened + timedelta(days=9), email, "inbound", "branch", "card.first_use", ""))
    return [(row[0].strftime("%Y-%m-%d %H:%M:%S"), *row[1:]) for row in made]


def export_text() -> str:
    """The export as CSV."""
    lines = ["time,email,direction,channel,touchpoint,text"]
    lines += [",".join(row) for row in rows()]
    return "\n".join(lines) + "\n"


def make_small_bank(folder: Path) -> Project:
    """Make the project, take its export in and judge it."""
    project = new_project(folder)
    (folder / "maps" / "lost-card.yaml").write_text(MAP, encoding="utf-8")
    export = folder.parent / f"{folder.name}-cards.csv"
    export.write_text(export_text(), encoding="utf-8")
    guess = project.imports.guess(export)
    assert guess.recipe is not None
    project.imports.take([(export, guess.recipe)])
    return project
