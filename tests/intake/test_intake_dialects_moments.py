"""Moments as clients write them, and what is made of a clock that is wrong."""

from __future__ import annotations

import pytest

from desireline.intake.dialects.moments import Occurred, occurred, read_moment
from faults.what_holds import NOW

MINUTE = 60_000


@pytest.mark.parametrize(
    ("given", "at", "quality", "zone"),
    [
        ("2026-11-22T19:20:36Z", NOW, "exact", "UTC"),
        ("2026-11-22t19:20:36z", NOW, "exact", "UTC"),
        ("2026-11-22 19:20:36 +0000", NOW, "exact", "+0000"),
        ("2026-11-22T20:20:36+01:00", NOW, "exact", "+01:00"),
        ("2026-11-22T14:20:36-05", NOW, "exact", "-05"),
        ("20261122T192036Z", NOW, "exact", "UTC"),
        ("2026-11-22T19:20:36,123456789Z", NOW + 123, "exact", "UTC"),
        ("2026-11-22T19:20:36.1Z", NOW + 100, "exact", "UTC"),
        ("2026-11-22T19:20:36 UTC", NOW, "exact", "UTC"),
        ("2026-11-22T19:20Z", NOW - 36_000, "exact", "UTC"),
        ("2026-11-22T20:20:36", NOW, "assumed_zone", "Europe/Berlin"),
        ("2026-W47-7T19:20:36Z", NOW, "exact", "UTC"),
        ("2026-11-21T24:00:00Z", 1_795_305_600_000, "corrected", "UTC"),
        ("2026-11-21T23:59:60Z", 1_795_305_600_000, "corrected", "UTC"),
        ("2026-11-22", 1_795_302_000_000, "date_only", "Europe/Berlin"),
        ("2026-10-25T02:30:00", 1_792_888_200_000, "first_of_two", "Europe/Berlin"),
        ("2026-03-29T02:30:00", 1_774_747_800_000, "did_not_exist", "Europe/Berlin"),
        (NOW, NOW, "unit_assumed", "UTC"),
        (NOW // 1000, NOW, "unit_assumed", "UTC"),
        (NOW / 1000, NOW, "unit_assumed", "UTC"),
        (NOW * 1000, NOW, "unit_assumed", "UTC"),
        (NOW * 1_000_000, NOW, "unit_assumed", "UTC"),
        (str(NOW), NOW, "unit_assumed", "UTC"),
    ],
)
def test_a_moment_is_read_in_every_way_clients_write_it(given, at, quality, zone):
    moment = read_moment(given, zone="Europe/Berlin")
    assert moment is not None
    assert (moment.at, moment.quality, moment.zone) == (at, quality, zone)


@pytest.mark.parametrize(
    "given",
    [
        None, True, [], {}, "", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
        "2026-11-22T25:00Z",
        "2026-11-22T24:00:01Z", "2026-W54-1", "2026-11-22T19:61:00Z", 10**25, float("1e40"), "9" * 30, "٢٠٢٦-11-22",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_none(given):
    assert read_moment(given, zone="UTC") is None


def happened(
    original: object, sent: object = None, *, server_side: bool = False, clock_is_told: bool = True
) -> Occurred:
    return occurred(
        original, sent, received_at=NOW, zone="UTC", server_side=server_side, clock_is_told=clock_is_told
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong_by", "told", "ago", "quality"),
    [
        (0, {}, MINUTE, "exact"),
        (2 * MINUTE, {}, 0, "clamped"),
        (-MINUTE, {}, 2 * MINUTE, "exact"),
        (60 * MINUTE, {}, MINUTE, "clock_corrected"),
        (-60 * MINUTE, {}, MINUTE, "clock_corrected"),
        (-60 * MINUTE, {"clock_is_told": False}, 61 * MINUTE, "exact"),
        (-60 * MINUTE, {"server_side": True}, 61 * MINUTE, "exact"),
        (60 * MINUTE, {"server_side": True}, 0, "clamped"),
    ],
)
def test_a_clock_is_set_right_only_when_it_is_clearly_wrong_and_clearly_told(wrong_by, told, ago, quality):
    when = happened(NOW - MINUTE + wrong_by, NOW + wrong_by, **told)
    assert NOW - when.occurred_at == ago
    assert when.quality == {"exact": "unit_assumed"}.get(quality, quality)
    assert when.original_at == str(NOW - MINUTE + wrong_by)


def test_an_event_without_a_time_happened_when_it_was_received():
    assert happened(None) == Occurred(NOW, None, None, None, "received")
    assert happened("soon", "2026-11-22T19:20:36Z") == Occurred(NOW, "soon", None, NOW, "received")


def test_an_old_moment_is_believed_from_inside_the_company_only():
    assert happened("1999-12-31T00:00:00Z").quality == "received"
    assert happened("1999-12-31T00:00:00Z", server_side=True).quality == "exact"
    assert happened("1899-12-31T00:00:00Z", server_side=True).quality == "received"
