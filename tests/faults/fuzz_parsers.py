"""Fuzzes every dialect: bytes in, and only what is allowed out. Run by hand for minutes, in the tests for seconds.

    python tests/faults/fuzz_parsers.py -max_total_time=60

Needs atheris. A crash is written to `crash-...` in the working folder and ends the run with status 77.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
with atheris.instrument_imports(
    include=["desireline.intake.dialects", "desireline.intake.mail", "desireline.intake.one_row"]
):
    from desireline.intake import built_in_names, built_in_recipe
    from desireline.intake.dialects import read
    from faults.what_holds import SECRET, check_rows, checked, known_dialects, request

    DIALECTS = (*known_dialects(), "email", "recipe")
from faults.json_mutator import mutated

RECIPES = tuple(replace(SECRET, recipe=built_in_recipe(name)) for name in built_in_names() if "webhook" in name)

PATHS = (
    "/v1/batch", "/v1/track", "/v1/i", "/v1/import", "/beacon/v1/batch", "/pixel/v1/track", "/v1/alias", "/v1/page",
    "/v1/s",
    "/batch/", "/e/", "/i/v1/analytics/events", "/events", "",
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"content-encoding": "gzip"},
    {"content-encoding": "deflate"},
    {"content-encoding": "br"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "text/plain", "x-retry-count": "2", "sentat": "2026-11-22T19:20:35Z", "anonymousid": "YWJj"},
    {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a b"},
    {
        "content-type": "text/xml",
        "ce-specversion": "1.0",
        "ce-id": "%00",
        "ce-source": "/s",
        "ce-type": "x",
        "ce-time": "1",
    },
    {"content-type": "application/cloudevents-batch+json"},
    {"posthog-sdk-info": "posthog-python/7.91.1"},
)
SEEDS: tuple[bytes, ...] = (
    b'{"batch":[{"type":"track","event":"Order Completed","messageId":"m1","userId":"42","anonymousId":null,'
    b'"timestamp":"2026-11-22T19:20:00.123Z","properties":{"order_id":4711,"revenue":19.9,"currency":"EUR",'
    b'"products":[{"sku":"A"}],"nps":9,"text":"hi","desireline":{"asks":true,"handles":{"email":"a@b.co"}}}},'
    b'{"type":"alias","userId":"42","previousId":"018f6f9e-1c5e-7c3a-9d4e-1f2a3b4c5d6e"},'
    b'{"type":"identify","userId":"a@b.co","context":{"traits":{"phone":"+49 170 1234567"},"timezone":"UTC"}},'
    b'{"type":"page","name":null,"category":"Home","context":{"page":{"path":"/a"}}}],"sentAt":"2026-11-22T19:20:35Z",'
    b'"context":{"library":{"name":"analytics-ios"}}}',
    b'{"api_key":"k","sent_at":"2026-W47-7T24:00","batch":[{"event":"$pageview","uuid":"u1","offset":5,"properties":'
    b'{"$lib":"web","$pathname":"/p","$session_id":"s","$device_id":"d","distinct_id":"d","$set":{"email":"a@b.co"}}},'
    b'{"event":"$create_alias","distinct_id":"42","properties":{"alias":"d","distinct_id":"d"}},'
    b'{"event":"$identify","distinct_id":"42","options":{},"properties":{"$anon_distinct_id":"d"}}]}',
    b'[{"specversion":"1.0","id":"1","source":"/crm","type":"ticket.opened","subject":"email:a@b.co","time":1795375236,'
    b'"data":{"ticket_id":"T1","value":"1e5","score":3}}]',
    b'{"a":NaN,"b":1e999,"c":"\\ud800\\u0000","d":18446744073709551617,"d":2,"type":"track","event":"x"}',
    b"data=eyJldmVudCI6IngiLCJkaXN0aW5jdF9pZCI6IjEifQ%3D%3D",
    zlib.compress(b'{"type":"screen","name":"Home","userId":"1"}'),
    '{"type":"track","event":"é"}'.encode("utf-16"),
    b"Return-Path: <>\r\nFrom: =?utf-8?b?QW5uYQ==?= <a@b.co>\r\nTo: b@c.de\r\nDate: Sun, 22 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <a@x>\r\nReferences: <b@x>\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nwords\r\n"
    b"--x\r\nContent-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nFinal-Recipient: rfc822;d@e.fr\r\n"
    b"Action: failed\r\nStatus: 5.1.1\r\n--x--\r\n",
    b'{"event":"message_created","id":1,"content":"hi","created_at":"2026-11-22T10:00:00Z","message_type":"incoming",'
    b'"private":false,"conversation":{"id":7,"channel":"Channel::Email","meta":{"sender":{"email":"a@b.co"}}}}',
    b'{"event_id":"e","form_response":{"submitted_at":"2026-11-22T10:00:00Z","hidden":{"email":"a@b.co"},"answers":'
    b'[{"type":"number","number":9,"field":{"ref":"nps"}},{"type":"text","text":"w","field":{"ref":"comment"}}]}}',
    b'{"type":"rated","id":"1","time":"2026-11-22T10:00:00Z","ticket":{"id":"7","rating":"good","requester":{"email":"a@b.co"}}}',
    b'{"id":"r","submitted_at":1795341600,"email":"a@b.co","nps":"9","csat":5,"comment":"kind"}',
)


def one_input(data: bytes) -> None:
    """One request made of the fuzzer's bytes: the first four choose how it comes, the rest is its body."""
    if len(data) < 4:
        return
    dialect = DIALECTS[data[0] % len(DIALECTS)]
    method = "GET" if data[1] & 1 else "POST"
    query = data[4:].decode("latin-1") if data[1] & 2 else "_=1795375236000" if data[1] & 4 else ""
    path, headers = PATHS[data[2] % len(PATHS)], HEADERS[data[3] % len(HEADERS)]
    received = request(data[4:], dialect, path=path, method=method, query=query, headers=headers)
    checked(received)
    if dialect == "recipe":
        for message in read(received).messages:
            check_rows(message, received, RECIPES[data[1] % len(RECIPES)])


def other_input(data: bytes, most: int, seed: int) -> bytes:
    """Bytes changed anyhow, or JSON changed where it matters."""
    changed = mutated(data[4:], seed) if seed % 4 else None
    if changed is None or len(changed) + 4 > most:
        return bytes(atheris.Mutate(data, most))
    return data[:4] + changed


def main() -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            for dialect in range(len(DIALECTS)):
                Path(corpus, f"{number}-{dialect}").write_bytes(bytes((dialect, 0, number, 0)) + seed)
        atheris.Setup([*sys.argv, "-max_len=8192", "-timeout=10", corpus], one_input, custom_mutator=other_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
