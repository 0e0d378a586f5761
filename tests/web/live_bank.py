"""A small bank at work: a real server that takes events in, keeps the promises' time, and shows its pages."""

from __future__ import annotations

import http.client
import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desireline.faces.collector import server_of
from desireline.faces.serve import Serving, at_work
from desireline.faces.web import listen
from desireline.project.project import Project, new_project

SOURCE = "shop"
MAP = """\
map: asking
says: Whoever asks is answered at once.
begins: {touchpoint: question.asked}
ends: {touchpoint: question.answered}
quiet_after: 30 days
phases:
  - phase: Asking
    steps:
      - {step: ask, touchpoint: question.asked}
      - {step: answer, touchpoint: question.answered}
promises:
  - promise: answered-at-once
    at: Asking/ask
    says: You are answered within a second.
    when: {touchpoint: question.asked}
    then: {touchpoint: question.answered}
    within: 1 second
  - promise: answered-today
    at: Asking/answer
    says: You are answered within a day.
    when: {touchpoint: question.asked}
    then: {touchpoint: question.answered}
    within: 1 day
"""


class LiveBank:
    """A running server, and who sends to it."""

    def __init__(self, project: Project, serving: Serving, address: str) -> None:
        self.project = project
        self.serving = serving
        self.address = address
        self.sent = 0

    def send(self, *messages: dict[str, Any], key: str = "", path: str = "/v1/batch", origin: str = "") -> int:
        """Send messages as a client does; says the status."""
        host = self.address.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        key = key or self.project.sources.named(SOURCE)["key"]
        headers = {"authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
        if origin:
            headers["origin"] = origin
        try:
            connection.request("POST", path, json.dumps({"batch": list(messages)}), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def ask(self, person: str, **more: Any) -> dict[str, Any]:
        """A question of somebody, as a Segment client tells it."""
        self.sent += 1
        named = {"handles": {"email": f"{person}@bank.example"}, "touchpoint": "question.asked", "channel": "web"}
        message = {"type": "track", "event": "question.asked", "messageId": f"m-{self.sent}", "userId": person}
        return {**message, "properties": {"desireline": {**named, **more}}}

    def until(self, done: Any, *, seconds: float = 60) -> Any:
        """Wait until something is so, and say what it is."""
        deadline = time.monotonic() + seconds
        while not (found := done()) and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        assert found, "it did not come to be"
        return found


def make_live_bank(folder: Path) -> Project:
    """A project with one map and one source, and nothing in it."""
    project = new_project(folder)
    (folder / "maps" / "asking.yaml").write_text(MAP, encoding="utf-8")
    project.sources.add(SOURCE, server_side=True, says="the shop's own server")
    return project


@contextmanager
def running(project: Project, *, port: int = 0) -> Iterator[LiveBank]:
    """The project at work for as long as the block runs, on a free port if none is given."""
    listening = listen(port)
    port = int(listening.getsockname()[1])
    with listening, at_work(project, port=port) as serving:
        server = server_of(serving.app)
        serving.pages.state.ending = lambda: server.should_exit
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        bank = LiveBank(project, serving, f"http://127.0.0.1:{port}")
        bank.until(lambda: server.started and serving.live.ready, seconds=60)
        yield bank
        server.should_exit = True
        thread.join(15)
