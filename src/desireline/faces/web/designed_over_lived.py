"""The one screen: the promises on top, the flow people lived beneath."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from desireline.faces.web.designed_over_lived_picture import draw_narrow, draw_wide
from desireline.faces.web.drawing import counted
from desireline.faces.web.finding import finding
from desireline.faces.web.marks import STATE_CLASSES
from desireline.faces.web.small_pictures import channel_key, interval_picture, months_picture, state_picture
from desireline.faces.web.url_state import EXPORTS, ScreenState
from desireline.faces.web.what_is_shown import ENDINGS, OTHER, START, DesignedOverLived, LivedFlow, PromiseShown
from desireline.faces.web.why import why_flow, why_promise


def map_address(name: str) -> str:
    """Where the one screen of a map is."""
    return f"/maps/{quote(name, safe='')}"


def promise_address(map_name: str, promise: str, state: ScreenState, *, verdict: str = "") -> str:
    """Where the people of a promise are."""
    query = state.query()
    pairs = [query] if query else []
    if verdict:
        pairs.append(f"verdict={quote(verdict)}")
    return f"{map_address(map_name)}/promises/{quote(promise, safe='')}" + (f"?{'&'.join(pairs)}" if pairs else "")


def mark_address(map_name: str, kind: str, step: str, state: ScreenState) -> str:
    """Where the people behind a mark of the flow are: at a step, or last seen there."""
    mark = f"at={quote(step)}" if kind == "step" else f"last={quote(step)}&how={quote(kind)}"
    query = state.query()
    return f"{map_address(map_name)}/people?{mark}{f'&{query}' if query else ''}"


def screen_context(shown: DesignedOverLived) -> dict[str, Any]:
    """Everything the template of the one screen needs, ready to print."""
    says, to_do = finding(shown.promises)
    state, choices, here = shown.state, shown.choices, map_address(shown.map)
    shown = replace(shown, finding=says, to_do=to_do)

    def link(kind: str, name: str) -> str:
        return (
            promise_address(shown.map, name, state) if kind == "promise" else mark_address(shown.map, kind, name, state)
        )

    return {
        "page_title": shown.map,
        "page_kind": "designed-over-lived",
        "shown": shown,
        "here": here,
        "cards": [_card(promise, shown) for promise in shown.promises],
        "promised_words": f"{_plural(len(shown.promises), 'promise')} in the order of the journey. {shown.says}",
        "lived_words": f"{_plural(shown.flow.journeys, 'journey')} of "
        f"{_plural(shown.flow.people, 'person', 'people')}{_for_whom(state)}.",
        "wide_picture": draw_wide(shown.flow, link=link),
        "narrow_picture": draw_narrow(shown.flow, link=link),
        "legend": [{"picture": channel_key(name, shown.flow.channels), "name": name} for name in shown.flow.channels],
        "sums_words": _sums(shown.flow),
        "exports": [{"name": ending.upper(), "address": f"{here}.{ending}{state.suffix()}"} for ending in EXPORTS],
        "flow_why": why_flow(shown.flow, counted_how=shown.counted, as_of=shown.as_of),
        **_time_context(shown, here),
        **_segment_context(shown),
        "map_choices": [
            {"name": name, "address": map_address(name) + state.without_segment().suffix(), "here": name == shown.map}
            for name in choices.maps
        ]
        if len(choices.maps) > 1
        else [],
        "elsewhere": [
            {"name": name, "address": map_address(name) + state.without_segment().suffix(), "count": count}
            for name, count in choices.burning.items()
            if count and name != shown.map
        ],
        "table_channels": list(shown.flow.channels),
        "table_rows": flow_rows(shown.flow),
    }


def flow_rows(flow: LivedFlow) -> list[dict[str, Any]]:
    """The table twin of the picture: one row for each origin and target."""
    order = [START, *(step.name for step in flow.steps), *ENDINGS]
    rows = []
    for origin in order:
        for target in order:
            channels = flow.pairs.get((origin, target), {})
            total = sum(channels.values())
            if total:
                counts = [counted(channels[name]) if name in channels else "" for name in flow.channels]
                rows.append({"origin": origin, "target": target, "counts": counts, "all": counted(total)})
        others = flow.others.get(origin, {})
        if others:
            counts = [counted(others[name]) if name in others else "" for name in flow.channels]
            rows.append(
                {
                    "origin": origin,
                    "target": f"{OTHER} touches after it",
                    "counts": counts,
                    "all": counted(sum(others.values())),
                }
            )
    return rows


def _card(promise: PromiseShown, shown: DesignedOverLived) -> dict[str, Any]:
    rate, state = promise.rate, shown.state
    address = promise_address(shown.map, promise.promise, state)
    verdicts = [("broken", promise.broken), ("waiting", promise.waiting), ("kept", promise.kept)]
    if promise.overdue:
        verdicts.insert(1, ("overdue", promise.overdue))
    made_good = f"{counted(promise.made_good)} made good" if promise.made_good else ""
    limit = f"limit {promise.limit:.4g}" if promise.limit is not None and promise.limit > 1 else ""
    if promise.limit is not None and not limit:
        limit = f"limit {percent(promise.limit)}"
    return {
        "mark": state_picture(promise.state, str(promise.number)),
        "state": promise.state if promise.state != "no limit" else "no limit set",
        "state_class": STATE_CLASSES[promise.state],
        "stepped_back": state.only_broken and not promise.broken,
        "step": promise.step,
        "says": promise.says,
        "address": address,
        "rate": "" if rate.value is None else percent(rate.value),
        "interval": f"{percent(rate.low or 0.0)} to {percent(rate.high or 0.0)}",
        "missing": rate.why_missing,
        "picture": interval_picture(rate, limit=promise.limit),
        "counts": [
            {
                "count": counted(count),
                "word": word,
                "class": "some-broken" if word == "broken" and count else "",
                "address": promise_address(shown.map, promise.promise, state, verdict=word),
            }
            for word, count in verdicts
            if count or word != "waiting"
        ],
        "foot": " · ".join(
            part
            for part in (limit, "public" if promise.public else "", "critical" if promise.critical else "", made_good)
            if part
        ),
        "why": why_promise(promise, as_of=shown.as_of, address=address),
    }


def percent(share: float) -> str:
    """A share as people read it; never rounded to a full 100 % that was not reached.

    >>> percent(0.9996), percent(1.0), percent(0.853)
    ('99.9 %', '100 %', '85.3 %')
    """
    if share >= 1.0:
        return "100 %"
    return f"{min(share * 100, 99.9):.1f} %"


def _time_context(shown: DesignedOverLived, here: str) -> dict[str, Any]:
    state, months = shown.state, shown.choices.months
    first = state.first_month if state.first_month in months else (months[0] if months else "")
    last = state.last_month if state.last_month in months else (months[-1] if months else "")
    presets = [("all", "", "")]
    if len(months) > 12:
        presets.append(("last 12 months", months[-12], months[-1]))
    if len(months) > 3:
        presets.append(("last 3 months", months[-3], months[-1]))
    return {
        "months": [{"value": month, "first": month == first, "last": month == last} for month in months],
        "months_picture": months_picture(months, shown.choices.interactions, first=first, last=last),
        "first_month": first,
        "last_month": last,
        "first_value": months.index(first) if first else 0,
        "last_value": months.index(last) if last else 0,
        "last_place": max(0, len(months) - 1),
        "presets": [
            {
                "name": name,
                "address": here + replace(state, first_month=begin, last_month=end).suffix(),
                "here": (state.first_month, state.last_month) == (begin, end),
            }
            for name, begin, end in presets
        ],
    }


def _segment_context(shown: DesignedOverLived) -> dict[str, Any]:
    groups = []
    for column, values in shown.choices.segments.items():
        choices = [
            {"value": f"{column}:{value}", "name": value, "here": shown.state.segment == f"{column}:{value}"}
            for value in values
        ]
        groups.append({"name": column, "choices": choices})
    return {"segments": groups}


def _sums(flow: LivedFlow) -> str:
    parts = [f"{counted(flow.out_of(START))} began"]
    parts += [f"{counted(flow.into(ending))} {ending.strip('()')}" for ending in ENDINGS]
    return f"{parts[0]} = {' + '.join(parts[1:])}"


def _for_whom(state: ScreenState) -> str:
    words = f", {state.segment_column} {state.segment_value}" if state.segment_column else ""
    return words + (", only those to whom a promise was broken" if state.only_broken else "")


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{counted(count)} {one if count == 1 else many or one + 's'}"
