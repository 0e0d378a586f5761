"""One message: what came, its verdict, and whose interaction it became."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.live_mending import refused_row
from desireline.faces.web.live_pulse import Pulse
from desireline.faces.web.live_reading import Came, came
from desireline.faces.web.promise_page import person_address
from desireline.faces.web.reading import Reading
from desireline.faces.web.small_pictures import verdict_picture
from desireline.project import Project
from desireline.vocabulary.units import moment_text

MEANINGS = {"accepted": "kept", "repeated": "withdrawn", "quarantined": "broken"}
"""The shape and colour in which a verdict of a message is drawn."""


async def message(request: Request) -> Response:
    """One message: its text, its verdict, and whose interaction it became."""
    project: Project = request.app.state.project
    words = [request.path_params[name] for name in ("sequence", "position")]
    pulse: Pulse | None = request.app.state.pulse
    if pulse is None or not all(word.removeprefix("-").isdigit() and len(word) < 16 for word in words):
        raise HTTPException(404, "There is no such message here.")
    found = await run_in_threadpool(came, project, int(words[0]), int(words[1]))
    if found is None:
        raise HTTPException(404, "The log holds no such message.")
    context = await run_in_threadpool(_message_context, reading_of(request), pulse, found)
    return await framed(request, "live_message.html", context)


def _message_context(reading: Reading, pulse: Pulse, found: Came) -> dict[str, Any]:
    told = pulse.message(found.sequence, found.position)
    people = reading.people_of_handles([made.handle for made in found.made if made.handle is not None])
    names = reading.names_of(list(people.values()))
    verdict = told.verdict if told else ("quarantined" if found.refused and not found.made else "accepted")
    if found.refused is not None and found.refused.status == "replayed" and found.made:
        verdict = "accepted"
    reason = found.refused.reason if found.refused is not None and verdict == "quarantined" else ""
    return {
        "page_title": "A message",
        "page_kind": "live-message",
        "message_place": f"{found.sequence}/{found.position}",
        "says": _message_sentence(verdict, len(found.made)),
        "verdict": verdict,
        "class": MEANINGS.get(verdict, ""),
        "picture": verdict_picture(MEANINGS.get(verdict, "")),
        "reason": reason,
        "nothing": _NOTHING.get(verdict, "No interaction, or none yet: what came a moment ago is still on its way."),
        "source": found.source or "(no source)",
        "received": moment_text(found.received_at),
        "text": found.text,
        "cut": found.cut,
        "made": [
            {
                "at": moment_text(made.occurred_at),
                "what": made.touchpoint,
                "channel": made.channel,
                "direction": made.direction,
                "name": names.get(people.get(made.handle or 0, 0), "somebody new" if made.handle else "nobody known"),
                "address": person_address(people[made.handle]) if made.handle in people else "",
            }
            for made in found.made
        ],
        "refused": refused_row(found.refused)
        if found.refused is not None and found.refused.status == "waiting"
        else None,
    }


_NOTHING = {
    "quarantined": "Nothing yet: mend it, and it becomes what it would have been.",
    "repeated": "Nothing new: what came first counts.",
}


def _message_sentence(verdict: str, made: int) -> str:
    if verdict == "quarantined":
        return "This message lies in quarantine. Nothing of it is lost."
    if verdict == "repeated":
        return "This message was seen before. It counts once."
    return "This message was accepted." if made != 1 else "This message became one interaction."
