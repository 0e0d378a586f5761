"""The collector's door of a desk, without a network between."""

from __future__ import annotations

import asyncio

import httpx

from desireline.faces.collector import Collector, Sources
from desireline.faces.serve import source_of
from project.live_desk import Desk


class Door:
    """The collector of a desk, asked over HTTP in this process: what it answers with success lies in the log."""

    def __init__(self, desk: Desk) -> None:
        project = desk.project
        sources = Sources()
        sources.replace([source_of(each) for each in project.sources.all()])
        self._keys = {each["name"]: each["key"] for each in project.sources.all()}
        self._collector = Collector(project.record.log, sources, now=desk.clock)
        self._loop = asyncio.Runner()

    def hand_in(self, source: str, body: bytes) -> None:
        """Hand a record in at the hook of a source; it must be taken."""
        answer = self._loop.run(self._post(f"/hooks/{self._keys[source]}", body))
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        """Take nothing more in."""
        self._collector.stop()
        self._loop.close()

    async def _post(self, path: str, body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(self._collector)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(path, content=body)
