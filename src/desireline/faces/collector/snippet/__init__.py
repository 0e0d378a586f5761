"""Our own client for pages: one file, served as it is written, for a script tag or for any bundler."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from desireline.faces.collector.answers import SCRIPT, Answer

KEPT_SECONDS = 3_600
_HEADERS = (
    (b"cache-control", b"public, max-age=%d, stale-while-revalidate=86400" % KEPT_SECONDS),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept-Encoding"),
)


@cache
def text_of(name: str) -> str:
    """The file `snippet.mjs`, which exports `start`, or `snippet.js`, which a script tag starts."""
    module = _without_comments("snippet.mjs")
    if name == "snippet.mjs":
        return module
    assert name == "snippet.js", name
    plain = module.replace("\nexport function start(", "\nfunction start(")
    return "(() => {\n" + plain + _without_comments("tag.js") + "})();\n"


@cache
def script(name: str, *, packed: bool) -> Answer:
    """The file as an answer that every page may use and every cache may keep."""
    body = text_of(name).encode()
    if not packed:
        return Answer(200, body, SCRIPT, _HEADERS, for_all=True)
    headers = (*_HEADERS, (b"content-encoding", b"gzip"))
    return Answer(200, gzip.compress(body, 9, mtime=0), SCRIPT, headers, for_all=True)


def _without_comments(name: str) -> str:
    lines = files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("//")]
    return "\n".join(["", *kept, ""])
