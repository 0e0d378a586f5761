"""Which e-mail addresses are the company's own: letters from them answer."""

from __future__ import annotations

from desireline.project.file import ProjectFile
from desireline.project.settings import own_addresses


def test_own_addresses_are_those_named_and_the_one_that_notices_come_from() -> None:
    file = ProjectFile(
        "bank", own_addresses="@bank.example, info@shop.example", mail={"from": "Bank <promises@bank.example>"}
    )
    assert own_addresses(file) == ["@bank.example", "info@shop.example", "promises@bank.example"]
    assert own_addresses(ProjectFile("bank")) == []
