"""Values that name nobody, and what a person is called on screen."""

import pytest

from desireline.people.caps import MANY_OF_RANK, UNSHARED, known_shared, reason
from desireline.people.golden_record import masked, shown_name


@pytest.mark.parametrize(
    "handle",
    [
        "email:noreply@bank.example",
        "email:no-reply@bank.example",
        "email:No_Reply@bank.example",
        "email:do-not-reply@bank.example",
        "email:donotreply@bank.example",
        "email:noreply-cards@bank.example",
        "email:postmaster@bank.example",
        "email:mailer-daemon@googlemail.com",
        "email:test@test.com",
        "email:none@none.com",
        "email:anyone@host.invalid",
        "phone:0000000",
        "phone:+490000000",
        "phone:+49999999999",
        "phone:+491234567890",
        "device:00000000-0000-0000-0000-000000000000",
        "cookie:0",
        "cookie:ffffffff",
        "crm:000",
    ],
)
def test_it_names_nobody(handle: str) -> None:
    kind, _, value = handle.partition(":")
    assert known_shared(kind, value)


@pytest.mark.parametrize(
    "handle",
    [
        "email:anna@example.com",
        "email:norbert.reply@x.org",
        "email:abuser@x.org",
        "email:testa@test-house.com",
        "phone:+491701234567",
        "phone:+4930100000",
        "crm:111111",
        "crm:1000000",
        "cookie:aaab",
        "cookie:11",
        "social:x/anna",
    ],
)
def test_it_names_somebody(handle: str) -> None:
    kind, _, value = handle.partition(":")
    assert known_shared(kind, value) == ""


def test_every_reason_has_its_words() -> None:
    assert reason(UNSHARED) == ""
    assert reason(MANY_OF_RANK + 2) == "seen with more than 20 different email handles"


def test_a_person_is_called_by_the_address_then_by_the_strongest() -> None:
    assert shown_name([("crm", "4711"), ("email", "jo@x.org")]) == "j...@x.org"
    assert shown_name([("cookie", "abcdef"), ("phone", "+491701234567")]) == "phone ...567"
    assert shown_name([]) == "nobody known"
    assert masked("social", "x/anna") == "social x/anna"
