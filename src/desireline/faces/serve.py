"""One server for one project: takes interactions in, keeps promises' time, shows the pages. Ends gracefully."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from desireline.faces.collector import Collector, Source, Sources, make_quick, server_of
from desireline.faces.control import Control
from desireline.faces.operating import PATHS, Operating
from desireline.faces.serving import together
from desireline.faces.web import create_app, listen
from desireline.project import DemoFeed, Hub, Live, Project, announced
from desireline.storage.log import Log

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Serving:
    """A project at work: the application to serve, and what it is made of."""

    app: Any
    project: Project
    log: Log
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
        run_until_stopped(server_of(serving.app), listening)
        feed.stop()


def run_until_stopped(server: Any, listening: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; the server hands the signal on when it has ended, and everything ends well."""

    def ended(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ended)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
    finally:
        signal.signal(signal.SIGTERM, before)


def _when_ready(live: Live, begin: Callable[[], None]) -> None:
    if live.wait_until_ready(60):
        begin()


@contextmanager
def at_work(project: Project, *, port: int) -> Iterator[Serving]:
    """Hold a project and do its live work for as long as the block runs."""
    with project.holding("desireline serve"), announced(project, port=port) as token:
        hub = Hub()
        deliverer = project.telling.deliverer()
        live = Live(project, hub, when_told=deliverer.wake)
        collector = Collector(project.record.log, Sources(), now=project.now)
        reload = reloading(project, collector)
        reload()
        project.sources.changed.append(reload)
        pages = create_app(project, port=port, live=live)
        deliverer.start()
        live.start()
        routes: dict[str, Any] = {"/control/": Control(project, token)}
        app = before(routes, together(collector, pages))
        serving = Serving(app, project, project.record.log, collector, live, hub)
        routes |= dict.fromkeys(PATHS, Operating(serving))
        try:
            yield serving
        finally:
            collector.stop()
            live.stop()
            deliverer.stop()
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
        unsigned=bool(row["unsigned"]),
        server_side=row["server_side"],
        enabled=row["enabled"],
    )


def port_of(listening: socket.socket) -> int:
    """The port a socket listens on."""
    return int(listening.getsockname()[1])


def before(routes: Mapping[str, Any], app: Any) -> Any:
    """An application that looks at these beginnings of paths first."""

    async def either(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        found = next((routes[each] for each in routes if path.startswith(each)), app)
        await (found if scope["type"] == "http" else app)(scope, receive, send)

    return either
