"""The project file, `desireline.yaml`: read as a whole, every mistake told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from desireline.project.mail_words import mail_mistakes, public_url_mistakes
from desireline.storage.documents import Document
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

FILE_NAME = "desireline.yaml"
FORMAT = 1
WORDS = (
    "format",
    "name",
    "time_zone",
    "currency",
    "country",
    "calendar",
    "calendars",
    "journey_gap",
    "state",
    "public_url",
    "mail",
    "own_addresses",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENVIRONMENT_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_HOURS = re.compile(r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """What a project says of itself.

    time_zone: of times that come without one. currency: ISO 4217, of amounts that come without one.
    country: ISO 3166 two letters, of phone numbers without a country code. calendars: opening hours by
    name; `calendar` names the one that promises use when their map names none. state: the environment variable
    that holds the address of the state store, when it lies in a PostgreSQL server. public_url: where people reach
    these pages, for links in what is told. mail: the mail server that tells. own_addresses: the
    company's e-mail addresses, apart by spaces; `@example.org` is all of a domain.
    """

    name: str
    time_zone: str = "UTC"
    currency: str = "EUR"
    country: str = ""
    calendar: str = ""
    calendars: Mapping[str, Any] = field(default_factory=dict)
    journey_gap: str = "30 days"
    state: str = ""
    public_url: str = ""
    mail: Mapping[str, Any] = field(default_factory=dict)
    own_addresses: str = ""


def read_project_file(path: Path) -> ProjectFile:
    """Read a project file; raises `DesirelineError` with every mistake, each with line and column."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DesirelineError(Mistake(f"cannot be read: {error}.", where=str(path))) from None
    document = Document(text=text, name=path.name)
    if document.body is None:
        return ProjectFile(name=path.parent.name)
    if not isinstance(document.body, Mapping):
        raise DesirelineError(Mistake("is not a list of settings.", where=path.name, do="Write 'name: my company'."))
    mistakes = _mistakes(document)
    if mistakes:
        raise DesirelineError(mistakes)
    body = dict(document.body)
    body.pop("format", None)
    body.setdefault("name", path.parent.name)
    return ProjectFile(**body)


def project_file_text(name: str, *, time_zone: str = "UTC", currency: str = "EUR") -> str:
    """The text of a new project file, with its settings explained."""
    return f"""# A Desireline project. Maps lie in maps/, how files become interactions in recipes/.
format: {FORMAT}
name: {name}
time_zone: {time_zone}        # of times that come without one
currency: {currency}             # of amounts that come without one
# country: DE             # of phone numbers without a country code
# state: DESIRELINE_STATE_URL   # the environment variable with the address of a PostgreSQL server for the state store
calendar: office          # opening hours that promises in working time count by
calendars:
  office:
    time_zone: {time_zone}
    open:
      mon: ["09:00-17:00"]
      tue: ["09:00-17:00"]
      wed: ["09:00-17:00"]
      thu: ["09:00-17:00"]
      fri: ["09:00-17:00"]
    closed: []            # days such as 2026-12-25
# public_url: https://harbour.example   # where people reach these pages, for links in what is told
# mail:                   # the mail server that tells whoever listens by e-mail
#   host: smtp.harbour.example
#   from: promises@harbour.example
# own_addresses: "@harbour.example"       # letters from these answer; @ stands for all of a domain
"""


def _mistakes(document: Document) -> list[Mistake]:
    body = document.body
    found = document.unknown_words((), body, WORDS)
    if body.get("format", FORMAT) != FORMAT:
        found.append(
            document.mistake(("format",), f"format {body['format']} is newer than this Desireline knows ({FORMAT}).")
        )
    found += [
        document.mistake((word,), f"'{word}' must be a text.")
        for word in ("name", "time_zone", "currency", "country", "calendar", "journey_gap", "state", "own_addresses")
        if word in body and not isinstance(body[word], str)
    ]
    if isinstance(body.get("time_zone"), str):
        found += _zone_mistakes(document, ("time_zone",), body["time_zone"])
    if isinstance(body.get("currency"), str) and not re.fullmatch(r"[A-Z]{3}", body["currency"]):
        found.append(
            document.mistake(("currency",), f"'{body['currency']}' is not three capital letters.", "Write EUR.")
        )
    if isinstance(body.get("state"), str) and not _ENVIRONMENT_NAME.match(body["state"]):
        says = (
            "'state' must name an environment variable; the address itself may hold a password and never stands here."
        )
        found.append(document.mistake(("state",), says, "Write 'state: DESIRELINE_STATE_URL' and set that variable."))
    if "mail" in body:
        found += mail_mistakes(document, body["mail"])
    if "public_url" in body:
        found += public_url_mistakes(document, body["public_url"])
    calendars = body.get("calendars", {})
    if not isinstance(calendars, Mapping):
        return [*found, document.mistake(("calendars",), "'calendars' must name each calendar.")]
    for name, calendar in calendars.items():
        found += _calendar_mistakes(document, str(name), calendar)
    chosen = body.get("calendar")
    if isinstance(chosen, str) and chosen not in calendars:
        found.append(
            document.mistake(("calendar",), f"calendar '{chosen}' does not exist.", nearest(chosen, list(calendars)))
        )
    return found


def _zone_mistakes(document: Document, path: tuple[str, ...], zone: Any) -> list[Mistake]:
    try:
        ZoneInfo(str(zone))
    except (KeyError, ValueError, OSError):
        hint = nearest(str(zone), sorted(available_timezones()))
        return [document.mistake(path, f"'{zone}' is not a time zone.", hint or "Write one such as Europe/Berlin.")]
    return []


def _calendar_mistakes(document: Document, name: str, calendar: Any) -> list[Mistake]:
    at = ("calendars", name)
    if not isinstance(calendar, Mapping):
        return [document.mistake(at, f"calendar '{name}' must have 'open'.")]
    found = document.unknown_words(at, calendar, ("time_zone", "open", "closed"))
    if "time_zone" in calendar:
        found += _zone_mistakes(document, (*at, "time_zone"), calendar["time_zone"])
    hours = calendar.get("open")
    if not isinstance(hours, Mapping) or not hours:
        return [*found, document.mistake((*at, "open"), f"calendar '{name}' must have 'open' with at least one day.")]
    found += document.unknown_words((*at, "open"), hours, DAYS)
    for day, spans in hours.items():
        for span in spans if isinstance(spans, list) else [spans]:
            if not isinstance(span, str) or not _HOURS.match(span) or span[:5] >= span[6:]:
                found.append(
                    document.mistake((*at, "open", day), f"'{span}' is not opening hours.", 'Write "09:00-17:00".')
                )
    for closed in calendar.get("closed") or ():
        if not isinstance(closed, date):
            found.append(document.mistake((*at, "closed"), f"'{closed}' is not a day.", "Write 2026-12-25."))
    return found
