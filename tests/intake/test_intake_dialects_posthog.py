"""PostHog events as its clients send them."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from desireline.intake.dialects import read, rows_of
from faults.what_holds import NOW, PUBLIC, SECRET, checked, request

STRANGER = "018f6f9e-1c5e-7c3a-9d4e-1f2a3b4c5d6e"


def only_row(body: Any, setting: Any = SECRET, **how: Any) -> dict[str, Any]:
    received = request(body, "posthog", **{"path": "/batch/", **how})
    told, _ = checked(received)
    assert told.problem is None
    (row,) = rows_of(told.messages[0], received, setting)
    return row


def browser(event: str, **more: Any) -> dict[str, Any]:
    properties = {
        "$lib": "web", "$current_url": "https://example.org/p", "$pathname": "/p", "$session_id": "s-1", "token": "phc",
        "$device_id": STRANGER, "distinct_id": STRANGER, "$raw_user_agent": "Mozilla", **more,
    }  # fmt: skip
    return {"uuid": "u-1", "event": event, "properties": properties, "timestamp": "2026-11-22T19:20:00.000Z"}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(browser("$pageview")).encode(),
        gzip.compress(json.dumps(browser("$pageview")).encode()),
        b"data="
        + base64.b64encode(json.dumps(browser("$pageview")).encode()).replace(b"+", b"%2B").replace(b"=", b"%3D"),
        b"data=" + base64.b64encode(json.dumps([browser("$pageview")]).encode()),
        json.dumps({"api_key": "phc", "data": [browser("$pageview")]}).encode(),
    ],
)
def test_a_page_view_of_the_browser_comes_in_many_packings(body):
    row = only_row(body, PUBLIC, path="/e/", query="ip=1&ver=1.449.2&_=1795375236000")
    assert (row["touchpoint"], row["about_content"], row["channel"]) == ("page.viewed", "/p", "web")
    assert (row["about_session"], row["source_key"]) == ("s-1", "u-1")
    assert row["handles"] == [f"cookie:{STRANGER}"]
    assert row["sent_at"] == NOW
    assert "Mozilla" not in row["properties"]
    assert "phc" not in row["properties"]


def test_an_identified_browser_is_its_customer_and_its_cookie():
    body = browser("$identify", distinct_id="42", **{"$anon_distinct_id": STRANGER, "$set": {"email": "a@example.org"}})
    row = only_row(body)
    assert row["touchpoint"] == "person.identified"
    assert row["handles"] == ["customer:42", "email:a@example.org", f"cookie:{STRANGER}"]
    assert json.loads(row["properties"])["traits"] == {"email": "a@example.org"}


@pytest.mark.parametrize("event", ["$set", "$set_once", "$unset"])
def test_what_is_told_about_a_person_describes_them_whichever_way_it_is_told(event):
    assert only_row({"event": event, "distinct_id": "42", "uuid": "u-9"})["touchpoint"] == "person.described"


@pytest.mark.parametrize(("one", "other"), [("42", STRANGER), (STRANGER, "42")])
def test_an_alias_links_the_same_two_whichever_client_sent_it(one, other):
    body = {
        "event": "$create_alias",
        "distinct_id": one,
        "uuid": "u",
        "properties": {"distinct_id": one, "alias": other},
    }
    rows = [only_row({"batch": [body]}), only_row({"batch": [{**body, "distinct_id": other}]})]
    assert rows[0]["handles"] == rows[1]["handles"] == [f"customer:{STRANGER}", "customer:42", f"cookie:{STRANGER}"]
    assert only_row({"batch": [body]}, PUBLIC)["handles"] == ["customer:42", f"cookie:{STRANGER}"]


def test_an_event_of_a_server_belongs_to_the_customer_it_names():
    batch = {
        "api_key": "phc",
        "sentAt": "2026-11-22T19:20:35Z",
        "batch": [
            {
                "properties": {
                    "order_id": "A1",
                    "$lib": "posthog-python",
                    "$lib_version": "7.91.1",
                    "$geoip_disable": True,
                },
                "timestamp": "2026-11-22T19:20:00.123456+00:00",
                "distinct_id": STRANGER,
                "event": "order completed",
                "uuid": "u-9",
            }
        ],
    }
    row = only_row(zlib.compress(json.dumps(batch).encode()), headers={"content-encoding": "deflate"})
    assert (row["touchpoint"], row["about_order"], row["channel"]) == ("order.completed", "A1", "server")
    assert row["handles"] == [f"customer:{STRANGER}"]


def test_the_newest_route_names_its_library_in_a_header_and_every_event_by_its_uuid():
    event = {
        "event": "Call Ended",
        "uuid": "u-3",
        "distinct_id": "42",
        "timestamp": "2026-11-22T19:20:00+00:00",
        "session_id": "s-9",
        "options": {"process_person_profile": False, "disable_skew_correction": True},
        "properties": {"seconds": 3},
    }
    received = request(
        {"created_at": "2026-11-22T19:20:01+00:00", "batch": [event, {"uuid": "u-4", "distinct_id": "42"}]},
        "posthog",
        path="/i/v1/analytics/events",
        headers={"posthog-sdk-info": "posthog-python/7.91.1"},
    )
    told, (row,) = checked(received)
    assert [(message.key, message.refused[:13]) for message in told.messages] == [("u-3", ""), ("u-4", "event.missing")]
    assert (row["about_session"], row["handles"], row["channel"]) == ("s-9", ["cookie:42"], "server")


@pytest.mark.parametrize(
    ("event", "more", "touchpoint"),
    [
        ("$screen", {"$lib": "posthog-ios", "$screen_name": "Cards"}, "screen.viewed"),
        ("$pageleave", {}, "page.left"),
        ("$autocapture", {"$event_type": "submit"}, "form.submitted"),
        ("$autocapture", {}, "element.clicked"),
        ("$groupidentify", {"$group_type": "company"}, "group.described"),
        ("$feature_flag_called", {}, "feature_flag.called"),
        ("survey sent", {}, "survey.sent"),
        ("$", {}, "$"),
    ],
)
def test_what_posthog_calls_its_events_becomes_what_we_call_them(event, more, touchpoint):
    assert only_row(browser(event, **more))["touchpoint"] == touchpoint


def test_without_a_timestamp_the_offset_tells_how_long_ago_it_was():
    body = browser("x", **{"$time": None})
    del body["timestamp"]
    assert only_row({**body, "offset": 5_000})["occurred_at"] == NOW - 5_000


def test_a_historical_import_keeps_its_times_although_it_is_sent_late():
    body = {"historical_migration": True, "sent_at": "2026-11-20T00:00:00Z",
            "batch": [{**browser("x"), "timestamp": "2024-01-01T00:00:00Z"}]}  # fmt: skip
    row = only_row(body, PUBLIC)
    assert (row["original_at"], row["time_quality"]) == ("2024-01-01T00:00:00Z", "exact")


def test_lz64_is_refused_with_what_to_do():
    told = read(request(b"N4Ig", "posthog", query="compression=lz64"))
    assert told.problem is not None
    assert (told.problem.status, told.problem.code) == (415, "body.lz64")


def test_a_group_described_under_a_generated_id_is_nobodys():
    body = {"event": "$groupidentify", "distinct_id": STRANGER, "properties": {"$lib": "posthog-python"}}
    assert only_row(body)["handles"] is None
    assert only_row({**body, "distinct_id": "42"})["handles"] == ["customer:42"]
