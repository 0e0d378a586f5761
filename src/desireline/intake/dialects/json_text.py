"""JSON read strictly: fast where nothing is odd, carefully where something is, never with an exception.

The fast reader (msgspec) reads every event once and a walk counts its keys and its depth. Only what
it refuses, or what a cheap scan finds odd - a key twice, a NUL, a number beyond 64 bits - is read again
by the standard library, whose hooks tell what was odd.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from desireline.intake.dialects.received import Problem

MOST_DEPTH = 32
MOST_KEYS = 1_000
MOST_EVENT_BYTES = 1024 * 1024
FEW_EVENT_BYTES = 32 * 1024
"""An event larger than `FEW_EVENT_BYTES` is kept with a warning, one larger than `MOST_EVENT_BYTES` is refused."""
FEW_EVENTS = 2_500
MOST_CAREFUL_BYTES = 1024 * 1024
"""How much of one request is read carefully: that takes ten times as long."""
LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
_LONGEST_NUMBER = 64
_NOTED = 8

_decode = msgspec.json.decode
_decode_top = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_KEY_WRITTEN = re.compile(rb'"[ \t\r\n]*:')
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_FAST_REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

TOO_DEEP = f"json.too_deep: nested deeper than {MOST_DEPTH} levels; send flatter properties"
TOO_MANY_KEYS = f"json.too_many_keys: more than {MOST_KEYS:,} keys; send fewer properties"
TOO_LARGE = "event.too_large: larger than 1 MB; send less with one event"
NO_OBJECT = "event.not_an_object: an event is a JSON object; send {...}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was read; `odd` is what was mended, `refused` why it cannot be kept."""

    body: dict[str, Any]
    size_bytes: int
    odd: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A body: what stands around the events, and the events."""

    around: dict[str, Any]
    events: tuple[Event, ...]
    is_batch: bool


def read_document(text: bytes, *, batch_names: Sequence[str]) -> Document | Problem:
    """The events of a body: a list of them, a list under one of `batch_names`, or a single one."""
    try:
        return _fast(text, batch_names)
    except _FAST_REFUSALS as refusal:
        if isinstance(refusal, RecursionError):
            return Problem(400, "json.too_deep", "The JSON is nested far too deep. Send flatter properties.")
        if len(text) > MOST_CAREFUL_BYTES:
            return Problem(400, "json.malformed", f"The body is not JSON: {refusal}.")
    return _careful_document(text, batch_names)


def _fast(text: bytes, batch_names: Sequence[str]) -> Document | Problem:
    budget = [MOST_CAREFUL_BYTES]
    begins = text.lstrip(b" \t\r\n")[:1]
    if begins == b"[":
        return Document({}, _fast_events(_decode_list(text), text, 0, budget), is_batch=True)
    if begins != b"{":
        _decode(text)
        return Problem(400, "json.shape", "The body is neither a JSON object nor a list. Send one event or a batch.")
    top = _decode_top(text)
    for name in batch_names:
        listed = top.get(name)
        if listed is not None and bytes(listed)[:1] == b"[":
            del top[name]
            around = {word: _decode(value) for word, value in top.items()}
            events = _fast_events(_decode_list(listed), text, len(top) + 1 + _keys_below(around), budget)
            return Document(_fit(around), events, is_batch=True)
    return Document({}, (_fast_event(text, _decode(text), budget, look=_may_be_odd(text, None)),), is_batch=False)


def _keys_below(around: dict[str, Any]) -> int:
    keys, _, _ = measured(around)
    return keys - len(around)


def _fit(around: dict[str, Any]) -> dict[str, Any]:
    """What stands around a batch, cleaned; if it is odd beyond mending it is left out."""
    try:
        return dict(_Sweep().swept(around, 1))
    except _TooDeep:
        return {}


def _fast_events(raws: list[msgspec.Raw], text: bytes, keys_around: int, budget: list[int]) -> tuple[Event, ...]:
    bodies = [_decode(raw) for raw in raws]
    whole = [measured(body) if type(body) is dict else (0, 1, False) for body in bodies]
    odd_somewhere = _may_be_odd(text, keys_around + sum(count for count, _, _ in whole))
    return tuple(
        _event(raw, body, count, budget, look=odd_somewhere)
        for raw, body, count in zip(raws, bodies, whole, strict=True)
    )


def _fast_event(raw: bytes, body: Any, budget: list[int], *, look: bool) -> Event:
    return _event(raw, body, measured(body) if type(body) is dict else (0, 1, False), budget, look=look)


def _may_be_odd(text: bytes, keys: int | None) -> bool:
    """Whether events must be looked at one by one: a NUL, or more keys written than were read."""
    if b"\\u0000" in text or keys is None or b" :" in text or b"\n:" in text or b"\t:" in text or b"\r:" in text:
        return True
    return text.count(b'":') != keys


def _event(
    raw: bytes | msgspec.Raw, body: Any, count: tuple[int, int, bool], budget: list[int], *, look: bool
) -> Event:
    size = memoryview(raw).nbytes
    keys, depth, beyond = count
    if size > MOST_EVENT_BYTES:
        return Event({}, size, refused=TOO_LARGE)
    if type(body) is not dict:
        return Event({}, size, refused=NO_OBJECT)
    if depth > MOST_DEPTH:
        return Event({}, size, refused=TOO_DEEP)
    if keys > MOST_KEYS:
        return Event({}, size, refused=TOO_MANY_KEYS)
    if not beyond and not (look and _is_odd(bytes(raw), keys)):
        return Event(body, size)
    budget[0] -= size
    if budget[0] < 0:
        return Event({}, size, refused="json.odd: too much of this request needs mending; send clean JSON")
    loaded = _loaded(bytes(raw))
    return Event(body, size) if isinstance(loaded, Problem) else _swept_event(loaded, size)


def _is_odd(raw: bytes, keys: int) -> bool:
    return b"\\u0000" in raw or len(_KEY_WRITTEN.findall(raw)) != keys


def measured(body: Any) -> tuple[int, int, bool]:
    """How many keys a value has, how deep it is nested, and whether a whole number needs more than 64 bits."""
    keys, depth, beyond, level = 0, 0, False, [body]
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            break
        below: list[Any] = []
        for box in level:
            if type(box) is dict:
                keys += len(box)
                box = box.values()
            for value in box:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is int and not LEAST_WHOLE <= value <= MOST_WHOLE:
                    beyond = True
        level = below
    return keys, depth, beyond


class _TooDeep(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Odd:
    """A value that JSON or our columns cannot hold: what it becomes, and what to say about it."""

    value: str | None
    says: str


class _Repeated(dict[str, Any]):
    """An object that had a key twice; the last one was kept."""

    names: tuple[str, ...] = ()


def _whole(digits: str) -> int | _Odd:
    if len(digits) <= 20 and LEAST_WHOLE <= (number := int(digits)) <= MOST_WHOLE:
        return number
    return _Odd(digits[:_LONGEST_NUMBER], f"json.number_out_of_range: {digits[:24]} is kept as text")


def _decimal(digits: str) -> float | _Odd:
    number = float(digits)
    if math.isfinite(number):
        return number
    return _Odd(digits[:_LONGEST_NUMBER], f"json.number_out_of_range: {digits[:24]} is kept as text")


def _no_number(word: str) -> _Odd:
    return _Odd(None, f"json.not_a_number: {word} is kept as null")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeated = _Repeated(plain)
    repeated.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return repeated


def _loaded(text: bytes) -> Any | Problem:
    """Any JSON value by the careful reader, odd values marked; or why it is none."""
    try:
        return json.loads(
            text.decode(),
            parse_int=_whole,
            parse_float=_decimal,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        return Problem(400, "json.too_deep", "The JSON is nested far too deep. Send flatter properties.")
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
            return Problem(400, "json.truncated", "The JSON ends too early. Send all of it.")
        return Problem(400, "json.malformed", f"The body is not JSON: {error.msg} at character {error.pos}.")


class _Sweep:
    """Goes through a value read carefully: mends what is odd, notes it, counts keys."""

    def __init__(self) -> None:
        self.keys = 0
        self.odd: dict[str, None] = {}

    def swept(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is _Odd:
            self.odd[value.says] = None
            return value.value
        if kind is int and not LEAST_WHOLE <= value <= MOST_WHOLE:
            return self.swept(_whole(str(value)), depth)
        if kind is list or isinstance(value, dict):
            if depth > MOST_DEPTH:
                raise _TooDeep
            if kind is list:
                return [self.swept(item, depth + 1) for item in value]
            self.keys += len(value)
            if kind is _Repeated:
                self.odd.update((f"json.duplicate_key: {self._text(name)[:60]}; the last is kept", None)
                                for name in value.names[:_NOTED])  # fmt: skip
            return {self._text(name): self.swept(item, depth + 1) for name, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        if not _UNFIT.search(text):
            return text
        if "\x00" in text:
            self.odd["json.nul: a NUL character was replaced"] = None
        if _UNFIT.search(text.replace("\x00", "")):
            self.odd["json.lone_surrogate: half a character was replaced"] = None
        return _UNFIT.sub("\ufffd", text)


def _swept_event(value: Any, size: int) -> Event:
    if not isinstance(value, dict):
        return Event({}, size, refused=NO_OBJECT)
    sweep = _Sweep()
    try:
        body = sweep.swept(value, 1)
    except _TooDeep:
        return Event({}, size, refused=TOO_DEEP)
    if sweep.keys > MOST_KEYS:
        return Event({}, size, refused=TOO_MANY_KEYS)
    if size < 0:
        size = len(msgspec.json.encode(body))
    refused = TOO_LARGE if size > MOST_EVENT_BYTES else ""
    return Event({} if refused else body, size, tuple(sweep.odd)[:_NOTED], refused)


def _careful_document(text: bytes, batch_names: Sequence[str]) -> Document | Problem:
    value = _loaded(text)
    if isinstance(value, Problem):
        return value
    if isinstance(value, list):
        return Document({}, tuple(_swept_event(item, -1) for item in value), is_batch=True)
    if not isinstance(value, dict):
        return Problem(400, "json.shape", "The body is neither a JSON object nor a list. Send one event or a batch.")
    for name in batch_names:
        if isinstance(value.get(name), list):
            around = {word: item for word, item in value.items() if word != name}
            return Document(_fit(around), tuple(_swept_event(item, -1) for item in value[name]), is_batch=True)
    return Document({}, (_swept_event(value, len(text)),), is_batch=False)
