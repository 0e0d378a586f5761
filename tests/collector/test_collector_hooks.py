"""Webhooks: only who signed, and signed just now, gets in; what stands in the log is told by the source's dialect."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from collector.running import NOW, Running, running
from desireline.faces.collector import Source

SOURCES = (
    Source("desk", "webhook", "desk-key", secrets=("old secret", "new secret")),
    Source("chat", "recipe", "chat-key", recipe="chatwoot-webhook", secrets=("chat secret",)),
    Source("nobody", "webhook", "nobody-key"),
    Source("open", "webhook", "open-key", unsigned=True),
)
BODY = json.dumps({"touchpoint": "ticket.opened", "handles": {"email": "ana@example.org"}, "id": "t-1"}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("hooks"), sources=SOURCES) as server:
        yield server


def _signed(secret: str, at_ms: int = NOW, body: bytes = BODY) -> dict[str, str]:
    at = str(at_ms // 1000)
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-chatwoot-timestamp": at, "x-chatwoot-signature": f"sha256={signature}"}


@pytest.mark.parametrize("secret", ["old secret", "new secret"])
def test_both_secrets_open_the_door_while_one_is_being_changed(server: Running, secret: str) -> None:
    assert server.post("/hooks/desk-key", BODY, key=None, **_signed(secret)).status == 200
    frame = server.frames()[-1]
    assert (frame.source, frame.body) == ("desk", BODY)
    meta = json.loads(frame.meta)
    assert (meta["dialect"], meta["path"]) == ("webhook", "/hooks/{key}")
    assert "desk-key" not in frame.meta.decode()


def test_the_source_says_that_a_recipe_reads_it(server: Running) -> None:
    assert server.post("/hooks/chat-key", BODY, key=None, **_signed("chat secret")).status == 200
    assert json.loads(server.frames()[-1].meta)["dialect"] == "recipe"


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/hooks/desk-key", {}, "signature.missing"),
        ("/hooks/desk-key", _signed("wrong"), "signature.wrong"),
        ("/hooks/desk-key", _signed("new secret", NOW - 301_000), "signature.time"),
        ("/hooks/desk-key", _signed("new secret", body=b"{}"), "signature.wrong"),
        ("/hooks/nobody-key", {}, "signature.no_secret"),
        ("/hooks/unknown", {}, "key.unknown"),
    ],
)
def test_what_is_not_signed_is_refused_and_not_kept(
    server: Running, path: str, headers: dict[str, str], code: str
) -> None:
    before = server.log.last
    answer = server.post(path, BODY, key=None, **headers)
    assert (answer.status, answer.code) == (401, code)
    assert server.log.last == before


def test_a_source_may_be_allowed_to_be_unsigned(server: Running) -> None:
    assert server.post("/hooks/open-key", BODY, key=None).status == 200


def test_the_key_of_a_hook_is_its_address_and_nothing_else(server: Running) -> None:
    assert server.post("/hooks/unknown", BODY, key="open-key").code == "key.unknown"
