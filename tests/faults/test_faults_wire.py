"""Faults on the wire: what clients send wrong, and what becomes of it before anything is stored."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from desireline.intake.dialects import Refused, content_of, read, rows_of
from desireline.intake.dialects.drift import MOST_EVENT_NAMES, Shapes, told_of
from desireline.storage.identity import interaction_id
from faults.forms import how_many
from faults.what_holds import NOW, PUBLIC, SECRET, checked, request

STRANGER = "018f6f9e-1c5e-7c3a-9d4e-1f2a3b4c5d6e"
MEGABYTE = 1024 * 1024
MOST_CPU_SECONDS = 0.25
"""Fifty milliseconds on a machine of its own; here others work, too."""


def track(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "messageId": f"m-{number}", "userId": "42", **more}


def only_row(body: Any, setting: Any = PUBLIC, **how: Any) -> dict[str, Any]:
    received = request(body, **how)
    told, _ = checked(received)
    (row,) = rows_of(told.messages[0], received, setting)
    return row


@pytest.mark.parametrize(
    ("written", "quality", "days_ago"),
    [
        ("2025-11-22T19:20:36Z", "exact", 365),
        ("2027-11-22T19:20:36Z", "clamped", 0),
        ("1970-01-01T00:00:00Z", "received", 0),
        (0, "received", 0),
        ("9999-12-31T23:59:59Z", "clamped", 0),
        ("2026-11-21T19:20:36.000999999Z", "exact", 1),
        ("2026-11-21T20:20:36", "assumed_zone", 1),
        ("2026-11-20T24:00:00Z", "corrected", 1.806),
        ("2026-11-20T23:59:60Z", "corrected", 1.806),
        ("0000-01-01T00:00:00Z", "received", 0),
        ("2026-W47-6T19:20:36Z", "exact", 1),
        (1_795_288_836, "unit_assumed", 1),
        (1_795_288_836_000, "unit_assumed", 1),
        (1_795_288_836_000_000, "unit_assumed", 1),
        ("last Tuesday", "received", 0),
    ],
)
def test_F13_an_event_with_a_strange_clock_is_kept_flagged_and_its_own_time_preserved(written, quality, days_ago):
    row = only_row(track(timestamp=written))
    assert row["time_quality"] == quality
    assert row["original_at"] == str(written)
    assert (NOW - row["occurred_at"]) / 86_400_000 == pytest.approx(days_ago, abs=0.001)


@pytest.mark.parametrize("years", [-1, 1])
def test_F13_a_clock_a_year_off_is_set_right_by_the_time_of_sending(years):
    wrong = NOW + years * 365 * 86_400_000
    body = {"batch": [track(timestamp=wrong - 5_000)], "sentAt": wrong}
    assert (only_row(body)["occurred_at"], only_row(body)["time_quality"]) == (NOW - 5_000, "clock_corrected")
    retried = only_row(body, headers={"x-retry-count": "3"})
    assert retried["time_quality"] == ("unit_assumed" if years < 0 else "clamped")


def test_F16_a_retry_has_the_same_keys_and_the_same_content_and_a_changed_body_has_not():
    first = read(request({"batch": [track(1), track(2)], "sentAt": "2026-11-22T19:20:30Z"})).messages
    retry = read(request({"batch": [track(1), track(2)], "sentAt": "2026-11-22T19:21:30Z"}, sequence=8)).messages
    other = read(request({"batch": [track(1, properties={"total": 3})]})).messages
    assert [message.key for message in first] == [message.key for message in retry]
    assert [content_of(message) for message in first] == [content_of(message) for message in retry]
    assert other[0].key == first[0].key
    assert content_of(other[0]) != content_of(first[0])
    assert interaction_id("site", "m-1") != interaction_id("shop", "m-1")


@pytest.mark.parametrize(
    "bad", [{"type": "track"}, 7, {"type": "track", "event": float("nan")}, {"type": "track", "a": {}}]
)
def test_F17_one_bad_event_in_five_hundred_leaves_the_others_standing(bad):
    batch: list[Any] = [track(number) for number in range(500)]
    batch[321] = bad
    told, rows = checked(request({"batch": batch}))
    assert [message.position for message in told.messages if message.refused] == [321]
    assert "; " in told.messages[321].refused
    assert len({row["source_key"] for row in rows}) == 499


def deep(levels: int) -> bytes:
    return b'{"type":"track","event":"x","properties":' + b'{"a":' * levels + b"1" + b"}" * (levels + 1)


BOMB = gzip.compress(b" " * 60 * MEGABYTE)
UNREADABLE: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 400, "body.empty"),
    "white": (b" \n", 400, "body.empty"),
    "only a mark": (b"\xef\xbb\xbf", 400, "body.empty"),
    "words": (b"hello", 400, "json.malformed"),
    "a text": (b'"hello"', 400, "json.shape"),
    "a number": (b"7", 400, "json.shape"),
    "truncated": (b'{"batch":[{"type":"track","eve', 400, "json.truncated"),
    "truncated list": (b'{"batch":[{"type":"track"}', 400, "json.truncated"),
    "two bodies": (b"{}{}", 400, "json.malformed"),
    "single quotes": (b"{'type':'track'}", 400, "json.malformed"),
    "trailing comma": (b'{"type":"track",}', 400, "json.malformed"),
    "raw control character": (b'{"type":"tr\x01ck"}', 400, "json.malformed"),
    "raw NUL": (b'{"type":"tr\x00ck"}', 400, "json.malformed"),
    "very deep": (b"[" * 100_000, 400, "json.too_deep"),
    "very deep objects": (b'{"a":' * 100_000, 400, "json.too_deep"),
    "a bomb": (BOMB, 413, "body.too_large"),
    "a bomb of zlib": (zlib.compress(b" " * 60 * MEGABYTE), 413, "body.too_large"),
    "too large": (b"[" + b" " * 4 * MEGABYTE + b"]", 413, "body.too_large"),
    "gzip cut off": (gzip.compress(b'{"type":"track"}' * 50)[:-10], 400, "body.truncated"),
    "gzip damaged": (b"\x1f\x8b\x08\x00" + b"\xff" * 50, 400, "body.damaged"),
    "zstd cut off": (zstandard.compress(b'{"type":"track"}' * 50)[:-4], 400, "body.truncated"),
    "zstd cut off early": (zstandard.compress(b'{"type":"track"}')[:7], 400, "body.truncated"),
    "zstd damaged": (b"\x28\xb5\x2f\xfd" + b"\xff" * 50, 400, "body.damaged"),
    "a bomb of zstd": (zstandard.compress(b" " * 60 * MEGABYTE), 413, "body.too_large"),
    "bombs of zstd": (zstandard.compress(b" " * 3 * MEGABYTE) * 1_000, 413, "body.too_large"),
    "so many gzips": (gzip.compress(b"", 1) * 200_000, 400, "body.damaged"),
    "so many frames": (zstandard.compress(b"") * 450_000, 400, "body.damaged"),
    "so many events": (b'{"batch":[' + b"{}," * 30_000 + b"{}]}", 413, "batch.too_many"),
    "so many lists": (b'{"a":[' + b"[]," * 1_000_000 + b"1]}", 413, "json.too_many_parts"),
    "cut UTF-16": ('{"type":"track"}'.encode("utf-16")[:-1], 400, "text.damaged"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_F18_an_unreadable_body_has_a_stable_code_and_costs_little(name):
    body, status, code = UNREADABLE[name]
    started = time.process_time()
    told = read(request(body))
    assert time.process_time() - started < MOST_CPU_SECONDS
    assert told.problem is not None
    assert (told.problem.status, told.problem.code) == (status, code)


ODD: dict[str, tuple[bytes, str]] = {
    "NaN": (b'{"type":"track","event":"x","properties":{"a":NaN}}', "json.not_a_number"),
    "infinity": (b'{"type":"track","event":"x","properties":{"a":-Infinity}}', "json.not_a_number"),
    "1e999": (b'{"type":"track","event":"x","properties":{"a":1e999}}', "json.number_out_of_range"),
    "5,000 digits": (
        b'{"type":"track","event":"x","properties":{"a":' + b"9" * 5_000 + b"}}",
        "json.number_out_of_range",
    ),
    "65 bits": (b'{"type":"track","event":"x","properties":{"a":18446744073709551617}}', "json.number_out_of_range"),
    "64 bits unsigned": (
        b'{"type":"track","event":"x","properties":{"a":9223372036854775808}}',
        "json.number_out_of_range",
    ),
    "a key twice": (b'{"type":"track","event":"x","properties":{"a":1,"a":2}}', "json.duplicate_key"),
    "a key twice, spaced": (b'{"type":"track","event":"x","properties":{"a" :1,"a"\n:2}}', "json.duplicate_key"),
    "half a character": (b'{"type":"track","event":"x","properties":{"a":"\\ud800"}}', "json.lone_surrogate"),
    "NUL": (b'{"type":"track","event":"x","properties":{"a":"\\u0000"}}', "json.nul"),
    "NUL in a key": (b'{"type":"track","event":"x","properties":{"a\\u0000":1}}', "json.nul"),
    "UTF-16": ('{"type":"track","event":"é"}'.encode("utf-16"), "text.utf16"),
    "UTF-16 without mark": ('{"type":"track","event":"é"}'.encode("utf-16-be"), "text.utf16"),
    "Latin-1": ('{"type":"track","event":"é"}'.encode("latin-1"), "text.latin1"),
}


@pytest.mark.parametrize("name", ODD)
def test_F18_what_can_be_mended_is_kept_and_marked(name):
    body, code = ODD[name]
    told, rows = checked(request(body))
    assert [odd.partition(":")[0] for odd in told.messages[0].odd] == [code]
    assert json.loads(rows[0]["properties"])["odd"] == list(told.messages[0].odd)
    assert rows[0]["touchpoint"] in ("x", "é")


@pytest.mark.parametrize("packed", [b"\xef\xbb\xbf", b"\n ", b""])
def test_F18_a_mark_before_the_body_is_nothing_odd(packed):
    told, rows = checked(request(packed + b'{"type":"track","event":"x"}'))
    assert told.messages[0].odd == ()
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (deep(40), "json.too_deep"),
        (json.dumps({**track(), "properties": {f"k{n}": n for n in range(1_001)}}).encode(), "json.too_many_keys"),
        (json.dumps({**track(), "properties": {"a": [{"b": 1}] * 1_001}}).encode(), "json.too_many_keys"),
        (json.dumps({**track(), "properties": {"a": "x" * MEGABYTE}}).encode(), "event.too_large"),
        (json.dumps({**track(), "properties": {f"key {n}": n for n in range(200_000)}}).encode(), "event.too_large"),
    ],
)
def test_F18_one_event_beyond_a_limit_is_refused_alone(body, code):
    good = json.dumps(track(2)).encode()
    told, rows = checked(request(b'{"batch":[' + good + b"," + body + b"]}"))
    assert told.messages[0].refused == ""
    assert len(rows) == 1
    assert told.messages[1].refused.startswith(code)


def test_F18_large_events_and_many_of_them_are_kept_with_a_warning():
    told, rows = checked(request({"batch": [track(1, properties={"a": "x" * 40_000})]}))
    assert [warning.partition(":")[0] for warning in told.warnings] == ["event.large"]
    assert len(rows) == 1
    told = read(request({"batch": [{"type": "track", "event": "x"}] * 2_501}))
    assert [warning.partition(":")[0] for warning in told.warnings] == ["batch.many"]
    assert not any(message.refused for message in told.messages)


def test_F18_the_same_body_packed_in_every_way_reads_the_same():
    plain = json.dumps({"batch": [track(1), track(2)]}).encode()
    raw_deflate = zlib.compressobj(wbits=-15)
    packings = [
        (plain, ""), (plain, "gzip"), (plain, "br"), (gzip.compress(plain), ""), (gzip.compress(plain), "identity"),
        (zlib.compress(plain), "deflate"), (zlib.compress(plain), ""),
        (gzip.compress(plain[:50]) + gzip.compress(plain[50:]), ""),
        (raw_deflate.compress(plain) + raw_deflate.flush(), "deflate"), (zstandard.compress(plain), "zstd"),
        (zstandard.compress(plain[:50]) + zstandard.compress(plain[50:]), ""),
    ]  # fmt: skip
    told = [
        read(request(body, headers={"content-encoding": encoding} if encoding else {})) for body, encoding in packings
    ]
    assert all(each == told[0] for each in told)
    assert [message.key for message in told[0].messages] == ["m-1", "m-2"]


def test_F18_odd_and_bad_events_are_told_apart_when_the_whole_batch_needs_care():
    nan = b'{"type":"track","event":"x","properties":{"a":NaN}}'
    many_keys = json.dumps({**track(), "properties": {f"k{n}": n for n in range(1_001)}}).encode()
    large = json.dumps({**track(), "properties": {"a": "x" * 900_000}}).encode()
    told, rows = checked(
        request(b"[" + b",".join((nan, deep(40), many_keys, b"[[1]]", b"7", b'{"type":"page"}')) + b"]")
    )
    codes = [message.refused.partition(":")[0] for message in told.messages]
    assert codes == ["", "json.too_deep", "json.too_many_keys", "event.not_an_object", "event.not_an_object", ""]
    assert all(message.body["sha256"] for message in told.messages if message.refused)
    assert len(rows) == 2
    assert read(request(b'{"batch":7,"a":NaN}')).messages[0].refused.startswith("type.unknown")
    assert read(request(b"[" + b"NaN," * 26_000 + b"1]")).problem.code == "batch.too_many"
    told, rows = checked(request(b"[" + nan + b"," + large + b"," + large + b"]"))
    assert [bool(message.refused) for message in told.messages] == [False, False, False]
    assert read(request(b"[" + nan + b"," + large + b"," + large + b",}")).problem.code == "json.malformed"
    assert read(request(b"[" + large + b"," + large)).problem.code == "json.truncated"


def test_F18_no_more_than_a_megabyte_of_a_request_is_mended():
    twice = b'{"type":"track","event":"x","properties":{"a":1,"a":2,"b":"' + b"x" * 300_000 + b'"}}'
    told = read(request(b'{"batch":[' + b",".join([twice] * 5) + b"]}"))
    refused = [message.refused.partition(":")[0] for message in told.messages]
    assert refused == ["", "", "", "json.odd", "json.odd"]


def test_F20_a_number_that_becomes_text_stays_and_the_column_keeps_its_type():
    before = only_row(track(properties={"revenue": 19.9, "order_id": 7}))
    after = only_row(track(properties={"revenue": "about twenty", "orderId": "7", "gift": True}))
    assert (before["value_minor"], before["about_order"]) == (1990, "7")
    assert (after["value_minor"], after["about_order"]) == (None, "7")
    assert json.loads(after["properties"])["revenue"] == "about twenty"
    shapes = Shapes()
    for _ in range(25):
        shapes.learn(*told_of(read(request(track(properties={"revenue": 19.9, "order_id": 7}))).messages[0]))
    message = read(request(track(properties={"revenue": "about twenty", "orderId": "7", "gift": True}))).messages[0]
    drifts = shapes.learn(*told_of(message))
    assert [drift.change for drift in drifts] == ["changed_kind", "new_property", "new_property"]
    assert [drift.name for drift in drifts] == ["revenue", "orderId", "gift"]


def test_F20_ten_thousand_new_names_in_an_hour_are_told_up_to_the_cap():
    shapes = Shapes()
    told = sum(len(shapes.learn(f"event {number}", {"a": number})) for number in range(10_000))
    assert told == MOST_EVENT_NAMES
    assert len(shapes.by_event) == MOST_EVENT_NAMES + 1


def test_F23_endless_names_and_properties_cost_bounded_memory():
    shapes = Shapes()
    for number in range(how_many(20_000, 1_000_000)):
        shapes.learn(f"event {number}", {f"property {number}": number})
        shapes.learn("one event", {f"property {number}": number})
    kept = json.dumps(shapes.as_json())
    assert len(kept) < 1_000_000


PROTECTED: list[tuple[dict[str, Any], str, Any]] = [
    ({"desireline": {"hands": "Ada", "role": "lead", "power": "may_refund"}}, "hands", None),
    ({"desireline": {"answers": True}}, "answers", None),
    ({"desireline": {"direction": "outbound"}}, "direction", "inbound"),
    ({"desireline": {"cost_seconds": 5}}, "cost_seconds", None),
    ({"answers": True}, "answers", None),
    ({"direction": "internal"}, "direction", "inbound"),
    ({"desireline": {"touchpoint": "consent.given", "consent": "calls"}}, "touchpoint", "consent.claimed"),
]


@pytest.mark.parametrize(("properties", "column", "public"), PROTECTED)
def test_F37_a_public_key_sets_nothing_that_only_the_company_can_say(properties, column, public):
    row = only_row(track(properties=properties))
    assert row[column] == public
    assert any(odd.startswith("protected.") for odd in json.loads(row["properties"])["odd"])
    inside = only_row(track(properties=properties), SECRET)
    said = properties.get("desireline", properties)
    assert inside[column] == said[column]


def test_F37_consent_is_given_for_ones_own_browser_and_never_for_a_known_person():
    given = {"type": "track", "event": "consent.given", "anonymousId": STRANGER, "properties": {"purpose": "calls"}}
    assert only_row(given)["touchpoint"] == "consent.given"
    assert only_row({**given, "userId": "42"})["touchpoint"] == "consent.claimed"
    assert only_row({**given, "event": "consent.withdrawn", "userId": "42"})["touchpoint"] == "consent.withdrawn"
    assert only_row({**given, "userId": "42"}, SECRET)["touchpoint"] == "consent.given"


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("segment", {"type": "alias", "userId": "42", "previousId": "43"}),
        ("segment", {"type": "alias", "userId": "43", "previousId": "42"}),
        ("posthog", {"event": "$create_alias", "distinct_id": "42", "properties": {"alias": "43"}}),
        ("posthog", {"event": "$merge_dangerously", "distinct_id": "43", "properties": {"alias": "42"}}),
    ],
)
def test_F37_two_known_people_are_not_joined_with_a_public_key(dialect, body):
    received = request(body, dialect)
    (message,) = read(received).messages
    with pytest.raises(Refused, match=r"protected\.join"):
        rows_of(message, received, PUBLIC)
    assert rows_of(message, received, SECRET)[0]["handles"] == ["customer:42", "customer:43"]


def test_F37_a_second_identity_is_kept_as_a_claim_and_joins_nobody():
    body = {"type": "identify", "userId": "42", "anonymousId": STRANGER, "traits": {"email": "victim@example.org"}}
    row = only_row(body)
    assert row["handles"] == ["customer:42", f"cookie:{STRANGER}"]
    assert row["others"] == ["claimed:email:victim@example.org"]
    assert only_row(body, SECRET)["handles"] == ["customer:42", "email:victim@example.org", f"cookie:{STRANGER}"]


@pytest.mark.skipif(sys.platform != "linux", reason="the fuzzer runs on Linux")
@pytest.mark.long
def test_F18_the_fuzzer_finds_nothing_that_breaks_a_dialect(tmp_path):
    pytest.importorskip("atheris")
    seconds = how_many(10, 600)
    fuzzer = Path(__file__).with_name("fuzz_parsers.py")
    command = [
        sys.executable,
        str(fuzzer),
        f"-artifact_prefix={tmp_path}/",
        f"-max_total_time={seconds}",
        f"-seed={how_many(1, 0)}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 300, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    assert "Done " in done.stderr
