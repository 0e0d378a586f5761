"""Whoever listens by e-mail gets one mail for a broken promise, and one list when many break within a minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from desireline.outreach import Message, Surroundings
from desireline.outreach.mail_text import mail
from outreach.listening import (
    DAY,
    HOUR,
    MINUTE,
    Clock,
    broken,
    deliver,
    deliverer_of,
    desk,
    outbox_in,
    post_office,
    statuses,
)


def test_the_desk_reads_what_was_promised_to_whom_and_by_when(tmp_path: Path) -> None:
    clock = Clock(1_795_000_000_000)
    around = Surroundings(
        says=lambda notice: "We answer within two days",
        link=lambda notice: f"https://harbour.example/people/{notice.person}",
        handles=lambda person: ["phone:+49 30 1"],
    )
    with post_office() as office:
        outbox = outbox_in(tmp_path, clock, desk(with_handles=True))
        outbox.tell([broken(1, clock(), key="case-7")], now=clock())
        deliver(deliverer_of(outbox, clock, mail_port=office.port, around=around), clock, until=clock() + HOUR)
    (heard,) = office.mails
    text = heard.get_content().replace("\r\n", "\n")
    assert heard["Subject"] == "answer in time was broken"
    assert (heard["From"], heard["To"]) == ("Harbour <promises@harbour.example>", "desk@x.example")
    assert heard["Auto-Submitted"] == "auto-generated"
    assert "Promise:  We answer within two days" in text
    assert "Person:   9001\n          phone:+49 30 1" in text
    assert "About:    case-7" in text
    assert "Due:      2026-11-18 11:06:40 UTC" in text
    assert "https://harbour.example/people/9001" in text
    assert statuses(outbox) == {"told": 1}


def test_when_many_break_within_a_minute_one_mail_lists_them(tmp_path: Path) -> None:
    clock = Clock()
    with post_office() as office:
        outbox = outbox_in(tmp_path, clock, desk(), singles_a_minute=5)
        for each in range(40):
            outbox.tell([broken(each, clock())], now=clock())
            clock.now += 1_000
        deliver(deliverer_of(outbox, clock, mail_port=office.port), clock, until=clock() + HOUR)
    assert [mail["Subject"] for mail in office.mails] == [
        *["answer in time was broken"] * 5,
        "35 promises were broken",
    ]
    text = office.mails[-1].get_content()
    assert "35 notices, gathered in one mail" in text
    assert text.count("- answer in time was broken: person 90") == 35
    assert statuses(outbox) == {"told": 40}


def test_nobody_gets_more_than_so_many_mails_a_minute_however_long_it_rains(tmp_path: Path) -> None:
    clock = Clock()
    begun = clock()
    minutes = 6
    with post_office() as office:
        outbox = outbox_in(tmp_path, clock, desk(), singles_a_minute=2)
        deliverer = deliverer_of(outbox, clock, mail_port=office.port)
        for each in range(minutes * 30):
            clock.now = begun + each * 2_000
            outbox.tell([broken(each, clock())], now=clock())
            deliver(deliverer, clock, until=clock())
        deliver(deliverer, clock, until=clock() + HOUR)
    assert len(office.mails) <= minutes * (2 + 1)
    assert statuses(outbox) == {"told": minutes * 30}


def test_a_refused_receiver_is_a_dead_letter_a_busy_server_is_tried_again(tmp_path: Path) -> None:
    clock = Clock()
    with post_office(answer_receiver="550 nobody here") as office:
        outbox = outbox_in(tmp_path / "refused", clock, desk())
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock, mail_port=office.port), clock, until=clock() + DAY)
    (dead,) = outbox.dead_letters()
    assert (dead["attempts"], dead["reason"]) == (1, "the mail server answered 550")
    with post_office(answer="451 later") as office:
        outbox = outbox_in(tmp_path / "busy", clock, desk())
        outbox.tell([broken(2, clock())], now=clock())
        deliver(deliverer_of(outbox, clock, mail_port=office.port), clock, until=clock() + 30_000)
        office.answer = "250 taken"
        deliver(deliverer_of(outbox, clock, mail_port=office.port), clock, until=clock() + HOUR)
    assert statuses(outbox) == {"told": 1}
    assert len(office.mails) >= 2
    assert len({heard["Message-ID"] for heard in office.mails}) == 1


@pytest.mark.parametrize(("purpose", "mails", "becomes"), [("service", 2, {"told": 1}), ("marketing", 1, {"dead": 1})])
def test_a_mail_that_perhaps_arrived_goes_out_again_only_for_service(
    tmp_path: Path, purpose: str, mails: int, becomes: dict[str, int]
) -> None:
    clock = Clock()
    with post_office(cut=True) as office:
        outbox = outbox_in(tmp_path, clock, desk(purpose=purpose))
        outbox.tell([broken(1, clock())], now=clock())
        deliverer = deliverer_of(outbox, clock, mail_port=office.port)
        deliver(deliverer, clock, until=clock())
        office.cut = False
        deliver(deliverer, clock, until=clock() + HOUR)
    assert len(office.mails) == mails
    assert len({heard["Message-ID"] for heard in office.mails}) == 1
    assert statuses(outbox) == becomes


def test_names_cannot_forge_a_header() -> None:
    notice = broken(1, 0)
    forged = type(notice)(notice.kind, "loan", "late\r\nBcc: all@x.example", person=1, opening_id=1, at=0, key="a\nb")
    made = mail(
        Message(forged.id, (forged,)),
        Surroundings(),
        sender="promises@harbour.example",
        receiver="desk@x.example",
        handles=(),
        now=MINUTE,
    )
    assert made["Bcc"] is None
    assert b"\r\nBcc:" not in bytes(made)
    assert "About:    a b" in made.get_content()


def test_a_long_list_is_cut_and_counted() -> None:
    notices = tuple(broken(each, 0) for each in range(250))
    text = mail(
        Message("bundle-desk-0", notices, gathered=True),
        Surroundings(),
        sender="promises@harbour.example",
        receiver="desk@x.example",
        handles=(),
        now=MINUTE,
    ).get_content()
    assert "    250  loan / answer in time were broken" in text
    assert text.count("\n- ") == 100
    assert "... and 150 more." in text
