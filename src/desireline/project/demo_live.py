"""The demo in motion: the bank's customers go on living at the collector's door, on the demo's own clock.

The bank's three years end on its last day; the demo's clock goes on from there, one second a second, so
that everything fits together although no such bank exists.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from desireline.project.clock import now_ms
from desireline.storage.durable import replacing
from desireline.world import END_MS, Customer, Feed

if TYPE_CHECKING:
    from desireline.project.project import Project

SOURCE = "bank-live"
BATCH = 5
CLOCK_FILE = "demo-clock.json"
MOST_CUSTOMERS = 5_000
REPEATED_SHARE = 0.01
LOOPBACK = "127.0.0.1"


def demo_clock(folder: Path) -> Callable[[], int]:
    """The demo's clock: it began at the end of the bank's world when the demo first went live."""
    path = folder / "data" / CLOCK_FILE
    if path.exists():
        begun = int(json.loads(path.read_text(encoding="utf-8"))["begun_at"])
    else:
        begun = now_ms()
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({"begun_at": begun}), encoding="utf-8")
    return lambda: END_MS + 1 + max(0, now_ms() - begun)


def open_demo(folder: Path, *, live: bool) -> Project:
    """Open a demo; one that ever went live keeps its own clock."""
    from desireline.project.project import Project

    if live or (folder / "data" / CLOCK_FILE).exists():
        return Project(folder, now=demo_clock(folder), is_apart=True)
    return Project(folder)


class DemoFeed:
    """Sends so many interactions a second to a running server, over HTTP as any client, until stopped."""

    def __init__(self, project: Project, *, port: int, per_second: float = 50.0) -> None:
        self.project = project
        self.port = port
        self.per_second = per_second
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo feed", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        key = self._key()
        feed = Feed(customers_of(self.project), seed=self.project.now(), begun=f"d{self.project.now()}")
        chance = feed.chance
        began, sent, last = time.monotonic(), 0, b""
        while not self._stopping.is_set():
            due = int((time.monotonic() - began) * self.per_second)
            if sent + BATCH > due:
                self._stopping.wait(0.02)
                continue
            messages = feed.messages(self.project.now(), BATCH)
            body = json.dumps({"batch": messages}).encode()
            self._post(key, body)
            if last and chance.random() < REPEATED_SHARE:
                self._post(key, last)
            last, sent = body, sent + BATCH

    def _post(self, key: str, body: bytes) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        basic = b64encode(f"{key}:".encode()).decode()
        try:
            connection.request("POST", "/v1/batch", body, {"authorization": f"Basic {basic}"})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            logging.getLogger("desireline.demo").warning("the demo's feed waits: %s", type(error).__name__)
            self._stopping.wait(1)
        finally:
            connection.close()

    def _key(self) -> str:
        known = [each for each in self.project.sources.all() if each["name"] == SOURCE]
        source = known[0] if known else self.project.sources.add(SOURCE, server_side=True, says="the demo's customers")
        return str(source["key"])


def customers_of(project: Project) -> list[Customer]:
    """The bank's customers by their handles."""
    question = files("desireline.project").joinpath("demo_customers.sql").read_text(encoding="utf-8")
    with project.lake.connection() as connection:
        found = connection.execute(question, {"most": MOST_CUSTOMERS}).fetchall()
    return [Customer(*(value or "" for value in row)) for row in found]
