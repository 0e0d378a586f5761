"""Every address, every way to bring a key, and exactly the answers that clients in the wild need."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.running import NOW, TRACK, Running, running
from desireline.faces.collector import ROUTES
from desireline.faces.collector.routes import claims, find
from desireline.intake import dialects
from desireline.project.taking import received_of
from desireline.storage.log import Frame


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("collector")) as server:
        yield server


SEGMENT_PATHS = [route.path for route in ROUTES if route.dialect == "segment" and route.does == "store"]
POSTHOG_PATHS = [route.path for route in ROUTES if route.dialect == "posthog"]


@pytest.mark.parametrize("path", SEGMENT_PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_segment_address_says_success_and_the_bytes_lie_in_the_log(
    server: Running, path: str, slash: str
) -> None:
    body = json.dumps({"batch": [TRACK]} if "batch" in path or path in ("/v1/b", "/v1/import") else TRACK).encode()
    answer = server.post(path + slash, body)
    assert (answer.status, answer.body) == (200, b'{"success":true}')
    assert answer.headers["content-type"] == "application/json"
    frame = server.frames()[-1]
    assert (frame.source, frame.body, frame.received_at) == ("shop", body, NOW)
    assert json.loads(frame.meta)["path"] == path + slash


@pytest.mark.parametrize("path", POSTHOG_PATHS)
def test_every_posthog_address_takes_its_key_from_the_body(server: Running, path: str) -> None:
    event = {"api_key": "phc_key", "event": "seen", "uuid": "u-1", "properties": {"distinct_id": "ana"}}
    answer = server.post(path + "/", gzip.compress(json.dumps(event).encode()), key=None)
    assert answer.status == 200
    assert server.frames()[-1].source == "product"
    assert gzip.decompress(server.frames()[-1].body)


def test_posthogs_newer_clients_get_a_verdict_for_each_uuid(server: Running) -> None:
    batch = {"batch": [{"event": "seen", "uuid": "u-1", "distinct_id": "ana"}, {"uuid": "u-2", "distinct_id": "ana"}]}
    answer = server.post("/i/v1/analytics/events", batch, key=None, authorization="Bearer phc_key")
    results = answer.json["results"]
    assert results["u-1"] == {"result": "ok"}
    assert results["u-2"]["result"] == "warning"
    assert results["u-2"]["details"]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic " + base64.b64encode(b"shop-key:").decode()},
        {"authorization": "Basic " + base64.b64encode(b"shop-key").decode()},
        {"authorization": "basic " + base64.b64encode(b"shop-key:secret").decode().rstrip("=")},
        {"authorization": "Bearer shop-key"},
    ],
)
def test_a_key_in_the_authorization_is_found(server: Running, headers: dict[str, str]) -> None:
    assert server.post("/v1/track", TRACK, key=None, **headers).status == 200
    assert server.frames()[-1].source == "shop"


@pytest.mark.parametrize(
    "body",
    [
        {**TRACK, "writeKey": "shop-key"},
        {"batch": [TRACK], "writeKey": "shop-key"},
        {"batch": [{**TRACK, "writeKey": "shop-key"}]},
        {**TRACK, "properties": {"token": "nobody"}, "writeKey": "shop-key"},
    ],
)
def test_a_key_in_the_body_is_found_also_beside_a_token_of_another_kind(server: Running, body: object) -> None:
    assert server.post("/v1/batch", body, key=None).status == 200
    assert server.post("/v1/batch", body, key=None, authorization="Bearer an-oauth-token").status == 200
    assert server.post("/v1/batch", body, key="the name of a site that asks for one").status == 200
    assert server.frames()[-1].source == "shop"


def test_a_beacon_brings_its_key_in_the_query_and_its_body_as_text(server: Running) -> None:
    answer = server.post(
        "/beacon/v1/batch?writeKey=shop-key", {"batch": [TRACK]}, key=None, content_type="text/plain;charset=UTF-8"
    )
    assert answer.status == 200
    assert server.frames()[-1].source == "shop"


@pytest.mark.parametrize("path", ["/pixel/v1/track", "/v1/pixel/track"])
def test_a_picture_of_one_point_is_an_interaction(server: Running, path: str) -> None:
    answer = server.ask("GET", f"{path}?writeKey=shop-key&anonymousId=a&event=Mail%20opened")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.body.startswith(b"GIF89a")
    meta = json.loads(server.frames()[-1].meta)
    assert (meta["method"], meta["query"]) == ("GET", "writeKey=shop-key&anonymousId=a&event=Mail%20opened")


def test_a_picture_may_carry_everything_in_base64(server: Running) -> None:
    data = base64.b64encode(json.dumps({**TRACK, "writeKey": "shop-key"}).encode()).decode()
    assert server.ask("GET", f"/v1/pixel/track?data={data}").status == 200
    assert server.frames()[-1].source == "shop"


def test_cloud_events_come_structured_binary_and_batched(server: Running) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "order.sent", "subject": "ana"}
    for kind, body in (("cloudevents+json", event), ("cloudevents-batch+json", [event, event])):
        assert server.post("/events", body, content_type=f"application/{kind}").status == 200
    binary = {f"ce-{name}": value for name, value in event.items()}
    assert server.post("/events", {"order": 1}, content_type="application/json", **binary).status == 200
    assert json.loads(server.frames()[-1].meta)["headers"]["ce-type"] == "order.sent"
    assert server.post("/events", b"<event/>", content_type="application/cloudevents+xml").status == 415


def test_a_sender_of_webhooks_is_allowed_by_handshake(server: Running) -> None:
    answer = server.ask("OPTIONS", "/events", headers={"WebHook-Request-Origin": "sender.example"})
    assert answer.status == 200
    assert answer.headers["webhook-allowed-origin"] == "sender.example"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert "POST" in answer.headers["allow"]


def test_an_interaction_without_an_id_gets_one_and_is_told_so(server: Running) -> None:
    without = {name: value for name, value in TRACK.items() if name != "messageId"}
    answer = server.post("/v1/batch", {"batch": [TRACK, without]})
    sequence = server.frames()[-1].sequence
    assert answer.json == {"success": True, "assigned": [{"position": 1, "messageId": f"log-{sequence}-1"}]}


def test_the_same_within_a_second_is_kept_and_marked_unless_an_id_tells(tmp_path: Path) -> None:
    nameless = {"type": "track", "userId": "ana", "event": "Order Completed"}
    with running(tmp_path) as server:
        for wait_ms in (0, 0, 1_000, 1_001, 0):
            server.clock[0] += wait_ms
            server.post("/v1/track", nameless)
        server.post("/v1/track", nameless, key="site-key")
        server.post("/v1/track", {**nameless, "event": "Order Cancelled"})
        for _ in range(2):
            server.post("/v1/track", TRACK)
        told = [_read_again(frame) for frame in server.frames()]
    odd = [message.odd for read in told for message in read.messages]
    marked = (dialects.LIKELY_REPEAT,)
    assert odd == [(), marked, marked, (), marked, (), (), (), ()]
    assert all(not read.problem for read in told)


def _read_again(frame: Frame) -> dialects.Read:
    """A request as the project reads it out of the log."""
    return dialects.read(received_of(frame))


def test_verdicts_are_told_when_asked_for(server: Running) -> None:
    answer = server.post("/v1/batch?verbose=1", {"batch": [TRACK, {"type": "track", "messageId": "m2"}]})
    first, second = answer.json["items"]
    assert first == {"position": 0, "messageId": "m1", "verdict": "accepted", "reason": ""}
    assert second["verdict"] == "quarantined"
    assert second["reason"].startswith("event.missing")
    assert answer.json["sequence"] == server.frames()[-1].sequence


def test_a_bad_interaction_does_not_refuse_its_batch(server: Running) -> None:
    assert server.post("/v1/batch", {"batch": [TRACK, 7, None, {"type": "nonsense", "messageId": "x"}]}).status == 200


def test_keys_are_refused_with_stable_codes(server: Running) -> None:
    assert server.post("/v1/track", TRACK, key=None).code == "key.missing"
    assert server.post("/v1/track", TRACK, key="nobody").code == "key.unknown"
    assert server.post("/v1/track", {**TRACK, "writeKey": "nobody"}, key=None).code == "key.unknown"
    assert server.post("/v1/track", TRACK, key=None, authorization="Bearer nobody").code == "key.unknown"
    assert server.ask("GET", "/pixel/v1/track?event=x").code == "key.missing"
    assert server.ask("GET", "/pixel/v1/track?event=x&writeKey=nobody").code == "key.unknown"
    disabled = server.post("/v1/track", TRACK, key="old-key")
    assert (disabled.status, disabled.code) == (404, "source.disabled")


def test_what_is_refused_for_its_key_never_reaches_the_log(server: Running) -> None:
    before = server.log.last
    for key in ("nobody", "old-key"):
        server.post("/v1/track", TRACK, key=key)
    assert server.log.last == before


def test_the_key_of_a_sender_is_not_kept_in_the_log(server: Running) -> None:
    server.post("/v1/track", TRACK)
    assert b"authorization" not in server.frames()[-1].meta
    assert base64.b64encode(b"shop-key:") not in server.frames()[-1].meta


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/track"), ("PUT", "/v1/batch"), ("DELETE", "/events")])
def test_other_methods_are_refused_and_the_right_ones_named(server: Running, method: str, path: str) -> None:
    answer = server.ask(method, path)
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method.refused", "POST, OPTIONS")


def test_an_address_of_a_foreign_kind_is_answered_by_the_collector_with_404(server: Running) -> None:
    assert server.post("/v1/nonsense", TRACK).code == "path.unknown"


def test_pages_keep_their_addresses() -> None:
    for path in ("/", "/maps", "/maps/buying", "/people", "/people/1", "/health", "/static/desireline.css", "/import"):
        assert not claims(path), path
    for route in ROUTES:
        path = route.path.replace("{key}", "k").replace("{kind}", "track")
        assert claims(path)
        found = find(path)
        assert found is not None
        assert found[0] is route


def test_browser_clients_are_configured_by_this_server_alone(server: Running) -> None:
    host = f"127.0.0.1:{server.port}"
    settings = server.ask("GET", "/v1/projects/shop-key/settings").json
    segment = settings["integrations"]["Segment.io"]
    assert (segment["apiKey"], segment["apiHost"], segment["protocol"]) == ("shop-key", f"{host}/v1", "http")
    assert settings["metrics"]["sampleRate"] == 0
    rudder = server.ask("GET", "/sourceConfig/?p=npm&v=3.34.1&writeKey=shop-key").json
    assert rudder["source"]["enabled"] is True
    assert rudder["source"]["destinations"] == []
    assert rudder["source"]["writeKey"] == "shop-key"
    config = server.ask("GET", "/array/phc_key/config").json
    assert config["sessionRecording"] is False
    script = server.ask("GET", "/array/phc_key/config.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert b"_POSTHOG_REMOTE_CONFIG" in script.body
    for path in ("/v1/projects/nobody/settings", "/array/nobody/config.js", "/sourceConfig?writeKey=nobody"):
        assert server.ask("GET", path).code == "key.unknown"
    assert server.ask("GET", "/sourceConfig").code == "key.missing"


def test_a_host_that_is_none_is_not_reflected(server: Running) -> None:
    answer = server.raw(b'GET /v1/projects/shop-key/settings HTTP/1.1\r\nhost: "><script>\r\nconnection: close\r\n\r\n')
    assert b"script" not in answer


def test_there_are_no_feature_flags(server: Running) -> None:
    for path in ("/flags/?v=2", "/decide/?v=3"):
        answer = server.post(path, {"token": "phc_key", "distinct_id": "ana"}, key=None)
        assert answer.status == 200
        assert answer.json["flags"] == answer.json["featureFlags"] == {}


def test_whoever_asked_to_be_told_hears_of_what_is_on_disk(server: Running) -> None:
    server.post("/v1/track", TRACK)
    assert server.told[-1] == server.log.last


def test_counts_name_no_person(server: Running) -> None:
    server.post("/v1/track", {**TRACK, "userId": "ana@example.org"})
    text = server.collector.counters.text()
    assert 'requests_total{dialect="segment",status="200"}' in text
    assert "ana" not in text
    assert server.collector.counters.events > 0
    assert server.collector.counters.at_once == 0
