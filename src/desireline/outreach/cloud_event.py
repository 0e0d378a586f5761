"""A notice as CloudEvents 1.0.2, structured JSON: the format webhooks are told in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from desireline.outreach.message import Surroundings
from desireline.outreach.notices import Notice

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def moment_text(milliseconds: int) -> str:
    """A moment as RFC 3339 in UTC, to the millisecond.

    >>> moment_text(1_500)
    '1970-01-01T00:00:01.500Z'
    """
    moment = datetime.fromtimestamp(milliseconds // 1_000, UTC).replace(microsecond=milliseconds % 1_000 * 1_000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cloud_event(notice: Notice, around: Surroundings, *, handles: Sequence[str] | None = None) -> bytes:
    """The body of a webhook; handles only for a listener who asked for them.

    Numbers longer than JavaScript can hold (person, opening) are texts.
    """
    data: dict[str, Any] = {
        "map": notice.map,
        "promise": notice.promise,
        "says": around.says(notice),
        "person": str(notice.person),
        "key": notice.key or None,
        "opening_id": str(notice.opening_id),
        "due_at": None if notice.due_at is None else moment_text(notice.due_at),
        "verdict": notice.verdict,
        "breach": notice.breach or None,
        "restated": notice.restated,
        "link": around.link(notice) or None,
    }
    if handles is not None:
        data["handles"] = list(handles)
    event = {
        "specversion": "1.0",
        "id": notice.id,
        "source": around.source,
        "type": f"desireline.{notice.kind}",
        "subject": str(notice.person),
        "time": moment_text(notice.at),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
