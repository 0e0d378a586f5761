"""Runs an application behind the guarded protocol: uvicorn on uvloop, nothing logged about requests."""

from __future__ import annotations

import atexit
import gc
import socket
import sys
from typing import Any

import uvicorn

from desireline.faces.collector.app import Collector
from desireline.faces.collector.gate import Gate
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.protocol import GuardedProtocol

SWITCH_SECONDS = 0.001
"""How long a busy loop may keep the log's writer from running: a group commit waits for it twice."""
KEEP_ALIVE_SECONDS = 65
BACKLOG = 2_048


def server_of(
    app: Any, *, limits: Limits | None = None, gate: Gate | None = None, lifespan: bool = True
) -> uvicorn.Server:
    """A server for an ASGI application, to be run with `server.serve(sockets=[listening])` or `run`.

    No proxy is believed and no request is logged. Connections beyond `limits.connections` are answered 503
    by the protocol itself, and so are requests that find the collector's `gate` full, before they are read.
    uvicorn's own `limit_concurrency` stays off, since it counts idle connections as work and answers without
    Retry-After.
    """
    given = limits or Limits()
    protocol = type("LimitedProtocol", (GuardedProtocol,), {"limits": given, "gate": gate})
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on" if lifespan else "off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def serve_collector(app: Collector, listening: socket.socket, *, limits: Limits | None = None) -> None:
    """Serve on a socket that already listens until interrupted."""
    make_quick()
    server_of(app, limits=limits, gate=app.gate).run(sockets=[listening])


def make_quick() -> None:
    """Set this process up for many short requests: threads take turns sooner, and what was loaded
    at the start is no longer looked through for garbage."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(20_000, 20, 50)
