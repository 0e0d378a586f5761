"""JSON read strictly: fast where nothing is odd, carefully where something is, never with an exception.

The fast reader (msgspec) reads every event once and a walk counts its keys and its depth. Only what
it refuses, or what a cheap scan finds odd - a key twice, a NUL, a number beyond 64 bits - is read again
by the standard library, whose hooks tell what was odd.
"""

from __future__ import annotations

import hashlib
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
MOST_BOXES = 25_000
"""So many lists and objects side by side are counted; more are too many keys."""
MOST_CAREFUL_VALUES = 200_000
MOST_PARTS = 150_000
"""So many lists and objects are read in one request: each costs memory, however little it holds."""
FEW_EVENTS, MOST_EVENTS = 2_500, 25_000
"""More events than `FEW_EVENTS` in one request are kept with a warning, more than `MOST_EVENTS` are not read."""
MOST_CAREFUL_BYTES = 1024 * 1024
"""How much of one request is read carefully whatever stands in it: that takes ten times as long."""
LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
HEAD_BYTES = 4_096
"""So much of an event that cannot be kept goes to quarantine; all of it lies in the log."""
_LONGEST_NUMBER = 64
_NOTED = 8
_WHITE = b" \t\r\n"
_NOTHING = (0, 1, False)

_decode, _encode = msgspec.json.decode, msgspec.json.encode
_decode_top = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_KEY_WRITTEN = re.compile(rb'"[ \t\r\n]*:')
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_FAST_REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

TOO_DEEP = f"json.too_deep: nested deeper than {MOST_DEPTH} levels; send flatter properties"
TOO_MANY_KEYS = f"json.too_many_keys: more than {MOST_KEYS:,} keys; send fewer properties"
TOO_LARGE = "event.too_large: larger than 1 MB; send less with one event"
TOO_ODD = "json.odd: too much of this request needs mending; send clean JSON"
NO_EVENTS = "The body is neither a JSON object nor a list. Send one event or a batch."
TOO_MANY_PARTS = Problem(413, "json.too_many_parts", f"More than {MOST_PARTS:,} lists and objects. Send fewer events.")
TOO_MANY_EVENTS = Problem(413, "batch.too_many", f"More than {MOST_EVENTS:,} events. Send fewer at a time.")
NO_OBJECT = "event.not_an_object: an event is a JSON object; send {...}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was read; `odd` is what was mended, `refused` why it cannot be kept.

    `size_bytes` is at most so much: in a small request that of all of it.
    """

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
    if len(text) > MOST_PARTS and text.count(b"[") + text.count(b"{") > MOST_PARTS:
        return TOO_MANY_PARTS
    try:
        return _fast(text, batch_names)
    except _FAST_REFUSALS as refusal:
        if isinstance(refusal, RecursionError):
            return Problem(400, "json.too_deep", "The JSON is nested far too deep. Send flatter properties.")
        if len(text) > MOST_CAREFUL_BYTES and not _may_be_mended(text, str(refusal)):
            cut = "truncated" in str(refusal)
            return Problem(400, "json.truncated" if cut else "json.malformed", f"The body is not JSON: {refusal}.")
    return _careful_document(text, batch_names)


def _may_be_mended(text: bytes, refusal: str) -> bool:
    """Whether a large body that the fast reader refuses is worth the careful one: many small values cost too much."""
    marks = (b"NaN", b"Infinity", b"\\ud", b"\\uD")
    return text.count(b",") <= MOST_CAREFUL_VALUES and (
        "out of range" in refusal or any(mark in text for mark in marks)
    )


def _fast(text: bytes, batch_names: Sequence[str]) -> Document | Problem:
    value = _decode(text)
    if type(value) is list:
        if len(value) > MOST_EVENTS:
            return TOO_MANY_EVENTS
        return Document({}, _fast_events(value, text, "", 0), is_batch=True)
    if type(value) is not dict:
        return Problem(400, "json.shape", NO_EVENTS)
    for name in batch_names:
        listed = value.get(name)
        if type(listed) is list:
            if len(listed) > MOST_EVENTS:
                return TOO_MANY_EVENTS
            del value[name]
            events = _fast_events(listed, text, name, 1 + measured(value)[0])
            return Document(_fit(value), events, is_batch=True)
    return Document({}, _fast_events([value], text, None, 0), is_batch=False)


def _fit(around: dict[str, Any]) -> dict[str, Any]:
    """What stands around a batch, cleaned; nested beyond reason it is left out."""
    try:
        return dict(_Sweep().swept(around, 1))
    except _TooDeep:
        return {}


def _fast_events(bodies: list[Any], text: bytes, name: str | None, keys_around: int) -> tuple[Event, ...]:
    """The events, looked at one by one only when the body is large or something in it is odd.

    `name` is the word the batch stands under, empty for a bare list, `None` for a single event.
    """
    if len(text) <= FEW_EVENT_BYTES:
        keys, depth, beyond = measured(bodies)
        if keys <= MOST_KEYS and depth <= MOST_DEPTH and not beyond and not _may_be_odd(text, keys + keys_around):
            return tuple([_counted(body, _NOTHING, len(text)) for body in bodies])
    counts = [measured(body) if type(body) is dict else _NOTHING for body in bodies]
    odd = _may_be_odd(text, sum(count[0] for count in counts) + keys_around)
    budget = [MOST_CAREFUL_BYTES]
    looked_at = zip(_raws(text, name), bodies, counts, strict=True)
    return tuple([_event(bytes(raw), body, count, budget, look=odd) for raw, body, count in looked_at])


def _may_be_odd(text: bytes, keys: int) -> bool:
    """Whether events must be looked at one by one: a NUL, or more keys written than were read."""
    return b"\\u0000" in text or text.translate(None, _WHITE).count(b'":') != keys


def _raws(text: bytes, name: str | None) -> Sequence[bytes | msgspec.Raw]:
    if name is None:
        return (text,)
    return _decode_list(_decode_top(text)[name] if name else text)


def _counted(body: Any, count: tuple[int, int, bool], size: int) -> Event:
    keys, depth, _ = count
    if type(body) is not dict:
        return _refused(_encode(body), NO_OBJECT)
    if depth > MOST_DEPTH:
        return _refused(_encode(body), TOO_DEEP)
    if keys > MOST_KEYS:
        return _refused(_encode(body), TOO_MANY_KEYS)
    return Event(body, size)


def _refused(raw: bytes, reason: str) -> Event:
    """An event that cannot be kept: its head, its length and its digest go to quarantine with the reason."""
    head = _UNFIT.sub("\ufffd", raw[:HEAD_BYTES].decode("utf-8", "replace"))
    kept = {"head": head, "length_bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    return Event(kept, len(raw), refused=reason)


def _event(raw: bytes, body: Any, count: tuple[int, int, bool], budget: list[int], *, look: bool) -> Event:
    size = len(raw)
    if size > MOST_EVENT_BYTES:
        return _refused(raw, TOO_LARGE)
    event = _counted(body, count, size)
    if event.refused or not (count[2] or (look and _is_odd(raw, count[0]))):
        return event
    budget[0] -= size
    if budget[0] < 0:
        return _refused(raw, TOO_ODD)
    loaded = _loaded(raw)
    return event if isinstance(loaded, Problem) else _swept_event(loaded, raw)


def _is_odd(raw: bytes, keys: int) -> bool:
    return b"\\u0000" in raw or len(_KEY_WRITTEN.findall(raw)) != keys


def measured(body: Any) -> tuple[int, int, bool]:
    """How many keys a value has, how deep it is nested, and whether a whole number needs more than 64 bits."""
    keys, depth, beyond, level = 0, 0, False, [body]
    while level and depth <= MOST_DEPTH:
        if len(level) > MOST_BOXES:
            return MOST_KEYS + 1, depth, beyond
        depth += 1
        below: list[Any] = []
        for box in level:
            if type(box) is dict:
                keys += len(box)
                box = box.values()
            for value in box:
                kind = type(value)
                if kind is str:
                    continue
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


def _swept_event(value: Any, raw: bytes | None) -> Event:
    """An event read carefully; `raw` is its text where that is known apart from its batch."""
    sweep = _Sweep()
    try:
        body = sweep.swept(value, 1) if isinstance(value, dict) else None
    except _TooDeep:
        return _refused(raw or _rewritten(value), TOO_DEEP)
    if body is None:
        return _refused(raw or _rewritten(value), NO_OBJECT)
    size = len(raw if raw is not None else _encode(body))
    reason = TOO_MANY_KEYS if sweep.keys > MOST_KEYS else TOO_LARGE if size > MOST_EVENT_BYTES else ""
    if reason:
        return _refused(raw or _encode(body), reason)
    return Event(body, size, tuple(sweep.odd)[:_NOTED])


def _rewritten(value: Any) -> bytes:
    try:
        return json.dumps(value, default=lambda odd: odd.value).encode()
    except RecursionError:
        return b""


def _careful_document(text: bytes, batch_names: Sequence[str]) -> Document | Problem:
    value = _loaded(text)
    if isinstance(value, Problem):
        return value
    items, around = value, {}
    if isinstance(value, dict):
        name = next((name for name in batch_names if isinstance(value.get(name), list)), None)
        if name is None:
            return Document({}, (_swept_event(value, text),), is_batch=False)
        items, around = value[name], {word: item for word, item in value.items() if word != name}
    if not isinstance(items, list):
        return Problem(400, "json.shape", NO_EVENTS)
    if len(items) > MOST_EVENTS:
        return TOO_MANY_EVENTS
    return Document(_fit(around), tuple(_swept_event(item, None) for item in items), is_batch=True)
