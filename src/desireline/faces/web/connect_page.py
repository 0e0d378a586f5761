"""Connect a site: choose what it is, copy the lines, see the first event come; and all sources as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desireline.faces.web.connect_kinds import KINDS, Kind, kind_of
from desireline.faces.web.connect_letters import ACTIONS, change_letters, letters_of
from desireline.faces.web.connect_lines import ways_of
from desireline.faces.web.connect_verdict import FirstEvent, first_event, verdict_events
from desireline.faces.web.drawing import counted
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.live_pulse import Pulse
from desireline.faces.web.reading import Reading
from desireline.project import Project
from desireline.storage.import_book import ImportBook
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.units import DAY_MS, moment_text

MOST_WORDS = 20_000
"""A form about a source holds no more letters than this."""


async def connect(request: Request) -> Response:
    """Choose what to connect; all sources so far."""
    context = await run_in_threadpool(_connect_context, request, {}, [])
    return await framed(request, "connect.html", context)


async def create(request: Request) -> Response:
    """Connect a source, and show the lines to copy; mistakes stand beside the form with what was written."""
    words = await _words(request)
    project: Project = request.app.state.project
    try:
        await run_in_threadpool(_create, project, words)
    except DesirelineError as error:
        mistakes = [str(mistake) for mistake in error.mistakes]
        context = await run_in_threadpool(_connect_context, request, words, mistakes)
        return await framed(request, "connect.html", context, status=422)
    return RedirectResponse(f"/connect/{quote(words['name'].strip(), safe='')}", status_code=303)


async def one_source(request: Request) -> Response:
    """One source: its key, the lines to copy, and whether anything came."""
    context = await run_in_threadpool(_source_context, request, _named(request))
    return await framed(request, "connect_source.html", context)


async def change(request: Request) -> Response:
    """Change a source: what it may send, whether it may, its key."""
    words, source = await _words(request), _named(request)
    project: Project = request.app.state.project
    await run_in_threadpool(_change, project, source, words)
    return RedirectResponse(f"/connect/{quote(source['name'], safe='')}", status_code=303)


def _named(request: Request) -> dict[str, Any]:
    sources = request.app.state.project.sources.all()
    wanted = request.path_params["source"]
    found: dict[str, Any] | None = next((each for each in sources if each["name"] == wanted), None)
    if found is None:
        raise HTTPException(
            404, f"There is no source '{wanted}'. {nearest(wanted, [s['name'] for s in sources])}".strip()
        )
    return found


async def _words(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=20, max_part_size=MOST_WORDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _create(project: Project, words: Mapping[str, str]) -> None:
    kind = KINDS.get(words.get("kind", ""))
    if kind is None:
        raise DesirelineError("Choose what to connect.")
    name = words.get("name", "").strip()
    unsigned = words.get("unsigned") == "yes"
    project.sources.add(
        name,
        dialect=kind.dialect,
        origins=_origins(words) if kind.from_browsers else [],
        recipe=kind.recipe,
        secret_env=_secret_env(name) if kind.signed and not unsigned else "",
        server_side=kind.server_side,
        unsigned=unsigned if kind.signed else kind.name == "email",
        says=kind.label,
    )


def _change(project: Project, source: Mapping[str, Any], words: Mapping[str, str]) -> None:
    action, name = words.get("action", ""), source["name"]
    if action in ("disable", "enable"):
        project.sources.change(name, enabled=action == "enable")
    elif action == "new-key":
        project.sources.change(name, new_key=True)
    elif action in ACTIONS:
        change_letters(project, source, words)
    elif action == "settings":
        project.sources.change(
            name, origins=_origins(words), per_second=_budget(words), says=words.get("says", "")[:200]
        )
    else:
        raise DesirelineError("A source can be changed, switched off or on, or be given a new key.")


def _origins(words: Mapping[str, str]) -> list[str]:
    return [origin.rstrip("/").lower() for origin in words.get("origins", "").split()]


def _budget(words: Mapping[str, str]) -> int:
    text = words.get("per_second", "").strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 100_000):
        raise DesirelineError(f"'{text[:20]}' is no budget. Write how many requests a second it may send, such as 100.")
    return int(text)


def _secret_env(name: str) -> str:
    """The name under which the environment holds the secret of a source."""
    return f"DESIRELINE_SECRET_{name.upper().replace('-', '_')}"


def _connect_context(request: Request, words: Mapping[str, str], mistakes: list[str]) -> dict[str, Any]:
    project: Project = request.app.state.project
    sources = project.sources.all()
    pulse: Pulse | None = request.app.state.pulse
    rows = _source_rows(reading_of(request), project, pulse, sources)
    return {
        "page_title": "Connect a site",
        "page_kind": "connect",
        "is_live": pulse is not None,
        "mistakes": mistakes,
        "words": {name: words.get(name, "") for name in ("name", "origins", "unsigned")},
        "kinds": [
            {
                "name": kind.name,
                "label": kind.label,
                "says": kind.says,
                "asks": "asks-origins" if kind.from_browsers else "asks-signature" if kind.signed else "",
                "here": words.get("kind", "site") == kind.name,
            }
            for kind in KINDS.values()
        ],
        "sources": rows,
        "sources_says": _sources_sentence(rows),
    }


def _sources_sentence(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "No source is connected yet."
    silent = sum(not row["heard"] for row in rows)
    words = f"{counted(len(rows))} {'source is' if len(rows) == 1 else 'sources are'} connected"
    if not silent:
        return f"{words}; all were heard."
    return f"{words}; nothing ever came from {counted(silent)} of them."


def _source_rows(
    reading: Reading, project: Project, pulse: Pulse | None, sources: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    seen = seen_of(reading, project)
    book = ImportBook(project.state)
    rows = []
    for source in sources:
        today, last = seen.get(source["name"], (0, 0))
        last = max(last, _last_told(pulse, source["name"]))
        refused = sum(row["rows"] for row in book.reasons(source=source["name"], import_id="live", status="waiting"))
        rows.append(
            {
                "name": source["name"],
                "address": f"/connect/{quote(source['name'], safe='')}",
                "says": source["says"] or "",
                "enabled": bool(source["enabled"]),
                "origins": ", ".join(source["origins"]) or "any",
                "budget": f"{counted(int(source['per_second'] or 0))} / s" if source["per_second"] else "none",
                "last": moment_text(last)[:19] if last else "never",
                "heard": bool(last),
                "today": counted(today),
                "refused": counted(refused),
                "letters": project.letters.says(source),
            }
        )
    return rows


def seen_of(reading: Reading, project: Project) -> dict[str, tuple[int, int]]:
    """Of each source how many interactions came today (UTC), and when the last one came."""
    now = reading.now
    today = project.as_of() // DAY_MS * DAY_MS if now.snapshot.interactions else 0
    rows = now.once(("sources seen",), lambda: now.rows("sources_seen", {"since": today}))
    return {str(row["source"]): (int(row["today"]), int(row["last_at"])) for row in rows}


def _last_told(pulse: Pulse | None, name: str) -> int:
    if pulse is None:
        return 0
    return int(pulse.read(lambda it: it.counts.by_source[name].last_at if name in it.counts.by_source else 0))


def _source_context(request: Request, source: dict[str, Any]) -> dict[str, Any]:
    project: Project = request.app.state.project
    pulse: Pulse | None = request.app.state.pulse
    row = _source_rows(reading_of(request), project, pulse, [source])[0]
    kind = _kind(source)
    host = request.app.state.public_address.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
    heard: FirstEvent = first_event(source, row, pulse, since=0, refused={})
    return {
        "page_title": f"Connect {source['name']}",
        "page_kind": "connect",
        "number": pulse.last if pulse is not None else 0,
        "source": source,
        "row": row,
        "kind": kind,
        "verdict": heard,
        "letters": letters_of(project, source),
        "is_live": pulse is not None,
        "ways": ways_of(kind, key=source["key"], host=host, secret_env=source["secret_env"] or ""),
        "host": host,
        "here": f"/connect/{quote(source['name'], safe='')}",
        "origins_text": "\n".join(source["origins"]),
        "live_address": f"/live?source={quote(source['name'], safe='')}",
    }


def _kind(source: Mapping[str, Any]) -> Kind:
    from desireline.project.sources import recipe_name

    return kind_of(source, recipe=recipe_name(source["recipe"] or ""))


ROUTES = [
    Route("/connect", connect),
    Route("/connect", create, methods=["POST"]),
    Route("/connect/{source}", one_source),
    Route("/connect/{source}", change, methods=["POST"]),
    Route("/connect/{source}/events", verdict_events),
]
