"""The server answers this machine only, from its own pages only, and runs nothing that a customer wrote."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from desireline.faces.web.app import create_app
from desireline.faces.web.security import CONTENT_SECURITY_POLICY
from desireline.faces.web.upload import safe_name
from web.conftest import ADDRESS
from web.made_reading import ANA, made_reading

PAGES = (
    "/",
    "/maps",
    "/maps/lost-card",
    "/maps/lost-card?from=2024-01&only=broken&segment=channel:phone",
    "/maps/lost-card/promises/told-by-a-person",
    "/maps/lost-card/people?at=report",
    "/people",
    f"/people/{ANA}",
    "/no/such/page",
    "/maps?sgement=1",
)
CANARIES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title></style></textarea><iframe src=javascript:alert(1)>",
    "{{ 7*7 }}{% raw %}",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_answer_carries_the_strict_policy(made_client: TestClient, page: str) -> None:
    answer = made_client.get(page)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("page", PAGES)
def test_pages_hold_no_inline_script_no_inline_style_and_name_no_other_host(made_client: TestClient, page: str) -> None:
    text = made_client.get(page).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", text)
    assert "<style" not in text
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", text)


@pytest.mark.parametrize(
    "host", ["shop.example", "127.0.0.1", "127.0.0.1:9999", "127.0.0.1.nip.io:8765", "evil.localhost:8765"]
)
def test_a_name_rebound_to_this_machine_is_refused(made_client: TestClient, host: str) -> None:
    assert made_client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"])
def test_the_servers_own_names_are_answered(made_client: TestClient, host: str) -> None:
    assert made_client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://shop.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:8765.shop.example"]
)
def test_f33_a_change_from_another_site_is_refused(made_client: TestClient, origin: str) -> None:
    assert made_client.post("/import/upload", headers={"origin": origin}).status_code == 403
    assert made_client.get("/", headers={"origin": origin}).status_code == 403


def test_f33_a_change_without_an_origin_is_refused_unless_the_browser_says_same_origin(bank_client: TestClient) -> None:
    assert bank_client.post("/import/upload").status_code == 403
    assert bank_client.post("/import/upload", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert bank_client.post("/import/upload", headers={"sec-fetch-site": "same-origin"}).status_code == 422
    assert bank_client.post("/import/upload", headers={"origin": ADDRESS}).status_code == 422


def test_f36_what_a_proxy_claims_plays_no_part(made_client: TestClient) -> None:
    headers = {
        "host": "shop.example",
        "x-forwarded-host": "127.0.0.1:8765",
        "x-forwarded-for": "127.0.0.1",
        "forwarded": "host=127.0.0.1:8765",
    }
    assert made_client.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("page", PAGES)
def test_f27_what_a_customer_wrote_is_only_ever_text(page: str, canary: str) -> None:
    client = TestClient(create_app(None, port=8765, reading=made_reading(canary)), base_url=ADDRESS)
    text = client.get(page).text
    assert canary not in text or "<" not in canary
    for tag in ("<script>alert", "<img src=x", "<svg onload", "<iframe"):
        assert tag not in text
    assert "{{" not in canary or "{{ 7*7 }}" in text


@pytest.mark.parametrize("canary", CANARIES[:3])
@pytest.mark.parametrize("ending", ["svg", "json", "csv"])
def test_f27_exports_escape_as_well(canary: str, ending: str) -> None:
    client = TestClient(create_app(None, port=8765, reading=made_reading(canary)), base_url=ADDRESS)
    for page in ("/maps/lost-card", f"/people/{ANA}"):
        answer = client.get(f"{page}.{ending}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        if ending == "svg":
            assert canary not in answer.text


def test_f28_a_formula_in_a_name_leaves_as_text() -> None:
    client = TestClient(create_app(None, port=8765, reading=made_reading("=HYPERLINK(1)")), base_url=ADDRESS)
    assert ",'=HYPERLINK(1)," in client.get("/maps/lost-card/promises/told-by-a-person.csv").text


def test_an_address_with_a_canary_is_answered_calmly(made_client: TestClient) -> None:
    answer = made_client.get("/maps/<script>alert(1)</script>")
    assert answer.status_code == 404 and "<script>alert" not in answer.text
    answer = made_client.get("/maps/lost-card?segment=<script>alert(1)</script>")
    assert answer.status_code == 422 and "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2f..%2fapp.py", "tokens.css/../../app.py", "%2e%2e/app.py", "nothing.js"]
)
def test_f31_static_files_are_only_ours(made_client: TestClient, name: str) -> None:
    assert made_client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize(
    "given", ["../../etc/passwd", "..\\..\\boot.ini", "/abs/olute", "a\x00b.csv", "..", "", "x" * 500]
)
def test_f31_a_files_name_never_leads_out_of_its_folder(given: str) -> None:
    name = safe_name(given)
    assert name and "/" not in name and "\\" not in name and name not in (".", "..") and len(name) <= 120


def test_f39_a_fault_shows_and_logs_nobodys_data(caplog: pytest.LogCaptureFixture) -> None:
    reading = made_reading()

    def fails(*_: object) -> None:
        raise RuntimeError("ana@harbour.example")

    reading.designed_over_lived = fails
    client = TestClient(create_app(None, port=8765, reading=reading), base_url=ADDRESS, raise_server_exceptions=False)
    answer = client.get("/maps/lost-card")
    assert answer.status_code == 500 and "ana@" not in answer.text
    assert "ana@" not in caplog.text and "RuntimeError" in caplog.text
