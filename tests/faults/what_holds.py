"""What holds for every request, whatever anybody sends: checked by the fuzzer, by random tests and by tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from desireline.intake.dialects import DIALECTS, Message, Read, Received, Refused, Setting, content_of, read, rows_of
from desireline.intake.dialects.rows import COLUMNS
from desireline.vocabulary.interaction import BY_COLUMN, DIRECTIONS, TIME_QUALITIES, sql_type

NOW = 1_795_375_236_000
PUBLIC = Setting("site", "Europe/Berlin", "EUR", "49", server_side=False)
SECRET = Setting("site", "Europe/Berlin", "EUR", "49", server_side=True)
WIRE_DIALECTS = ("segment", "posthog", "cloudevents", "webhook")
STATUSES = (400, 413, 415)
REASON = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)+: .+", re.DOTALL)
CODE = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)+")


def request(
    body: Any = b"",
    dialect: str = "segment",
    *,
    path: str = "/v1/batch",
    method: str = "POST",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    sequence: int = 7,
    received_at: int = NOW,
) -> Received:
    """A request as it lies in the log."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Received(sequence, received_at, "site", dialect, method, path, query, headers or {}, body)


def checked(received: Received) -> tuple[Read, list[dict[str, Any]]]:
    """Reads a request, makes its rows with both kinds of key, and checks what always holds."""
    told = read(received)
    assert told == read(received), "read twice, read differently"
    if told.problem is not None:
        assert told.problem.status in STATUSES
        assert CODE.fullmatch(told.problem.code), told.problem
        assert told.problem.says
        assert not told.messages
        return told, []
    assert [message.position for message in told.messages] == list(range(len(told.messages)))
    rows = []
    for message in told.messages:
        _check_message(message)
        rows += check_rows(message, received, PUBLIC)
        check_rows(message, received, SECRET)
    return told, rows


def _check_message(message: Message) -> None:
    assert isinstance(message.body, Mapping)
    assert message.key is None or (isinstance(message.key, str) and 0 < len(message.key) <= 300)
    json.dumps(message.body, allow_nan=False).encode()
    assert not message.refused or REASON.fullmatch(message.refused), message.refused
    assert 0 <= content_of(message) < 2**63


def check_rows(message: Message, received: Received, setting: Setting = SECRET) -> list[dict[str, Any]]:
    """The rows of a message, each fitting the lake; none when it is refused with a reason."""
    try:
        rows = rows_of(message, received, setting)
    except Refused as refused:
        assert REASON.fullmatch(refused.reason), refused.reason
        return []
    assert not message.refused
    assert len({row["source_key"] for row in rows}) == len(rows)
    for row in rows:
        check_row(row, received)
    return rows


def check_row(row: Mapping[str, Any], received: Received) -> None:
    """Every column is there and holds what the lake can hold."""
    assert tuple(row) == COLUMNS
    for column, value in row.items():
        if value is not None:
            _check_value(column, sql_type(BY_COLUMN[column]), value)
    assert row["touchpoint"]
    assert row["source_key"]
    assert row["direction"] in DIRECTIONS
    assert row["time_quality"] in TIME_QUALITIES
    assert row["occurred_at"] <= received.received_at
    assert row["handles"] != []
    assert len(set(row["handles"] or ())) == len(row["handles"] or ())
    assert row["properties"] is None or isinstance(json.loads(row["properties"]), dict)


def _check_value(column: str, kind: str, value: Any) -> None:
    if kind == "BIGINT":
        assert type(value) is int, (column, value)
        assert -(2**63) <= value < 2**63, (column, value)
    elif kind == "DOUBLE":
        assert type(value) is float, (column, value)
    elif kind == "BOOLEAN":
        assert type(value) is bool, (column, value)
    elif kind == "VARCHAR[]":
        assert type(value) is list, (column, value)
        for text in value:
            _check_text(column, text)
            assert ":" in text, (column, value)
    else:
        _check_text(column, value)


def _check_text(column: str, text: Any) -> None:
    assert type(text) is str, (column, text)
    assert text, column
    assert "\x00" not in text.encode().decode(), (column, text)


def known_dialects() -> tuple[str, ...]:
    """The dialects of the wire that this version brings."""
    return tuple(name for name in WIRE_DIALECTS if name in DIALECTS)
