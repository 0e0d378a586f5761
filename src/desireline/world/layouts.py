"""The eleven export files: each source's own columns, formats, time zone and handles."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from desireline.world import kinds
from desireline.world.clock import Numbers
from desireline.world.kinds import CHANNELS, KINDS, SERVICE_POWERS, word_of
from desireline.world.lines import Choice, Number, Piece, amount_pieces, moment_pieces, where
from desireline.world.people import FIRST_NAMES, LAST_NAMES, MAIL_DOMAINS, scattered
from desireline.world.record import (
    CAMPAIGN,
    CASE,
    CHANNEL,
    KIND,
    ORDER,
    PERSON,
    POWER,
    RECORD,
    SCORE,
    STAFF,
    SUBJECT,
    TIME,
    VALUE,
)
from desireline.world.sheets import BROKEN_ROW, SHARED_HANDLE, TYPING_ERROR, WITHHELD, Sheet

AMBIGUOUS = (
    ("Kreditrate", "loan_rate"),
    ("Gebühr", "fees"),
    ("Vollmacht", "power_of_attorney"),
    ("Erbfall", "inheritance"),
)
CLEAR = (
    ("Kontostand", "balance"),
    ("Öffnungszeiten", "opening_hours"),
    ("Kartenlimit", "card_limit"),
    ("Anschrift", "address"),
)
SUBJECTS, INTENTS = zip(("", ""), *AMBIGUOUS, *CLEAR, strict=True)
"""Subjects of questions as the systems write them, and the intents they stand for."""
KEY_LETTERS = ("W", "A", "M", "S", "T", "H", "B", "P", "K", "D", "N")
NOREPLY = "noreply@harbour-bank.example"
KIOSK = "ck-kiosk-01"


class Layout(NamedTuple):
    """How one source writes its file: name, encoding, first line, the pieces of each line, names of its parts."""

    file: str
    encoding: str
    head: str
    pieces: Callable[[Sheet], list[Piece]]
    part_names: tuple[str, ...] = ()


def key(sheet: Sheet) -> list[Piece]:
    """The source's own key of a line."""
    return [KEY_LETTERS[sheet.source], Number(scattered(sheet.field(RECORD), 3), 9)]


def moments(sheet: Sheet, part: int, layout: str, *, zone: str = "UTC") -> list[Piece]:
    """The time of one part; the first part of a broken row holds something no calendar knows."""
    broken = sheet.is_distorted(BROKEN_ROW) & (part == 0)
    times = np.where(broken, -1, sheet.field(TIME, part))
    garbage = Choice(np.where(broken, sheet.field(RECORD) % 3, -1), ["31.02.2024 25:61", "0000-00-00", "##########"])
    return [garbage, *moment_pieces(times, layout, zone=zone)]


def words(sheet: Sheet) -> Choice:
    """What the source calls what happened."""
    return Choice(sheet.field(KIND), [word_of(kind, sheet.source) for kind in range(len(KINDS))])


def case(sheet: Sheet) -> list[Piece]:
    """The case number, if there is one."""
    return _numbered("C", sheet.field(CASE))


def order(sheet: Sheet) -> list[Piece]:
    """The order number, if there is one."""
    return _numbered("O", sheet.field(ORDER))


def _numbered(letter: str, numbers: Numbers) -> list[Piece]:
    return [where(numbers > 0, letter), Number(np.where(numbers > 0, scattered(numbers, 1), -1), 9)]


def staff(sheet: Sheet, part: int = 0) -> list[Piece]:
    """Who acted for the bank, if anybody."""
    number = sheet.field(STAFF, part)
    return [where(number > 0, "agent "), Number(np.where(number > 0, number, -1), 3)]


def customer(sheet: Sheet) -> list[Piece]:
    """The customer number."""
    return ["K", Number(sheet.of_person(sheet.people.customer_key), 9)]


def card(sheet: Sheet) -> list[Piece]:
    """The card number, with two digits swapped where the clerk mistyped it."""
    typing_error = sheet.is_distorted(TYPING_ERROR)
    return [
        Choice(np.where(typing_error, 1, 0), ["5200127", "5200217"]),
        Number(sheet.of_person(sheet.people.card_key), 9),
    ]


def email(sheet: Sheet) -> list[Piece]:
    """The e-mail address: sometimes with capitals, mistyped, or the one all forms are sent from."""
    shared = sheet.is_distorted(SHARED_HANDLE)
    capital = sheet.field(RECORD) % 17 == 0
    people = sheet.people

    def shown(codes: Numbers) -> Numbers:
        return np.where(shared, -1, codes)

    first = sheet.of_person(people.first_name) + np.where(capital, len(FIRST_NAMES), 0)
    domain = sheet.of_person(people.mail_domain) + np.where(sheet.is_distorted(TYPING_ERROR), len(MAIL_DOMAINS), 0)
    mistyped = [name.replace("example", "exmaple") for name in MAIL_DOMAINS]
    return [
        where(shared, NOREPLY),
        Choice(shown(first), [*FIRST_NAMES, *(name.capitalize() for name in FIRST_NAMES)]),
        where(~shared, "."),
        Choice(shown(sheet.of_person(people.last_name)), LAST_NAMES),
        Number(shown(sheet.field(PERSON))),
        where(~shared, "@"),
        Choice(shown(domain), [*MAIL_DOMAINS, *mistyped]),
    ]


def phone(sheet: Sheet) -> list[Piece]:
    """The phone number in one of four spellings, or withheld."""
    withheld = sheet.is_distorted(WITHHELD)
    spelling = np.where(withheld, 4, sheet.field(RECORD) % 4)
    number = np.where(withheld, -1, sheet.of_person(sheet.people.phone_key))
    return [Choice(spelling, ["+4915", "015", "0049 15", "015/", "anonymous"]), Number(number, 9)]


def social_name(sheet: Sheet) -> list[Piece]:
    """The name on the social network."""
    return [
        "@",
        Choice(sheet.of_person(sheet.people.first_name), FIRST_NAMES),
        "_",
        Choice(sheet.of_person(sheet.people.last_name), LAST_NAMES),
        Number(sheet.field(PERSON)),
    ]


def cookie(sheet: Sheet) -> list[Piece]:
    """The browser's cookie, a new one about each year; the kiosk in the branches has one for everybody."""
    shared = sheet.is_distorted(SHARED_HANDLE)
    year = sheet.field(TIME) // (365 * 86_400_000)
    number = np.where(shared, -1, (sheet.of_person(sheet.people.cookie_key) + year * 104_729) % 9_999_999_967)
    return [where(shared, KIOSK), where(~shared, "ck-"), Number(number, 10)]


def subject(sheet: Sheet) -> Choice:
    """The subject in the bank's own language."""
    return Choice(np.maximum(sheet.field(SUBJECT), 0), SUBJECTS)


def _optional(sheet: Sheet, name: str, column: int, pieces: list[Piece]) -> list[Piece]:
    there = sheet.field(column) > 0
    return [where(there, f',"{name}":"'), *pieces, where(there, '"')]


def _web(sheet: Sheet) -> list[Piece]:
    known = ~np.isin(sheet.field(KIND), (kinds.PAGE_VIEWED, kinds.PAGE_SEARCHED, kinds.HELP_READ))
    customer_key = np.where(known, sheet.of_person(sheet.people.customer_key), -1)
    consents = np.isin(sheet.field(KIND), (kinds.CONSENT_GIVEN, kinds.CONSENT_WITHDRAWN))
    broken = sheet.is_distorted(BROKEN_ROW)
    return [
        '{"hit":"', *key(sheet), '","ts":', where(broken, '"'),
        Number(np.where(broken, -1, sheet.field(TIME))), where(broken, 'yesterday"'),
        ',"cid":"', *cookie(sheet), '"', where(known, ',"uid":"K'), Number(customer_key, 9), where(known, '"'),
        ',"page":"', words(sheet), '"', *_optional(sheet, "subject", SUBJECT, [subject(sheet)]),
        *_optional(sheet, "case", CASE, case(sheet)), *_optional(sheet, "order", ORDER, order(sheet)),
        where(consents, ',"purpose":"marketing"'), "}\n",
    ]  # fmt: skip


def _app(sheet: Sheet) -> list[Piece]:
    device = Number(sheet.of_person(sheet.people.device_key), 10)
    return [
        '{"event_id":"', *key(sheet), '","at":"', *moments(sheet, 0, "%Y-%m-%dT%H:%M:%S%z", zone="Europe/Berlin"),
        '","device":"d-', device, '","customer":"', *customer(sheet), '","event":"', words(sheet), '"',
        *_optional(sheet, "subject", SUBJECT, [subject(sheet)]), *_optional(sheet, "case", CASE, case(sheet)), "}\n",
    ]  # fmt: skip


def _mail(sheet: Sheet) -> list[Piece]:
    inbound = [1 if kind.direction == "inbound" else 0 for kind in KINDS]
    campaign = sheet.field(CAMPAIGN)
    return [
        *key(sheet), ";", *moments(sheet, 0, "%d.%m.%Y %H:%M", zone="Europe/Berlin"), ";",
        Choice(np.array(inbound)[sheet.field(KIND)], ["aus", "ein"]), ";", *email(sheet), ";", subject(sheet), ";",
        words(sheet), ";", *case(sheet), ";", *order(sheet), ";", where(campaign > 0, "Brief "),
        Number(np.where(campaign > 0, campaign, -1)), ";", *staff(sheet), "\r\n",
    ]  # fmt: skip


def _sms(sheet: Sheet) -> list[Piece]:
    return [
        *key(sheet), ",", *moments(sheet, 0, "%Y-%m-%d %H:%M:%S"), ",", *phone(sheet), ",", words(sheet), ",",
        *case(sheet), ",", *_cents(sheet), "\n",
    ]  # fmt: skip


def _cents(sheet: Sheet, part: int = 0) -> list[Piece]:
    return [Number(sheet.field(VALUE, part))]


def _calls(sheet: Sheet) -> list[Piece]:
    inbound = np.array([1 if kind.direction == "inbound" else 0 for kind in KINDS])[sheet.field(KIND)]
    agent = staff(sheet, 1)
    return [
        *key(sheet), "\t", Choice(inbound, ["OUT", "IN"]), "\t", *phone(sheet), "\t", *_seconds(sheet, 0), "\t",
        *_seconds(sheet, 1), "\t", *_seconds(sheet, 2), "\t", *agent, *staff(sheet), "\t", words(sheet), "\t",
        *case(sheet), "\t", *order(sheet), "\t", subject(sheet), "\t", *_cents(sheet), "\n",
    ]  # fmt: skip


def _seconds(sheet: Sheet, part: int) -> list[Piece]:
    broken = sheet.is_distorted(BROKEN_ROW) & (part == 0)
    times = sheet.field(TIME, part)
    return [where(broken, "not a time"), Number(np.where(broken | (times < 0), -1, times // 1000))]


def _chats(sheet: Sheet) -> list[Piece]:
    bank = np.array([1 if kind.direction == "outbound" else 0 for kind in KINDS])[sheet.field(KIND)]
    answered = sheet.field(TIME, 1) >= 0
    return [
        '{"chat":"', *key(sheet), '","started":"', *moments(sheet, 0, "%Y-%m-%dT%H:%M:%SZ"), '"',
        where(answered, ',"first_reply":"'), *moments(sheet, 1, "%Y-%m-%dT%H:%M:%SZ"), where(answered, '"'),
        ',"opened_by":"', Choice(bank, ["visitor", "bank"]), '","visitor":{"email":"', *email(sheet),
        '"},"reason":"', words(sheet), '"', *_optional(sheet, "subject", SUBJECT, [subject(sheet)]),
        *_optional(sheet, "case", CASE, case(sheet)), *_optional(sheet, "order", ORDER, order(sheet)),
        where(sheet.field(VALUE) >= 0, ',"cents":'), *_cents(sheet), "}\n",
    ]  # fmt: skip


def _branch(sheet: Sheet) -> list[Piece]:
    return [
        *moments(sheet, 0, "%d.%m.%Y;%H:%M:%S", zone="Europe/Berlin"), where(sheet.is_distorted(BROKEN_ROW), ";"),
        ";Filiale ", Number(1 + sheet.of_person(sheet.people.region)), ";", *card(sheet), ";", words(sheet), ";",
        *amount_pieces(sheet.field(VALUE)), ";", *case(sheet), ";", *order(sheet), ";", subject(sheet), "\r\n",
    ]  # fmt: skip


def _social(sheet: Sheet) -> list[Piece]:
    asked = sheet.field(KIND) == kinds.QUESTION_ASKED
    said = Choice(
        np.where(asked, 1, 0), ["Harbour Bank, gesehen und erwähnt", 'Hallo ""Harbour Bank"", wer hilft mir?']
    )
    return [
        *key(sheet), ",", *moments(sheet, 0, "%Y-%m-%dT%H:%M:%S%z"), ",", *social_name(sheet), ",",
        Number(sheet.of_person(sheet.people.followers)), ",", words(sheet), ',"', said, '",', subject(sheet), ",",
        *case(sheet), "\n",
    ]  # fmt: skip


def _core(sheet: Sheet) -> list[Piece]:
    power = Choice(np.maximum(sheet.field(POWER), 0), SERVICE_POWERS)
    return [
        *key(sheet), "|", *moments(sheet, 0, "%Y%m%d%H%M%S"), "|", *customer(sheet), "|", *card(sheet), "|",
        words(sheet), "|", *_cents(sheet), "|", *case(sheet), "|", *order(sheet), "|", *staff(sheet), "|", power, "\n",
    ]  # fmt: skip


def _complaints(sheet: Sheet) -> list[Piece]:
    berlin = "%Y-%m-%dT%H:%M:%S%z"
    score = sheet.field(SCORE, 3)

    def moment(part: int) -> list[Piece]:
        return moments(sheet, part, berlin, zone="Europe/Berlin")

    return [
        *key(sheet), ",", *email(sheet), ",", Choice(sheet.field(CHANNEL), CHANNELS), ",", *moment(0), ",",
        *moment(1), ",", *staff(sheet, 1), ",", Choice(np.maximum(sheet.field(POWER, 1), 0), SERVICE_POWERS), ",",
        *moment(2), ",", *moment(3), ",", Number(np.where(score > 0, score, -1)), ',"',
        *amount_pieces(sheet.field(VALUE)), '",', *case(sheet), "\n",
    ]  # fmt: skip


def _master(sheet: Sheet) -> list[Piece]:
    return [
        *key(sheet), ",", Number(sheet.field(TIME)), ",", *customer(sheet), ",", *email(sheet), ",", *phone(sheet), ",",
        *card(sheet), ",", *social_name(sheet), ",d-", Number(sheet.of_person(sheet.people.device_key), 10), "\n",
    ]  # fmt: skip


LAYOUTS: tuple[Layout, ...] = (
    Layout("web_analytics.jsonl", "utf-8", "", _web),
    Layout("app_events.jsonl", "utf-8", "", _app),
    Layout(
        "mail_gateway.csv",
        "latin-1",
        "Nachricht;Zeit;Richtung;Adresse;Betreff;Art;Vorgang;Auftrag;Kampagne;Bearbeiter\r\n",
        _mail,
    ),
    Layout("sms_gateway.csv", "utf-8", "id,sent_utc,number,template,case,cents\n", _sms),
    Layout(
        "telephone_switch.tsv",
        "utf-8",
        "call\tdir\tnumber\tqueued\tanswered\tended\tagent\treason\tcase\torder\tsubject\tcents\n",
        _calls,
        ("contact", "answered", "ended"),
    ),
    Layout("chat_desk.jsonl", "utf-8", "", _chats, ("opened", "answered")),
    Layout(
        "branch_diary.csv",
        "latin-1",
        "Datum;Uhrzeit;Filiale;Karte;Anliegen;Betrag;Vorgang;Auftrag;Thema\r\n",
        _branch,
    ),
    Layout("social_desk.csv", "utf-8", "post_id,posted_at,handle,followers,kind,text,subject,case\n", _social),
    Layout("core_banking.txt", "utf-8", "KEY|STAMP|CUSTOMER|CARD|CODE|CENTS|CASE|ORDER|STAFF|POWER\n", _core),
    Layout(
        "complaint_desk.csv",
        "utf-8",
        "\ufeffticket,email,via,opened,first_reply,replied_by,reply_power,solved,rated,rating,amount,case\n",
        _complaints,
        ("opened", "replied", "solved", "rated"),
    ),
    Layout("customer_master.parquet", "utf-8", "record,updated_ms,customer,email,phone,card,social,device\n", _master),
)
"""One layout for each of `kinds.SOURCES`, in their order."""
