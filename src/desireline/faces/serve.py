"""One server for one project: takes interactions in, keeps promises' time, shows the pages. Ends gracefully."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from desireline.faces.collector import Collector, Source, Sources, make_quick, server_of
from desireline.faces.control import Control
from desireline.faces.listening import TwoDoors, listen_outside
from desireline.faces.operating import PATHS, Operating, OperatingOutside
from desireline.faces.serving import together
from desireline.faces.web import create_app, listen
from desireline.project import DemoFeed, Hub, Live, Project, announced, elapsed_ms
from desireline.storage.log import Log

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 2.0
"""So long a message to a listener may take to arrive once the server is to end; it is told again at the next start."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A project at work: the application to serve, and what it is made of."""

    app: Any
    pages: Any
    project: Project
    log: Log
    collector: Collector
    live: Live
    hub: Hub


def serve(
    project: Project,
    *,
    port: int = 8765,
    open_page: bool = False,
    feed_per_second: float = 0.0,
    outside: tuple[str, int] | None = None,
    public_address: str = "",
) -> None:
    """Serve until interrupted. Port 0 takes a free one. The pages are for this machine only.

    feed_per_second: so many interactions of the demo's customers are sent to the collector every second.
    outside: a second address that answers collector addresses, `/health` and `/ready` only.
    public_address: where clients reach the collector, such as https://collect.harbour.example.
    """
    with until_stopped(), ExitStack() as held:
        listening = [held.enter_context(listen(port))]
        if outside is not None:
            listening.append(held.enter_context(listen_outside(outside)))
        own_port = port_of(listening[0])
        serving = held.enter_context(at_work(project, port=own_port, public_address=public_address))
        address = f"http://{LOOPBACK}:{own_port}/"
        sys.stdout.write(f"Desireline shows {project.file.name} at {address} (Ctrl-C ends it)\n")
        if outside is not None:
            sys.stdout.write(f"It takes interactions in at {outside[0]} port {port_of(listening[1])}\n")
        sys.stdout.flush()
        if open_page:
            threading.Timer(0.6, webbrowser.open, [address]).start()
        feed = DemoFeed(project, port=own_port, per_second=feed_per_second)
        held.callback(feed.stop)
        if feed_per_second:
            threading.Thread(target=_when_ready, args=(serving.live, feed.start), daemon=True).start()
        make_quick()
        server = server_of(serving.app, gate=serving.collector.gate)
        serving.pages.state.ending = lambda: server.should_exit
        server.run(sockets=listening)


@contextmanager
def until_stopped() -> Iterator[None]:
    """Ctrl-C or SIGTERM end the block, and everything in it, well: what was accepted is answered and on disk."""

    def ended(_signal: int, _frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            sys.stderr.write("Stopped.\n")
        logging.getLogger("desireline.serve").info("stopped")
    finally:
        signal.signal(signal.SIGTERM, before)


def _when_ready(live: Live, begin: Callable[[], None]) -> None:
    if live.wait_until_ready(60):
        begin()


@contextmanager
def at_work(
    project: Project, *, port: int, public_address: str = "", elapsed: Callable[[], int] = elapsed_ms
) -> Iterator[Serving]:
    """Hold a project and do its live work for as long as the block runs.

    elapsed: milliseconds that passed since some moment, by which a stepped clock is noticed.
    """
    with (
        project.steady_time(elapsed=elapsed),
        project.holding("desireline serve"),
        announced(project, port=port) as token,
    ):
        hub = Hub()
        deliverer = project.telling.deliverer()
        live = Live(project, hub, when_told=deliverer.wake)
        collector = Collector(project.record.log, Sources(), now=project.now)
        reload = reloading(project, collector, public_address=public_address)
        reload()
        project.sources.changed.append(reload)
        refusals = collector.counters.refusals
        pages = create_app(project, port=port, live=live, refusals=refusals, public_address=public_address)
        letters = project.letters.coming_in()
        project.sources.changed.append(letters.wake)
        deliverer.start()
        live.start()
        letters.start()
        routes: dict[str, Any] = {"/control/": Control(project, token)}
        app = TwoDoors(before(routes, together(collector, pages)), collector=collector, loopback=(LOOPBACK, port))
        serving = Serving(app, pages, project, project.record.log, collector, live, hub)
        app.operating = OperatingOutside(serving)
        routes |= dict.fromkeys(PATHS, Operating(serving, port=port))
        try:
            yield serving
        finally:
            collector.stop()
            letters.stop(seconds=STOP_SECONDS)
            live.stop()
            deliverer.stop(seconds=STOP_SECONDS)
            project.sources.changed.remove(reload)
            project.sources.changed.remove(letters.wake)


def reloading(project: Project, collector: Collector, *, public_address: str = "") -> Callable[[], None]:
    """What to call when the project's sources or settings changed."""

    def reload() -> None:
        collector.public_address = public_address or project.file.public_url
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
