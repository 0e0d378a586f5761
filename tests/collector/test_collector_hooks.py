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
    Source("letters", "email", "letters-key", unsigned=True),
    Source("events", "cloudevents", "events-key", secrets=("events secret",)),
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


@pytest.mark.parametrize("key", ["desk-key", "chat-key", "nobody-key", "open-key", "letters-key"])
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/capture/", "/events", "/beacon/v1/batch"])
def test_no_other_address_lets_in_what_a_hook_would_want_signed(server: Running, path: str, key: str) -> None:
    before = server.log.last
    named = {"api_key": key, "type": "track", "event": "forged", "userId": "ana", "messageId": "f-1"}
    for answer in (
        server.post(path, named, key=key),
        server.post(path, named, key=None),
        server.post(f"{path}?writeKey={key}", named, key=None),
        server.post(path, named, key=key, **_signed("new secret", body=json.dumps(named).encode())),
        server.ask("GET", f"/pixel/v1/track?writeKey={key}&event=forged&userId=ana"),
    ):
        assert (answer.status, answer.code) == (401, "key.of_hook")
    assert server.log.last == before


def test_a_source_with_a_secret_takes_only_what_is_signed_at_any_address(server: Running) -> None:
    event = {"specversion": "1.0", "id": "e-1", "source": "/till", "type": "order.completed"}
    body = json.dumps(event).encode()
    before = server.log.last
    assert server.post("/events", body, key="events-key").code == "signature.missing"
    assert server.post("/events", body, key="events-key", **_signed("wrong", body=body)).code == "signature.wrong"
    assert server.post("/v1/track", {"api_key": "events-key", **event}, key=None).code == "signature.missing"
    assert server.log.last == before
    assert server.post("/events", body, key="events-key", **_signed("events secret", body=body)).status == 200


def test_the_key_of_a_hook_is_its_address_and_nothing_else(server: Running) -> None:
    assert server.post("/hooks/unknown", BODY, key="open-key").code == "key.unknown"
