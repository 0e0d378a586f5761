"""One address for two faces: whoever has a write key may send from anywhere, the pages stay for this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from collector.running import TRACK, Running, running
from desireline.faces.collector import Collector
from desireline.faces.serving import together
from desireline.faces.web.security import OnlyOurOwnPages

OWN = {"127.0.0.1:8765"}
FOREIGN = {"host": "collect.example", "origin": "https://shop.example"}
begun: list[str] = []


async def _page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("a page")


def _both(collector: Collector) -> Any:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        begun.append("pages")
        yield

    pages = Starlette(routes=[Route("/", _page), Route("/health", _page)], lifespan=lifespan)
    return together(collector, OnlyOurOwnPages(pages, hosts=OWN))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("together"), pages=_both) as server:
        yield server


def test_the_collector_takes_from_any_host_and_origin(server: Running) -> None:
    answer = server.post("/v1/track", TRACK, **FOREIGN)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == FOREIGN["origin"]
    assert server.ask("GET", "/v1/projects/shop-key/settings", headers=FOREIGN).status == 200


def test_the_pages_refuse_any_other_host_or_origin_and_write_no_cross_origin_header(server: Running) -> None:
    for headers in (FOREIGN, {"host": "127.0.0.1:8765", "origin": "https://shop.example"}, {"host": "collect.example"}):
        for path in ("/", "/health", "/maps"):
            answer = server.ask("GET", path, headers=headers)
            assert answer.status == 403, (path, headers)
            assert "access-control-allow-origin" not in answer.headers


def test_the_pages_answer_under_their_own_address(server: Running) -> None:
    answer = server.ask("GET", "/", headers={"host": "127.0.0.1:8765"})
    assert (answer.status, answer.body) == (200, b"a page")
    assert server.ask("GET", "/v1x", headers={"host": "127.0.0.1:8765"}).status == 404


def test_the_pages_hear_of_the_start(server: Running) -> None:
    assert begun == ["pages"]
