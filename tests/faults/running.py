"""A real server in a process of its own, to be killed, started again, and sent to by clients that retry."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from desireline.project import Project
from free_ports import free_port

START_SECONDS = 120


class Server:
    """`desireline serve` on one project."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        environment: dict[str, str] | None = None,
        under: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        """`under` goes before the command, such as strace; `options` are more of `serve`."""
        self.folder, self.port = folder, port or free_port()
        self.under, self.options = under, options
        self.environment = os.environ | (environment or {})
        self.process: subprocess.Popen[bytes] | None = None
        self._said = -1

    @property
    def said(self) -> str:
        """All it wrote to its standard error since it was started last."""
        return os.pread(self._said, os.fstat(self._said).st_size, 0).decode()

    def start(self, *, wait: bool = True) -> Server:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "desireline.faces.cli", "serve", "--project", str(self.folder)]
        with tempfile.TemporaryFile() as said:
            self._said = os.dup(said.fileno())
            self.process = subprocess.Popen(
                [*self.under, *command, "--port", str(self.port), "--no-open", *self.options],
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=self.environment,
            )
        if wait:
            self.wait_for("/health")
        return self

    def wait_for(self, path: str, *, status: int = 200) -> None:
        """Wait until an address answers so."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.said[-2000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get(path)[0] == status:
                    return
            threading.Event().wait(0.05)
        raise AssertionError(f"{path} never answered {status}")

    def get(self, path: str) -> tuple[int, bytes]:
        """One GET."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: Any, *, key: str) -> tuple[int, bytes]:
        """One POST of JSON with a write key."""
        headers = {"authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
        return self._ask("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)

    def source_key(self, name: str) -> str:
        """The write key of a source of the project."""
        project = Project(self.folder)
        key = str(project.sources.named(name)["key"])
        project.state.close()
        return key

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and say how it ended."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@dataclass
class Client:
    """A client that sends batches and sends each again, with the same ids, until it is answered 200."""

    server: Server
    key: str
    name: str
    seed: int
    acked: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send until told to stop; the last batch is sent until it is acknowledged or the stop is final."""
        chance, number = Random(self.seed), 0
        while not self.stopping.is_set():
            batch = [self._message(chance, number + each) for each in range(chance.randint(1, 5))]
            number += len(batch)
            while not self.stopping.is_set():
                try:
                    if self.server.post("/v1/batch", {"batch": batch}, key=self.key)[0] == 200:
                        self.acked += [each["messageId"] for each in batch]
                        break
                except (OSError, http.client.HTTPException):
                    self.stopping.wait(0.05)

    def _message(self, chance: Random, number: int) -> dict[str, Any]:
        return {
            "type": "track",
            "messageId": f"{self.name}-{number}",
            "event": chance.choice(("Ticket Opened", "Ticket Answered", "Page Seen")),
            "userId": f"person{chance.randrange(50)}",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"case": f"c{chance.randrange(80)}"},
        }
