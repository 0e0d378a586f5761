"""Seeded random maps, calendars and small logs, made so that ties and moments around a deadline are frequent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from promises.plain_calendar import after
from promises.plain_patterns import holds

DAY_MS = 86_400_000

CALENDARS: dict[str, dict[str, Any]] = {
    "default": {
        "time_zone": "Europe/Berlin",
        "open": {day: ["09:00-12:00", "13:00-17:30", "16:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
        "closed": ["2026-03-30", "2026-10-26", "2026-12-25"],
    },
    "nights": {
        "time_zone": "America/Havana",
        "open": {day: ["00:00-06:00", "22:00-02:00"] for day in ("mon", "wed", "sat", "sun")},
        "closed": ["2026-06-10"],
    },
    "island": {
        "time_zone": "Australia/Lord_Howe",
        "open": {"sun": ["01:45-05:00"], "mon": ["08:15-12:45"], "thu": ["00:00-24:00"], "fri": ["08:15-12:45"]},
    },
    "seldom": {"time_zone": "Asia/Kolkata", "open": {"mon": ["09:00-10:00"]}},
}
BASES_MS = (
    1_774_598_400_000,  # Friday 27 March 2026, before summer begins in Berlin
    1_792_796_400_000,  # Saturday 24 October 2026, before it ends there
    1_772_848_800_000,  # Saturday 7 March 2026, before summer begins in Havana
    1_793_491_200_000,  # Sunday 1 November 2026, the hour after midnight comes twice in Havana
    1_775_307_600_000,  # Saturday 4 April 2026, before summer ends on Lord Howe Island
    1_781_082_000_000,  # Wednesday 10 June 2026
)

TOUCHPOINTS = ("card.lost", "card.lost.again", "card.blocked", "help.asked", "help.answered", "ad.seen")
TEXTS: dict[str, tuple[str, ...]] = {
    "touchpoint": TOUCHPOINTS,
    "channel": ("phone", "email", "sms"),
    "direction": ("inbound", "outbound", "internal", "peer"),
    "topic": ("dispute", "fee"),
    "case": ("c1", "c2"),
    "order": ("o1", "o2"),
    "hands": ("ann", "bob"),
    "role": ("teller", "manager"),
    "power": ("refund", "none"),
    "consent": ("offers", "study"),
    "properties.tier": ("gold", "plain"),
}
NUMBERS: dict[str, tuple[float, ...]] = {
    "score": (0.0, 4.5, 5.0, 9.0),
    "value": (0, 1_000, -50),
    "properties.amount": (1.0, 2.5, 10.0),
}
FLAGS = ("asks", "answers", "properties.vip")
SIZES = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14)
VALUES = {**TEXTS, **NUMBERS, **dict.fromkeys(FLAGS, (True, False)), "text": ("We are sorry.",)}
PLAIN = ("0 minutes", "1 second", "5 minutes", "1 hour", "90 minutes", "1 day", "3 days", "1 week")
WORKING = ("30 working minutes", "1 working hour", "8 working hours", "1 working day", "2 working days")
QUIETS = ("10 minutes", "2 hours", "2 days", "10 days")


@dataclass(frozen=True)
class Case:
    """Several logs judged by the same versions of maps at the same moment. No two logs share a person."""

    versions: tuple[tuple[int, dict[str, Any]], ...]
    logs: tuple[tuple[dict[str, Any], ...], ...]
    as_of: int

    @property
    def interactions(self) -> list[dict[str, Any]]:
        return [one for log in self.logs for one in log]

    def with_logs(self, *logs: tuple[dict[str, Any], ...]) -> Case:
        return replace(self, logs=tuple(logs))

    def with_versions(self, *versions: tuple[int, dict[str, Any]]) -> Case:
        return replace(self, versions=tuple(versions))


def random_case(seed: int, logs: int, *, sizes: tuple[int, ...] = SIZES, cases: int = 2) -> Case:
    """A random map, often in several versions and sometimes beside another, with as many random logs as asked for.

    sizes: how many interactions a log may have. cases: how many different cases people may have.
    """
    random = Random(seed)
    base = random.choice(BASES_MS)
    newest = random_map(random)
    durations = durations_of(newest)
    calendar = CALENDARS[newest.get("calendar", "default")]
    anchors = [base]
    for _ in range(random.randint(2, 9)):
        anchors.append(random_moment(random, anchors, durations, calendar))
    versions = [(random.choice((0, *anchors)), newest)]
    while random.random() < 0.3:
        versions.append((random.choice(anchors), random_map(random)))
    if random.random() < 0.15:
        versions.append((0, random_map(random) | {"map": "other"}))
    patterns = [pattern for _, version in versions for pattern in patterns_of(version)]
    made = tuple(
        random_log(random, number, anchors, durations, calendar, patterns, random.choice(sizes), cases)
        for number in range(logs)
    )
    return Case(tuple(versions), made, random_as_of(random, anchors, made))


def random_as_of(random: Random, anchors: list[int], logs: tuple[tuple[dict[str, Any], ...], ...]) -> int:
    moments = anchors + [one["occurred_at"] for log in logs for one in log]
    chosen = random.random()
    if chosen < 0.35:
        return max(moments) + 100 * DAY_MS
    if chosen < 0.6:
        return max(moments)
    return random.choice(moments) + random.choice((0, 0, -1, 1, 600_000))


# -------------------------------------------------------------------------------------------------- logs


def random_moment(random: Random, anchors: list[int], durations: list[str], calendar: dict[str, Any]) -> int:
    """A moment that is one of the earlier ones, or lies a promised time after one, or just beside that."""
    anchor = random.choice(anchors)
    chosen = random.random()
    if chosen < 0.35:
        return anchor
    if chosen < 0.9 and durations:
        anchor = after(random.choice(durations), anchor, calendar)
        if random.random() < 0.25:
            anchor = after(durations[0], anchor, calendar)  # of a map with a quiet time, the end of lateness
        return anchor + random.choice((0, 0, 0, 0, -1, 1, 1_500))
    return anchor + random.choice((-3_600_000, 60_000, 1_000, 7_200_000, DAY_MS, -DAY_MS))


def random_log(
    random: Random,
    number: int,
    anchors: list[int],
    durations: list[str],
    calendar: dict[str, Any],
    patterns: list[dict[str, Any]],
    size: int,
    cases: int,
) -> tuple[dict[str, Any], ...]:
    """So many interactions of one to three people, and of nobody."""
    people = [number * 8 + 1 + one for one in range(random.choice((1, 1, 2, 3)))]
    known = random.sample(anchors, k=min(len(anchors), random.randint(1, 4)))
    ids = random.sample(range(1, 250), k=size)
    interactions = []
    for position in range(size):
        moment = random_moment(random, known, durations, calendar)
        known.append(moment)
        one = random_interaction(random)
        if random.random() < 0.75:
            fit(random, one, random.choice(patterns))
        if cases > 2 and "case" in one:
            one["case"] = f"c{random.randint(1, cases)}"
        one["id"] = number * 256 + ids[position]
        one["source"] = random.choice(("a", "b"))
        one["position"] = position
        one["occurred_at"] = moment
        one["person"] = None if random.random() < 0.06 else random.choice((people[0], random.choice(people)))
        interactions.append(one)
    random.shuffle(interactions)
    return tuple(interactions)


def random_interaction(random: Random) -> dict[str, Any]:
    """What happened, with empty fields left out."""
    one: dict[str, Any] = {}
    if random.random() < 0.12:
        one["touchpoint"] = random.choice(("consent.given", "consent.given", "consent.withdrawn"))
        one["consent"] = random.choice(("offers", "offers", "offers", "study"))
    elif random.random() < 0.95:
        one["touchpoint"] = random.choice(TOUCHPOINTS)
    filled = {"channel": 0.85, "direction": 0.8, "topic": 0.5, "case": 0.6, "order": 0.4, "hands": 0.6, "role": 0.5}
    filled |= {"power": 0.3, "properties.tier": 0.3, "score": 0.4, "value": 0.3, "properties.amount": 0.4}
    for name, share in filled.items():
        if random.random() < share:
            fill(one, name, random.choice(TEXTS[name] if name in TEXTS else NUMBERS[name]))
    for name in FLAGS:
        if random.random() < 0.6:
            fill(one, name, random.random() < 0.6)
    if random.random() < 0.3:
        one["text"] = "We are sorry."
    return one


def fit(random: Random, one: dict[str, Any], pattern: dict[str, Any]) -> None:
    """Change an interaction so that it matches a pattern, or fails in one condition alone."""
    conditions = {name: wanted for name, wanted in pattern.items() if name != "any"}
    if "any" in pattern:
        fit(random, one, random.choice(pattern["any"]))
    failing = random.choice(sorted(conditions)) if len(conditions) > 1 and random.random() < 0.3 else None
    for name, wanted in conditions.items():
        values = [*VALUES[name], None, wanted if isinstance(wanted, str) and ".*" not in wanted else None]
        passes = [holds((name, wanted), {name: value, "properties": {name[11:]: value}}) for value in values]
        chosen = [value for value, does in zip(values, passes, strict=True) if does == (name != failing)]
        if chosen:
            fill(one, name, random.choice(chosen))


def fill(one: dict[str, Any], name: str, value: Any) -> None:
    """Set a field, or empty it."""
    place = one.setdefault("properties", {}) if name.startswith("properties.") else one
    place[name.removeprefix("properties.")] = value
    if value is None:
        del place[name.removeprefix("properties.")]


# -------------------------------------------------------------------------------------------------- maps


def patterns_of(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The patterns of a map's promises, openings and answers more often than the rest."""
    found = [made["ends"]] if "ends" in made else []
    for promise in made["promises"]:
        found += [promise["when"]] * 2 + [
            promise[word] for word in ("then", "then", "never", "unless") if word in promise
        ]
        found += [promise["at_most"]["of"]] * 2 if "at_most" in promise else []
        found += [promise["if_broken"]["then"]] if "if_broken" in promise else []
        if "consent" in promise:
            found += [{"touchpoint": word, "consent": "offers"} for word in ("consent.given", "consent.withdrawn")]
    return found


def random_map(random: Random) -> dict[str, Any]:
    """A valid map with one to three promises of any kind."""
    made: dict[str, Any] = {"map": "trial", "says": "A journey for trial."}
    if random.random() < 0.15:
        made["for"] = random_pattern(random)
    elif random.random() < 0.3:
        made["for"] = "everyone"
    if random.random() < 0.5:
        made["calendar"] = random.choice(sorted(CALENDARS))
    if random.random() < 0.7:
        made["quiet_after"] = random.choice(QUIETS)
    made["begins"] = random_pattern(random)
    if random.random() < 0.6:
        made["ends"] = {"touchpoint": random.choice(TOUCHPOINTS)} if random.random() < 0.6 else random_pattern(random)
    made["phases"] = [{"phase": "Start", "sale": "after", "steps": random_steps(random)}]
    names = random.sample(("blocked", "answered", "asked-once"), k=random.randint(1, 3))
    made["promises"] = [random_promise(random, name, made) for name in sorted(names)]
    return made


def random_steps(random: Random) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"step": "first"}]
    if random.random() < 0.8:
        steps[0]["touchpoint"] = random.choice(("card.blocked", "ad.seen", "help.*", ["ad.seen", "consent.*"]))
    if random.random() < 0.5:
        steps[0]["channel"] = random.choice(("sms", "phone", ["email", "sms"]))
    return steps


def random_promise(random: Random, name: str, made: dict[str, Any]) -> dict[str, Any]:
    """A promise with any mixture of its parts, valid in this map."""
    promise: dict[str, Any] = {"promise": name, "at": "Start/first", "says": "We promise."}
    promise["when"] = random_pattern(random, simple=True)
    kinds = [kind for kind, share in (("then", 0.7), ("never", 0.3), ("at_most", 0.3)) if random.random() < share]
    for kind in kinds or ["then"]:
        promise[kind] = random_pattern(random, for_answer=kind == "then")
    if "at_most" in promise:
        count = random.choice((0, 0, 1, 2))
        promise["at_most"] = {"count": count, "of": promise["at_most"], "within": random_duration(random)}
    has_window = "at_most" in promise and "then" not in promise
    if random.random() < 0.6 or ("quiet_after" not in made and not has_window):
        promise["within"] = random_within(random)
    if random.random() < 0.5:
        promise["same"] = random.choice(("case", "case", "order"))
    if random.random() < 0.3:
        promise["unless"] = random_pattern(random)
    if random.random() < 0.5:
        promise["if_broken"] = {"then": random_pattern(random), "within": random_duration(random)}
    if random.random() < 0.25:
        promise["consent"] = "offers"
    if random.random() < 0.1:
        promise["for"] = random_pattern(random)
    if random.random() < 0.15:
        promise["calendar"] = random.choice(sorted(CALENDARS))
    return promise


def random_duration(random: Random) -> str:
    return random.choice(PLAIN if random.random() < 0.65 else WORKING)


def random_within(random: Random) -> str | dict[str, str]:
    if random.random() < 0.75:
        return random_duration(random)
    channels = random.sample(TEXTS["channel"], k=random.randint(1, 3))
    return {channel: random_duration(random) for channel in channels}


def durations_of(made: dict[str, Any]) -> list[str]:
    """Every duration a map names."""
    found = [made["quiet_after"]] if "quiet_after" in made else []
    for promise in made["promises"]:
        parts = [promise, promise.get("at_most", {}), promise.get("if_broken", {})]
        for within in (part["within"] for part in parts if "within" in part):
            found += list(within.values()) if isinstance(within, dict) else [within]
    return found


# -------------------------------------------------------------------------------------------------- patterns


def random_pattern(random: Random, *, simple: bool = False, for_answer: bool = False) -> dict[str, Any]:
    """A pattern of one to three conditions, sometimes with alternatives."""
    if not simple and random.random() < 0.15:
        alternatives = [flat_pattern(random, for_answer=for_answer) for _ in range(random.randint(1, 3))]
        if random.random() < 0.2:
            alternatives[0] = {"any": [flat_pattern(random, for_answer=for_answer), alternatives[0]]}
        outer = random_conditions(random, ("asks", "topic", "direction", "score"), 1) if random.random() < 0.4 else {}
        return outer | {"any": alternatives}
    return flat_pattern(random, for_answer=for_answer)


def flat_pattern(random: Random, *, for_answer: bool = False) -> dict[str, Any]:
    pattern: dict[str, Any] = {}
    if random.random() < 0.75:
        pattern["touchpoint"] = random_condition(random, "touchpoint")
    if for_answer:  # channels and hands, so that an answer can fail only there
        pattern |= random_conditions(random, ("channel", "hands", "role", "power"), random.choice((0, 1, 2, 2)))
    others = ("channel", "direction", "asks", "answers", "topic", "case", "hands", "score", "value", "consent")
    others += ("properties.amount", "properties.tier", "properties.vip", "order", "text")
    fewest = 0 if pattern else 1
    return pattern | random_conditions(random, others, max(fewest, random.choice((0, 0, 0, 1, 1, 2))))


def random_conditions(random: Random, names: tuple[str, ...], count: int) -> dict[str, Any]:
    return {name: random_condition(random, name) for name in random.sample(names, k=count)}


def random_condition(random: Random, name: str) -> Any:
    """One condition on a field: a value, several, none of some, a range, or whether it is filled in."""
    if name == "text" or random.random() < 0.08:
        return {"exists": random.random() < 0.6}
    if name in FLAGS:
        return random.random() < 0.7
    if name in NUMBERS:
        return random_range(random, NUMBERS[name])
    values = TEXTS[name] + (("card.*", "help.*", "card.lost.*", "consent.*") if name == "touchpoint" else ())
    some = random.sample(values, k=random.randint(1, min(3, len(values))))
    return random.choice((some[0], some[0], some, some, {"not": some[0]}, {"not": some}))


def random_range(random: Random, values: tuple[float, ...]) -> Any:
    low, high = sorted(random.sample(values, k=2))
    return random.choice(
        (low, [low, high], {"at_least": low}, {"below": high}, {"at_least": low, "below": high}, {"not": low})
    )
