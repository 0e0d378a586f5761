"""A site on an origin of its own, in real Chromium, whose pages bring a client along; every request is watched."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html; charset=utf-8"}


class Site:
    """Pages and scripts by path, each page with its headers."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.modules: Path | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                body = site.files.get(path) or site.module(path)
                self.send_response(200 if body is not None else 404)
                self.send_header("content-type", TYPES.get(Path(path).suffix, TYPES[".html"]))
                for name, value in site.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def module(self, path: str) -> bytes | None:
        """A file of an installed client, under /modules/."""
        if self.modules is None or not path.startswith("/modules/"):
            return None
        file = self.modules / path.removeprefix("/modules/")
        return file.read_bytes() if file.is_file() else None

    def page(self, path: str, head: str, body: str = "") -> None:
        """Put up a page."""
        text = f"<!doctype html><html lang=en><head><title>{path}</title><link rel=icon href='data:,'>{head}</head>"
        self.files[path] = f"{text}<body>{body}</body></html>".encode()


@contextlib.contextmanager
def a_site() -> Iterator[Site]:
    """A site until the block ends."""
    site = Site()
    thread = threading.Thread(target=site._server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site._server.shutdown()
        site._server.server_close()
        thread.join(10)


class Visit:
    """A browser of one visitor, and everything that must not happen in it.

    expected: the beginnings of addresses its pages may ask.
    """

    def __init__(self, context: Any, *expected: str) -> None:
        self.context = context
        self.expected = (*expected, "data:", "blob:", "about:")
        self.strangers: list[str] = []
        self.errors: list[str] = []
        context.on("request", self._request)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._console)
        context.set_default_timeout(60_000)

    def open(self, url: str) -> Any:
        """A new tab."""
        page = self.context.new_page()
        page.goto(url)
        return page

    def check_nothing_strange(self) -> None:
        """No other host was asked, no script failed, no policy of the page was broken, no cookie was set."""
        assert self.strangers == []
        assert self.errors == []

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.expected):
            self.strangers.append(request.url)

    def _console(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.errors.append(message.text)
