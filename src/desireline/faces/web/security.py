"""Who may ask this server anything: this machine only, from its own pages only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No inline script or style, nothing from any other host, no frame around our pages."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "cache-control": "no-store",
}
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SAFE_METHODS = ("GET", "HEAD")


def own_addresses(port: int) -> frozenset[str]:
    """The values of `Host` by which this server may be called.

    >>> "127.0.0.1:8080" in own_addresses(8080), "shop.example:8080" in own_addresses(8080)
    (True, False)
    """
    names = {f"{name}:{port}" for name in LOOPBACK_NAMES}
    return frozenset(names | set(LOOPBACK_NAMES)) if port == 80 else frozenset(names)


def refusal(*, method: str, headers: Headers, hosts: Iterable[str]) -> str:
    """Why this request is refused, or an empty text when it may pass.

    A foreign `Host` is a name that was re-bound to this machine (DNS rebinding). A change must come
    from one of our own pages: same `Origin`, or `Sec-Fetch-Site: same-origin` where a browser sends
    no `Origin`. Headers that proxies set (`X-Forwarded-*`) play no part.
    """
    host = headers.get("host", "").lower()
    if host not in set(hosts):
        return "This server answers only on its own address. Open the address that the command line printed."
    origin = headers.get("origin")
    if origin is not None and (
        urlsplit(origin).scheme not in ("http", "https") or urlsplit(origin).netloc.lower() != host
    ):
        return "This request comes from another site and was refused."
    if method in _SAFE_METHODS:
        return ""
    if origin is None and headers.get("sec-fetch-site") != "same-origin":
        return "A change must come from a page of this server. Use the buttons of the page or the command line."
    return ""


class OnlyOurOwnPages:
    """Refuses foreign hosts and origins, and gives every answer its protecting headers."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        because = refusal(method=scope["method"], headers=Headers(scope=scope), hosts=self.hosts)
        if because:
            answer = PlainTextResponse(because + "\n", status_code=403)
            await answer(scope, receive, send_protected)
            return
        await self.app(scope, receive, send_protected)
