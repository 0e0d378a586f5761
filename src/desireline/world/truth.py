"""The truth of a world, apart from its exports: who is who, which journey, which promise, why, what it cost."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from desireline.vocabulary.promise import BREACHES
from desireline.world import moments, needs
from desireline.world.clock import Numbers
from desireline.world.generate import Happened
from desireline.world.kinds import CHANNELS, KINDS, SERVICE_POWERS, SOURCES
from desireline.world.layouts import INTENTS, KEY_LETTERS, LAYOUTS
from desireline.world.people import FIRST_NAMES, LAST_NAMES, MAIL_DOMAINS, REGIONS, SEGMENTS, People, scattered
from desireline.world.planted import BUYS_PERMILLE, PROMISES
from desireline.world.record import (
    BREACH,
    CAMPAIGN,
    CASE,
    CHANNEL,
    JOURNEY,
    KIND,
    MADE_GOOD,
    OPENING,
    ORDER,
    PART,
    PERSON,
    PLANT_JOURNEY,
    POWER,
    PROMISE,
    RECORD,
    SCORE,
    STAFF,
    SUBJECT,
    TIME,
    VALUE,
    VERDICT,
)
from desireline.world.sheets import BROKEN_ROW, DISTORTIONS, Sheet

VERDICT_WORDS = ("waiting", "kept", "broken", "withdrawn")
WHY = (
    "something happened that was promised never to happen",
    "the customer or the bank had to repeat it too often",
    "it was sent although no consent stood",
    "the answer came on a channel that was not promised",
    "the answer came from hands without the promised power",
    "the answer came too late",
    "no answer came",
)
_PART_NAMES = tuple(layout.part_names for layout in LAYOUTS)


class Places:
    """Where each row of the world lies in the export files: line of the file and how it was distorted."""

    def __init__(self, rows: int) -> None:
        self.line = np.zeros(rows, np.int64)
        self.distortion = np.zeros(rows, np.int64)

    def add(self, sheet: Sheet) -> None:
        """Note the first line in which each interaction of a source lies, counted from 1 after the heading."""
        lines = np.flatnonzero(~sheet.repeat)
        for part in range(sheet.parts.shape[1]):
            rows = sheet.parts[lines, part]
            there = rows >= 0
            self.line[rows[there]] = lines[there] + 1
            self.distortion[rows[there]] = sheet.distortion[lines[there]]


def write_truth(*, to: Path, happened: Happened, sources: Numbers, places: Places, people: People) -> None:
    """Write the truth beside the exports: `to` must exist."""
    database = duckdb.connect()
    try:
        database.execute("SET threads = 2")
        _register(database, happened=happened, sources=sources, places=places, people=people)
        _copy(database, "truth_interactions", to / "interactions.parquet", "FORMAT parquet")
        _copy(database, "truth_rows", to / "rows.parquet", "FORMAT parquet")
        _copy(database, "truth_promises", to / "promises.csv", "FORMAT csv, HEADER true")
        _copy(database, "truth_journeys", to / "journeys.csv", "FORMAT csv, HEADER true")
    finally:
        database.close()
    _write_csv(to / "people.csv", _PEOPLE_HEAD, _people_rows(people))
    _write_csv(to / "handles.csv", ("person", "kind", "value"), _handle_rows(people))
    _write_csv(to / "effects.csv", ("effect", "of", "value_permille", "says"), _effect_rows())
    _write_csv(to / "stories.csv", ("story", "person", "name", "begins_ms", "says"), _story_rows(people))
    _write_csv(
        to / "broken_rows.csv", ("file", "line", "source_key", "reason"), _broken_rows(happened, sources, places)
    )


def _copy(database: duckdb.DuckDBPyConnection, question: str, to: Path, how: str) -> None:
    text = files("desireline.world").joinpath(f"{question}.sql").read_text(encoding="utf-8")
    target = str(to).replace("'", "''")
    database.execute(f"COPY ({text}) TO '{target}' ({how})")


def _register(
    database: duckdb.DuckDBPyConnection, *, happened: Happened, sources: Numbers, places: Places, people: People
) -> None:
    rows, plants = happened.rows, happened.plants
    columns = {
        "number": np.arange(len(rows)),
        "person": rows[:, PERSON],
        "moment": rows[:, TIME],
        "kind": rows[:, KIND],
        "channel": rows[:, CHANNEL],
        "about_case": np.where(rows[:, CASE] > 0, scattered(rows[:, CASE], 1), 0),
        "about_order": np.where(rows[:, ORDER] > 0, scattered(rows[:, ORDER], 1), 0),
        "campaign": rows[:, CAMPAIGN],
        "value": rows[:, VALUE],
        "staff": rows[:, STAFF],
        "power": rows[:, POWER],
        "score": rows[:, SCORE],
        "subject": rows[:, SUBJECT],
        "record_key": scattered(rows[:, RECORD], 3),
        "part": rows[:, PART],
        "journey": rows[:, JOURNEY],
        "source": sources,
        "line": places.line,
        "distortion": places.distortion,
    }
    database.register("numbers", {name: np.ascontiguousarray(values) for name, values in columns.items()})
    names = {"promise": PROMISE, "opening": OPENING, "verdict": VERDICT, "breach": BREACH, "made_good": MADE_GOOD}
    planted = {name: np.ascontiguousarray(plants[:, column]) for name, column in names.items()}
    database.register("planted", planted | {"journey": np.ascontiguousarray(plants[:, PLANT_JOURNEY])})
    database.register("people", {"person": people.number, "followers": people.followers})
    for table, words in _word_tables().items():
        _word_table(database, table, words)
    database.execute(
        "CREATE VIEW world AS SELECT numbers.*, keys.letter || lpad(record_key::VARCHAR, 9, '0') || keys.ending "
        "AS key_text FROM numbers JOIN keys ON keys.source = numbers.source AND keys.part = numbers.part"
    )


def _word_tables() -> Mapping[str, tuple[Sequence[str], list[tuple[Any, ...]]]]:
    def listed(words: Sequence[str]) -> list[tuple[Any, ...]]:
        return list(enumerate(words))

    kinds = [(code, k.touchpoint, k.direction, k.topic, k.asks, k.answers) for code, k in enumerate(KINDS)]
    keys = [
        (source, part, KEY_LETTERS[source], f":{names[part]}" if part < len(names) else "")
        for source, names in enumerate(_PART_NAMES)
        for part in range(max(1, len(names)))
    ]
    return {
        "kinds": (("code", "touchpoint", "direction", "topic", "asks", "answers"), kinds),
        "channels": (("code", "channel"), listed(CHANNELS)),
        "sources": (("code", "source", "file"), [(c, s, LAYOUTS[c].file) for c, s in enumerate(SOURCES)]),
        "subjects": (("code", "intent"), listed(INTENTS)),
        "powers": (("code", "power"), listed(SERVICE_POWERS)),
        "distortions": (("code", "distortion"), listed(DISTORTIONS)),
        "verdicts": (("code", "verdict"), listed(VERDICT_WORDS)),
        "breaches": (("code", "breach", "why"), [(c, b, WHY[c]) for c, b in enumerate(BREACHES)]),
        "promises": (("code", "map", "promise"), [(c, p.map, p.promise) for c, p in enumerate(PROMISES)]),
        "keys": (("source", "part", "letter", "ending"), keys),
    }


def _word_table(
    database: duckdb.DuckDBPyConnection, table: str, words: tuple[Sequence[str], list[tuple[Any, ...]]]
) -> None:
    names, rows = words
    types = {str: "VARCHAR", int: "BIGINT", bool: "BOOLEAN"}
    columns = ", ".join(f"{name} {types[type(value)]}" for name, value in zip(names, rows[0], strict=True))
    database.execute(f"CREATE TABLE {table} ({columns})")
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)


_HANDLE_KINDS = ("crm", "email", "phone", "card", "social", "device")
_PEOPLE_HEAD = ("person", "name", "segment", "region", "followers", *_HANDLE_KINDS)


def _people_rows(people: People) -> Iterable[tuple[Any, ...]]:
    for number, first, last, domain, segment, region, followers, customer, phone, card, _, device in zip(
        *(column.tolist() for column in people), strict=True
    ):
        name, family = FIRST_NAMES[first], LAST_NAMES[last]
        yield (
            number,
            f"{name.capitalize()} {family.capitalize()}",
            SEGMENTS[segment],
            REGIONS[region],
            followers,
            f"K{customer:09d}",
            f"{name}.{family}{number}@{MAIL_DOMAINS[domain]}",
            f"+4915{phone:09d}",
            f"5200127{card:09d}",
            f"@{name}_{family}{number}",
            f"d-{device:010d}",
        )


def _handle_rows(people: People) -> Iterable[tuple[int, str, str]]:
    cookies = people.cookie_key.tolist()
    for row, cookie in zip(_people_rows(people), cookies, strict=True):
        for kind, value in zip(_HANDLE_KINDS, row[5:], strict=True):
            yield row[0], kind, value
        for year in range(53, 57):
            yield row[0], "cookie", f"ck-{(cookie + year * 104_729) % 9_999_999_967:010d}"


def _effect_rows() -> Iterable[tuple[str, str, int, str]]:
    says = "chance to buy within 90 days of the journey is smaller by so much after a breach"
    for planted in PROMISES:
        yield "breach", f"{planted.map}/{planted.promise}", -planted.lost_permille, says
    yield "base", "product.bought", BUYS_PERMILLE, "chance to buy within 90 days of a journey without a breach"
    calls = needs.CALLS_PERMILLE
    says = "change of the chance that a question becomes a call, once the customer uses the portal"
    yield "digital", "ambiguous questions", (needs.CALLS_AMBIGUOUS_PERMILLE - calls) * 1000 // calls, says
    yield "digital", "clear questions", (needs.CALLS_CLEAR_PERMILLE - calls) * 1000 // calls, says
    yield (
        "growth",
        "interactions per customer and year",
        226,
        "growth of the rate of needs; help pages and follow-ups come on top",
    )


def _story_rows(people: People) -> Iterable[tuple[Any, ...]]:
    for story in moments.STORIES:
        if story.person <= len(people.number):
            yield story.story, story.person, story.name, story.begins, story.says


def _broken_rows(happened: Happened, sources: Numbers, places: Places) -> Iterable[tuple[str, int, str, str]]:
    broken = np.flatnonzero((places.distortion == BROKEN_ROW) & (happened.rows[:, PART] == 0))
    order = np.lexsort((places.line[broken], sources[broken]))
    for row in broken[order].tolist():
        source = int(sources[row])
        key = f"{KEY_LETTERS[source]}{int(scattered(happened.rows[row : row + 1, RECORD], 3)[0]):09d}"
        yield LAYOUTS[source].file, int(places.line[row]), key, DISTORTIONS[BROKEN_ROW]


def _write_csv(to: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with to.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
