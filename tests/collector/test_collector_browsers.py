"""Pages of other sites may send: what their browsers ask first, and what they may read of the answer."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator

import pytest

from collector.running import TRACK, Running, running

SHOP_PAGE = "https://shop.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("collector")) as server:
        yield server


def _preflight(server: Running, path: str, origin: str = SHOP_PAGE) -> dict[str, str]:
    answer = server.ask(
        "OPTIONS",
        path,
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-retry-count",
        },
    )
    assert answer.status == 204
    return answer.headers


def test_the_requested_headers_are_echoed_so_that_retries_pass(server: Running) -> None:
    headers = _preflight(server, "/v1/t")
    assert headers["access-control-allow-headers"] == "authorization,content-type,x-retry-count"
    assert headers["access-control-allow-origin"] == SHOP_PAGE
    assert "POST" in headers["access-control-allow-methods"]
    assert headers["access-control-allow-credentials"] == "true"


def test_a_question_without_an_origin_is_answered_without_credentials(server: Running) -> None:
    answer = server.ask("OPTIONS", "/v1/t")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["null", "https://shop.example"])
def test_answers_can_be_read_by_the_page_that_sent(server: Running, origin: str) -> None:
    answer = server.post("/v1/track", TRACK, origin=origin)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-expose-headers"] == "Retry-After, X-RateLimit-Reset"
    assert answer.headers["vary"] == "Origin"


def test_refusals_can_be_read_too(server: Running) -> None:
    assert server.post("/v1/track", TRACK, key="no", origin=SHOP_PAGE).headers["access-control-allow-origin"]


def test_a_source_takes_only_from_its_origins(server: Running) -> None:
    before = server.log.last
    refused = server.post("/v1/track", TRACK, key="site-key", origin="https://elsewhere.example")
    assert (refused.status, refused.code) == (403, "origin.refused")
    assert "access-control-allow-origin" not in refused.headers
    by_body = server.post("/v1/track", {**TRACK, "writeKey": "site-key"}, key=None, origin="https://elsewhere.example")
    assert by_body.code == "origin.refused"
    assert server.log.last == before
    assert server.post("/v1/track", TRACK, key="site-key", origin=SHOP_PAGE).status == 200
    assert server.post("/v1/track", TRACK, key="site-key").status == 200


def test_a_beacon_needs_no_question_first(server: Running) -> None:
    answer = server.post(
        "/beacon/v1/batch?writeKey=site-key",
        {"batch": [TRACK]},
        key=None,
        origin=SHOP_PAGE,
        content_type="text/plain;charset=UTF-8",
        sec_fetch_mode="no-cors",
    )
    assert answer.status == 200


def test_a_page_may_reach_a_server_on_the_same_machine(server: Running) -> None:
    answer = server.ask(
        "OPTIONS", "/v1/t", headers={"origin": SHOP_PAGE, "access-control-request-private-network": "true"}
    )
    assert answer.headers["access-control-allow-private-network"] == "true"


def test_headers_that_are_no_names_are_not_echoed(server: Running) -> None:
    answer = server.ask("OPTIONS", "/v1/t", headers={"origin": "a b", "access-control-request-headers": "<script>"})
    assert "access-control-allow-headers" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"


def test_settings_and_pictures_may_be_used_by_other_sites(server: Running) -> None:
    settings = server.ask("GET", "/v1/projects/shop-key/settings", headers={"origin": SHOP_PAGE})
    assert settings.headers["access-control-allow-origin"] == SHOP_PAGE
    picture = server.ask("GET", "/pixel/v1/page?writeKey=shop-key&anonymousId=a&name=Home")
    assert picture.headers["cross-origin-resource-policy"] == "cross-origin"
    assert json.loads(server.frames()[-1].meta)["dialect"] == "segment"


@pytest.mark.parametrize(
    "path", ["/v1/projects/shop-key/settings", "/sourceConfig?v=3", "/array/phc_key/config", "/array/phc_key/config.js"]
)
def test_a_cache_gives_no_page_what_was_meant_for_another_page_or_another_key(server: Running, path: str) -> None:
    key = {"authorization": "Basic " + base64.b64encode(b"shop-key:").decode()}
    for headers in (key, {**key, "origin": SHOP_PAGE}):
        answer = server.ask("GET", path, headers=headers)
        assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=60")
        assert {"Origin", "Authorization"} <= set(answer.headers["vary"].split(", "))


@pytest.mark.parametrize("name", ["snippet.js", "snippet.mjs"])
def test_the_snippet_is_kept_by_caches_once_for_all_pages(server: Running, name: str) -> None:
    plain = server.ask("GET", f"/{name}", headers={"origin": SHOP_PAGE})
    packed = server.ask("GET", f"/{name}", headers={"accept-encoding": "br, gzip"})
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    for answer in (plain, packed):
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"].startswith("public, max-age=3600")
        assert answer.headers["vary"] == "Accept-Encoding"
