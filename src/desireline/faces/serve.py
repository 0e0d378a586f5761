"""One server for one project: takes interactions in, keeps promises' time, shows the pages. Ends gracefully."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from desireline.faces.collector import Collector, Source, Sources, make_quick, server_of
from desireline.faces.control import Control
from desireline.faces.serving import together
from desireline.faces.web import create_app, listen
from desireline.project import DemoFeed, Hub, Live, Project, announced

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Serving:
    """A project at work: the application to serve, and what it is made of."""

    app: Any
    collector: Collector
    live: Live
    hub: Hub


def serve(project: Project, *, port: int = 8765, open_page: bool = False, feed_per_second: float = 0.0) -> None:
    """Serve until interrupted. Port 0 takes a free one. Nothing but this machine can reach it.

    feed_per_second: so many interactions of the demo's customers are sent to the collector every second.
    """
    listening = listen(port)
    with listening, at_work(project, port=port_of(listening)) as serving:
        address = f"http://{LOOPBACK}:{port_of(listening)}/"
        sys.stdout.write(f"Desireline shows {project.file.name} at {address} (Ctrl-C ends it)\n")
        sys.stdout.flush()
        if open_page:
            threading.Timer(0.6, webbrowser.open, [address]).start()
        feed = DemoFeed(project, port=port_of(listening), per_second=feed_per_second)
        if feed_per_second:
            threading.Thread(target=_when_ready, args=(serving.live, feed.start), daemon=True).start()
        make_quick()
        server_of(serving.app).run(sockets=[listening])
        feed.stop()


def _when_ready(live: Live, begin: Callable[[], None]) -> None:
    if live.wait_until_ready(60):
        begin()


@contextmanager
def at_work(project: Project, *, port: int) -> Iterator[Serving]:
    """Hold a project and do its live work for as long as the block runs."""
    with project.holding("desireline serve"), announced(project, port=port) as token:
        hub = Hub()
        live = Live(project, hub)
        collector = Collector(project.record.log, Sources(), now=project.now)
        reload = reloading(project, collector)
        reload()
        project.sources.changed.append(reload)
        pages = create_app(project, port=port, live=live)
        live.start()
        try:
            yield Serving(_with_control(together(collector, pages), Control(project, token)), collector, live, hub)
        finally:
            collector.stop()
            live.stop()
            project.sources.changed.remove(reload)


def reloading(project: Project, collector: Collector) -> Callable[[], None]:
    """What to call when the project's sources changed."""

    def reload() -> None:
        collector.sources.replace([source_of(each) for each in project.sources.all()])

    return reload


def source_of(row: dict[str, Any]) -> Source:
    """A source as the collector knows it; its secrets come from the environment, two while one is being changed."""
    secrets = os.environ.get(row["secret_env"] or "", "").split()
    return Source(
        name=row["name"],
        dialect=row["dialect"],
        key=row["key"],
        origins=tuple(row["origins"]),
        per_second=float(row["per_second"] or 0),
        recipe=row["recipe"] or "",
        secrets=tuple(secrets),
        server_side=row["server_side"],
        enabled=row["enabled"],
    )


def port_of(listening: socket.socket) -> int:
    """The port a socket listens on."""
    return int(listening.getsockname()[1])


def _with_control(app: Any, control: Control) -> Any:
    async def either(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/control/"):
            await control(scope, receive, send)
        else:
            await app(scope, receive, send)

    return either
