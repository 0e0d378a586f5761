"""Letters become interactions: who asks, who answers, in which thread; machines, returns and complaints told apart."""

from __future__ import annotations

import json
from email.message import EmailMessage
from typing import Any

import pytest

from desireline.intake.dialects import DIALECTS, Received, Refused, Setting, read, rows_of
from desireline.intake.mail import interactions_of_mail, mail_of, slim
from desireline.intake.mail.words import own_words, plain_subject, words_of_html

NOW = 1_795_345_200_000
OURS = ["@bank.example", "info@shop.example"]


def letter(text: str = "Where is my card?", **headers: str) -> EmailMessage:
    message = EmailMessage()
    given = {
        "From": "Anna <Anna@Example.org>", "To": "help@bank.example", "Subject": "My card", "Message-ID": "<a@x>",
        "Date": "Sun, 22 Nov 2026 10:00:00 +0100",
    }  # fmt: skip
    for name, value in {**given, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def rows(message: EmailMessage | bytes, *, now: int = NOW) -> list[dict[str, Any]]:
    raw = message if isinstance(message, bytes) else message.as_bytes()
    return interactions_of_mail(raw, source="mail", own_addresses=OURS, received_at=now)


def test_anna_asks_and_ben_answers_in_one_thread() -> None:
    [asked] = rows(letter())
    reply = letter(
        "It is on its way.\n\nOn Sun, 22 Nov 2026 at 10:00, Anna <anna@example.org> wrote:\n> Where is my card?\n",
        From="Ben <ben@bank.example>", To="Anna <anna@example.org>", Subject="Re: My card", Message_ID="<b@bank>",
        In_Reply_To="<a@x>", References="<a@x>", Date="Sun, 22 Nov 2026 10:30:00 +0100",
    )  # fmt: skip
    [answered] = rows(reply)
    assert (asked["touchpoint"], asked["direction"], asked["asks"]) == ("email.received", "inbound", True)
    assert (answered["touchpoint"], answered["direction"], answered["answers"]) == ("email.sent", "outbound", True)
    assert asked["handles"] == answered["handles"] == ["email:anna@example.org"]
    assert asked["about_case"] == answered["about_case"] == "a@x"
    assert asked["topic"] == answered["topic"] == "My card"
    assert answered["text"] == "It is on its way."
    assert answered["hands"] == "ben@bank.example"
    assert asked["occurred_at"] == 1_795_338_000_000
    assert (asked["source_key"], asked["zone"], asked["time_quality"]) == ("a@x", "+0100", "exact")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@mx.example.org"},
        {"Subject": "Automatische Antwort: Ihre Nachricht"},
    ],
)
def test_a_machine_that_answers_does_not_ask(headers: dict[str, str]) -> None:
    [row] = rows(letter(**headers))
    assert (row["touchpoint"], row["asks"]) == ("email.answered_automatically", None)


def test_a_person_is_no_machine_and_a_newsletter_asks_nothing() -> None:
    assert rows(letter(Auto_Submitted="no"))[0]["asks"] is True
    bulk = rows(letter(List_Unsubscribe="<https://news.example>"))[0]
    assert (bulk["touchpoint"], bulk["asks"]) == ("email.received", None)


def test_our_own_machine_does_not_answer() -> None:
    acknowledged = letter(
        From="help@bank.example", To="anna@example.org", In_Reply_To="<a@x>", Auto_Submitted="auto-replied"
    )
    [row] = rows(acknowledged)
    assert (row["touchpoint"], row["direction"], row["answers"]) == ("email.answered_automatically", "outbound", None)


def test_a_letter_of_ours_to_several_is_one_interaction_each_for_they_are_not_one_person() -> None:
    message = letter(From="ben@bank.example", To="anna@example.org, carl@example.org, info@shop.example")
    found = rows(message)
    assert [row["handles"] for row in found] == [["email:anna@example.org"], ["email:carl@example.org"]]
    assert [row["source_key"] for row in found] == ["a@x:anna@example.org", "a@x:carl@example.org"]


def test_letters_among_ourselves_and_forms_of_our_own_page() -> None:
    [inside] = rows(letter(From="ben@bank.example", To="info@shop.example"))
    assert (inside["touchpoint"], inside["direction"], inside["handles"]) == ("email.sent_inside", "internal", None)
    [form] = rows(letter(From="form@bank.example", Reply_To="anna@example.org"))
    assert (form["touchpoint"], form["handles"]) == ("email.received", ["email:anna@example.org"])


BOUNCE = b"""From: MAILER-DAEMON@mx.bank.example
To: ben@bank.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <r@mx>
Date: Sun, 22 Nov 2026 10:00:00 +0000
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

I'm sorry to have to inform you ...
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.bank.example

Final-Recipient: rfc822; anna@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

Final-Recipient: rfc822; carl@example.org
Action: failed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 mailbox full

Final-Recipient: rfc822; dora@example.org
Action: delayed
Status: 4.4.1
--b1
Content-Type: message/rfc822

From: ben@bank.example
To: anna@example.org
Message-ID: <b@bank>
Subject: Re: My card

It is on its way.
--b1--
"""


def test_letters_returned_are_told_hard_from_soft() -> None:
    hard, soft, late = rows(BOUNCE)
    assert [row["touchpoint"] for row in (hard, soft, late)] == ["email.returned", "email.returned", "email.delayed"]
    assert (hard["outcome"], soft["outcome"], late["outcome"]) == ("hard", "soft", None)
    assert hard["handles"] == ["email:anna@example.org"]
    assert {row["about_case"] for row in (hard, soft, late)} == {"b@bank"}
    assert json.loads(hard["properties"])["status"] == "5.1.1"
    assert len({row["source_key"] for row in (hard, soft, late)}) == 3


def test_a_complaint() -> None:
    raw = BOUNCE.replace(b"delivery-status; b", b"feedback-report; b")
    report = b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <Anna@example.org>\n"
    begin, end = raw.index(b"Content-Type: message/delivery-status"), raw.index(b"--b1\nContent-Type: message/rfc822")
    [row] = rows(raw[:begin] + report + raw[end:])
    assert (row["touchpoint"], row["outcome"], row["handles"]) == (
        "email.complained",
        "abuse",
        ["email:anna@example.org"],
    )
    assert row["about_case"] == "b@bank"


def test_attachments_are_named_not_kept_and_pages_are_read() -> None:
    message = letter()
    message.set_content("<style>x{}</style><p>Guten&nbsp;Tag</p><blockquote>old</blockquote>", subtype="html")
    message.add_attachment(b"%PDF" * 5_000, maintype="application", subtype="pdf", filename="Bëleg 1.pdf")
    message["Content-Language"] = "de"
    [row] = rows(message)
    assert (row["text"], row["language"]) == ("Guten Tag", "de")
    [attached] = json.loads(row["properties"])["attachments"]
    assert (attached["name"], attached["type"]) == ("Bëleg 1.pdf", "application/pdf")
    assert "JVBER" not in json.dumps(row)


def test_a_large_letter_is_slimmed_and_says_the_same() -> None:
    message = letter()
    message.add_attachment(b"x" * 6_000_000, maintype="image", subtype="png", filename="p.png")
    raw = message.as_bytes()
    thin = slim(raw, most=100_000)
    assert len(thin) < 10_000
    before, after = mail_of(raw), mail_of(thin)
    assert {**before, "digest": ""} == {**after, "digest": ""}
    assert slim(thin, most=100_000) == thin


@pytest.mark.parametrize(
    ("date", "received", "at", "quality"),
    [
        ("", "", NOW, "received"),
        ("soon", "by mx; Sun, 22 Nov 2026 09:00:00 +0000", 1_795_338_000_000, "corrected"),
        ("Fri, 01 Jan 1999 00:00:00 +0000", "by mx; Sun, 22 Nov 2026 09:00:00 +0000", 1_795_338_000_000, "corrected"),
        ("Sun, 22 Nov 2026 23:00:00 +0000", "", NOW, "clamped"),
        ("Sun, 22 Nov 2026 09:00:00 -0000", "by mx; Sun, 22 Nov 2026 09:00:09 +0000", 1_795_338_000_000, "exact"),
    ],
)
def test_the_clock_of_a_letter_is_believed_no_further_than_its_servers(
    date: str, received: str, at: int, quality: str
) -> None:
    [row] = rows(letter(Date=date, Received=received))
    assert (row["occurred_at"], row["time_quality"]) == (at, quality)


def test_the_dialect_takes_the_same_letter_once_and_refuses_what_is_none() -> None:
    setting = Setting("mail", "UTC", "EUR", "", server_side=True, own_addresses=tuple(OURS))

    def request(body: bytes) -> Received:
        return Received(9, NOW, "mail", "email", "POST", "/mail", "", {}, body)

    [message] = read(request(letter().as_bytes())).messages
    assert message.key == "a@x"
    [row] = rows_of(message, request(b""), setting)
    assert (row["source_key"], row["raw"]) == ("a@x", "log:9:0")
    without = read(request(letter(Message_ID="").as_bytes())).messages[0].key
    assert without == read(request(letter(Message_ID="").as_bytes())).messages[0].key
    assert without and without.startswith("mail-")
    assert read(request(b" \n")).problem is not None
    [nothing] = read(request(b"hello there")).messages
    with pytest.raises(Refused, match=r"mail\.no_headers"):
        rows_of(nothing, request(b""), setting)
    assert "email" in DIALECTS


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Danke!\n\nAm 21.11.2026 um 10:00 schrieb Ben <ben@bank.example>:\n> alt\n> älter", "Danke!"),
        ("Merci\n\nLe 21 nov. 2026 à 10:00, Ben <ben@bank.example> a écrit :\n> vieux", "Merci"),
        ("> quoted\nmy answer below", "my answer below"),
        ("just words", "just words"),
        ("", ""),
    ],
)
def test_own_words(text: str, own: str) -> None:
    assert own_words(text) == own


def test_a_long_letter_keeps_its_end() -> None:
    text = "\n".join(f"Line {number} of a long story." for number in range(400))
    assert own_words(text).endswith("Line 399 of a long story.")


def test_subjects_and_pages() -> None:
    assert plain_subject("Antwort: RE[2]: WG: Karte") == "Karte"
    assert words_of_html("<div>a<br>b</div><script>x</script>&amp;<blockquote>q</blockquote>").split("\n")[:2] == [
        "a",
        "b",
    ]
