"""Recipe files: read with every mistake at once (line, column, nearest known word), and written for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, cast

from ruamel.yaml import YAML

from desireline.intake.recipe_words import EVERY_WORDS, Words
from desireline.intake.recipes import (
    EPOCHS,
    FILE_FORMATS,
    FLAG_FIELDS,
    TAKEN_FIELDS,
    TEST_KINDS,
    HandleTaken,
    Reading,
    Recipe,
    Shape,
    Taken,
    Test,
    TestKind,
    TimeTaken,
    When,
)
from desireline.intake.zones import known_zone
from desireline.storage.documents import Document
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.interaction import DIRECTIONS

Path = tuple[str | int, ...]

RECIPE_WORDS = (
    "recipe", "says", "source", "files", "reading", "zone", "country_code", "currency", "key", "every", "interactions",
)  # fmt: skip
READING_WORDS = (
    "format", "encoding", "separator", "quote", "header_rows", "skip_lines", "decimal", "sheet", "own_addresses",
)  # fmt: skip
TAKEN_WORDS = ("column", "first_of", "map", "otherwise", "empty", "prefix", "slug", "choose", "minor", "negate")
TIME_WORDS = ("column", "first_of", "time", "format", "zone", "day_only_at")
HANDLE_WORDS = ("kind", "column", "network", "split")
NUMBER_TESTS = ("at_least", "above", "below", "at_most")
_NAME = re.compile(r"[a-z0-9_]+")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def read_recipe(text: str, *, name: str) -> Recipe:
    """The recipe written in a file; raises `DesirelineError` with every mistake in it."""
    words = Words(Document(text=text, name=name))
    recipe = _recipe(words)
    if words.mistakes:
        raise DesirelineError(words.mistakes)
    return recipe


def _recipe(words: Words) -> Recipe:
    body = words.mapping((), words.body, RECIPE_WORDS)
    every = words.mapping(("every",), body.get("every") or {}, EVERY_WORDS)
    given = words.sequence(("interactions",), body.get("interactions"))
    if not given:
        words.wrong((), "no interactions.", "Write interactions: with at least one entry.")
    shapes = tuple(_shape(words, ("interactions", place), item, every) for place, item in enumerate(given))
    _names_differ(words, shapes)
    return Recipe(
        name=words.text(("recipe",), body.get("recipe"), needed=True),
        says=words.text(("says",), body.get("says")),
        source=words.text(("source",), body.get("source"), needed=True),
        files=words.texts(("files",), body.get("files")),
        reading=_reading(words, body.get("reading") or {}),
        zone=_zone(words, ("zone",), body.get("zone")),
        country_code=_country_code(words, body.get("country_code")),
        currency=words.text(("currency",), body.get("currency")) or None,
        key=words.texts(("key",), body.get("key")),
        shapes=shapes,
    )


def _names_differ(words: Words, shapes: Sequence[Shape]) -> None:
    names = [shape.name for shape in shapes]
    for place, name in enumerate(names):
        if len(names) > 1 and not name:
            words.wrong(("interactions", place), "no name.", "Give each of several interactions its own name:.")
        elif name in names[:place]:
            words.wrong(("interactions", place, "name"), f"the name '{name}' is used twice.")


def _country_code(words: Words, given: Any) -> str:
    code = words.text(("country_code",), given).removeprefix("+")
    if code and not code.isdigit():
        words.wrong(("country_code",), f"'{code}' is not a country code.", 'Write digits, such as "49".')
    return code


def _reading(words: Words, given: Any) -> Reading:
    path: Path = ("reading",)
    body = words.mapping(path, given, READING_WORDS)
    separator = words.text((*path, "separator"), body.get("separator")) or None
    if separator and len(separator) != 1:
        words.wrong((*path, "separator"), f"'{separator}' is not one character.")
    encoding = words.text((*path, "encoding"), body.get("encoding")) or None
    if encoding and not _codec_known(encoding):
        words.wrong((*path, "encoding"), f"unknown encoding '{encoding}'.", "Such as utf-8, windows-1252, utf-16.")
    return Reading(
        format=cast(Any, words.one_of((*path, "format"), body.get("format"), FILE_FORMATS)),
        encoding=encoding,
        separator=separator,
        quote=words.text((*path, "quote"), body.get("quote")) or None,
        header_rows=words.count((*path, "header_rows"), body.get("header_rows"), most=9),
        skip_lines=words.count((*path, "skip_lines"), body.get("skip_lines"), most=999),
        decimal=words.one_of((*path, "decimal"), body.get("decimal"), (".", ",")),
        sheet=words.text((*path, "sheet"), body.get("sheet")) or None,
        own_addresses=words.texts((*path, "own_addresses"), body.get("own_addresses")),
    )


def _codec_known(encoding: str) -> bool:
    import codecs

    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _zone(words: Words, path: Path, given: Any) -> str | None:
    name = words.text(path, given)
    if not name:
        return None
    if not known_zone(name):
        words.wrong(path, f"unknown time zone '{name}'.", "Write an area and a city, such as Europe/Berlin, or UTC.")
    return name


def _shape(words: Words, path: Path, given: Any, every: Mapping[str, Any]) -> Shape:
    own = words.mapping(path, given, (*EVERY_WORDS, "name"))
    body = {**every, **own}

    def at(word: str) -> Path:
        return (*path, word) if word in own else ("every", word)

    for word in ("occurred_at", "touchpoint"):
        if word not in body:
            words.wrong(path, f"no {word}.", f"Every interaction needs {word}:.")
    name = words.text(at("name"), body.get("name"))
    if name and not _NAME.fullmatch(name):
        words.wrong(at("name"), f"'{name}' is not a name.", "Use small letters, digits and _.")
    return Shape(
        name=name,
        when=_when(words, at("when"), body.get("when") or {}),
        occurred_at=_time(words, at("occurred_at"), body.get("occurred_at", {"column": "?"})),
        sent_at=_time(words, at("sent_at"), body["sent_at"]) if "sent_at" in body else None,
        fields={word: _field(words, at(word), word, body[word]) for word in TAKEN_FIELDS if word in body},
        handles=_handles(words, at("handles"), body.get("handles"), HANDLE_WORDS),
        others=_handles(words, at("others"), body.get("others"), (*HANDLE_WORDS, "role")),
        properties=_properties(words, at("properties"), body.get("properties", "rest")),
    )


def _properties(words: Words, path: Path, given: Any) -> tuple[tuple[str, str], ...] | None:
    if given == "rest":
        return None
    if given in ("none", None):
        return ()
    if isinstance(given, Mapping):
        return tuple((str(name), words.text((*path, name), column)) for name, column in given.items())
    return tuple((column, column) for column in words.texts(path, given))


def _field(words: Words, path: Path, field: str, given: Any) -> Taken:
    taken = _taken(words, path, given)
    if field == "direction":
        said = [taken.constant, taken.otherwise, taken.empty, *(word for _, word in taken.map)]
        for word in said:
            words.one_of(path, word, DIRECTIONS)
    if field in FLAG_FIELDS and taken.constant not in (None, "true", "false"):
        words.wrong(path, f"'{taken.constant}' is not yes or no.", "Write true or false.")
    if (taken.minor or taken.negate) and field != "value":
        words.wrong(path, "minor and negate belong to value only.")
    return taken


def _taken(words: Words, path: Path, given: Any) -> Taken:
    if not isinstance(given, Mapping):
        return Taken(constant=words.scalar(path, given))
    body = words.mapping(path, given, TAKEN_WORDS)
    ways = [word for word in ("column", "first_of", "choose") if word in body]
    if len(ways) != 1:
        words.wrong(path, "needs exactly one of column, first_of or choose.")
    mapped = body.get("map") or {}
    if not isinstance(mapped, Mapping):
        words.wrong((*path, "map"), "is not a mapping.", "Write value: word pairs.")
        mapped = {}
    return Taken(
        from_columns=_columns(words, path, body),
        map=tuple((words.plain(key), words.scalar((*path, "map", key), word)) for key, word in mapped.items()),
        otherwise=words.optional((*path, "otherwise"), body.get("otherwise")),
        empty=words.optional((*path, "empty"), body.get("empty")),
        prefix=words.text((*path, "prefix"), body.get("prefix")),
        slug=words.flag((*path, "slug"), body.get("slug")),
        choose=_choices(words, (*path, "choose"), body.get("choose")),
        minor=words.flag((*path, "minor"), body.get("minor")),
        negate=words.flag((*path, "negate"), body.get("negate")),
    )


def _columns(words: Words, path: Path, body: Mapping[str, Any]) -> tuple[str, ...]:
    if "column" in body:
        return (words.text((*path, "column"), body["column"], needed=True),)
    return words.texts((*path, "first_of"), body.get("first_of"))


def _choices(words: Words, path: Path, given: Any) -> tuple[tuple[When, Taken], ...]:
    choices = []
    for place, item in enumerate(words.sequence(path, given)):
        body = words.mapping((*path, place), item, ("when", "is"))
        when = _when(words, (*path, place, "when"), body.get("when") or {})
        choices.append((when, _taken(words, (*path, place, "is"), body.get("is"))))
    return tuple(choices)


def _time(words: Words, path: Path, given: Any) -> TimeTaken:
    if isinstance(given, str):
        given = {"column": given}
    body = words.mapping(path, given, TIME_WORDS)
    columns = _columns(words, path, body)
    if not columns:
        words.wrong(path, "names no column.", "Write {column: ...}.")
    formats = words.texts((*path, "format"), body.get("format")) or ("iso",)
    for word in formats:
        if "%" not in word and word not in ("iso", "excel", *EPOCHS):
            words.one_of((*path, "format"), word, ("iso", "excel", *EPOCHS))
    zone = body.get("zone")
    zone_column = None
    if isinstance(zone, Mapping):
        zone_column = words.text(
            (*path, "zone", "column"), words.mapping((*path, "zone"), zone, ("column",)).get("column")
        )
        zone = None
    day_only_at = words.text((*path, "day_only_at"), body.get("day_only_at")) or "00:00"
    if not _CLOCK.fullmatch(day_only_at):
        words.wrong((*path, "day_only_at"), f"'{day_only_at}' is not a time of day.", 'Write "12:00".')
    return TimeTaken(
        from_columns=columns,
        clock_column=words.text((*path, "time"), body.get("time")) or None,
        formats=formats,
        zone=_zone(words, (*path, "zone"), zone),
        zone_column=zone_column,
        day_only_at=day_only_at,
    )


def _handles(words: Words, path: Path, given: Any, known: Sequence[str]) -> tuple[HandleTaken, ...]:
    handles = []
    for place, item in enumerate(words.sequence(path, given)):
        body = words.mapping((*path, place), item, known)
        kind = words.text((*path, place, "kind"), body.get("kind"), needed=True)
        if kind and not re.fullmatch(r"[a-z_]+", kind):
            words.wrong((*path, place, "kind"), f"'{kind}' is not a kind of handle.", "Use small letters and _.")
        handles.append(
            HandleTaken(
                kind=kind,
                column=words.text((*path, place, "column"), body.get("column"), needed=True),
                network=words.text((*path, place, "network"), body.get("network")) or None,
                split=words.text((*path, place, "split"), body.get("split")) or None,
                role=words.text((*path, place, "role"), body.get("role")) or None,
            )
        )
    return tuple(handles)


def _when(words: Words, path: Path, given: Any) -> When:
    if not isinstance(given, Mapping):
        words.wrong(path, "is not a condition.", "Write column: value pairs.")
        return When()
    tests: list[Test] = []
    any_of: tuple[When, ...] = ()
    for column, test in given.items():
        here = (*path, column)
        if column == "any":
            any_of = tuple(_when(words, (*here, place), item) for place, item in enumerate(words.sequence(here, test)))
        elif isinstance(test, Mapping):
            words.mapping(here, test, TEST_KINDS)
            for kind, value in test.items():
                if kind in NUMBER_TESTS and (isinstance(value, bool) or not isinstance(value, (int, float))):
                    words.wrong((*here, kind), "is not a number.")
                if kind == "exists" and not isinstance(value, bool):
                    words.wrong((*here, kind), "is not true or false.")
            tests.extend(
                Test(str(column), cast(TestKind, kind), words.scalars((*here, kind), value))
                for kind, value in test.items()
                if kind in TEST_KINDS
            )
        else:
            tests.append(Test(str(column), "is", words.scalars(here, test)))
    return When(tuple(tests), any_of)


def write_recipe(recipe: Recipe) -> str:
    """The recipe as a file that people read and edit; `read_recipe` gives the same recipe back."""
    out = StringIO()
    writer = YAML(typ="rt", pure=True)
    writer.width = 120
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(_recipe_body(recipe), out)
    return out.getvalue()


def _filled(**words: Any) -> dict[str, Any]:
    return {word: value for word, value in words.items() if value not in (None, "", (), [], {}, False)}


def _one_or_many(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _recipe_body(recipe: Recipe) -> dict[str, Any]:
    reading = recipe.reading
    read = {word: getattr(reading, word) for word in READING_WORDS if getattr(reading, word) not in (None, ())}
    if reading.own_addresses:
        read["own_addresses"] = list(reading.own_addresses)
    return _filled(
        recipe=recipe.name,
        says=recipe.says,
        source=recipe.source,
        files=list(recipe.files),
        reading=read,
        zone=recipe.zone,
        country_code=recipe.country_code,
        currency=recipe.currency,
        key=_one_or_many(recipe.key) if recipe.key else None,
        interactions=[_shape_body(shape) for shape in recipe.shapes],
    )


def _shape_body(shape: Shape) -> dict[str, Any]:
    properties = shape.properties
    body = _filled(
        name=shape.name,
        when=_when_body(shape.when),
        occurred_at=_time_body(shape.occurred_at),
        sent_at=_time_body(shape.sent_at) if shape.sent_at else None,
        handles=[_handle_body(handle) for handle in shape.handles],
        others=[_handle_body(handle) for handle in shape.others],
    )
    body.update({word: _taken_body(taken, flag=word in FLAG_FIELDS) for word, taken in shape.fields.items()})
    if properties is not None:
        body["properties"] = dict(properties) if properties else "none"
    return body


def _time_body(taken: TimeTaken) -> dict[str, Any]:
    one = len(taken.from_columns) == 1
    return _filled(
        column=taken.from_columns[0] if one else None,
        first_of=None if one else list(taken.from_columns),
        time=taken.clock_column,
        format=None if taken.formats == ("iso",) else _one_or_many(taken.formats),
        zone={"column": taken.zone_column} if taken.zone_column else taken.zone,
        day_only_at=None if taken.day_only_at == "00:00" else taken.day_only_at,
    )


def _handle_body(handle: HandleTaken) -> dict[str, Any]:
    return _filled(role=handle.role, kind=handle.kind, network=handle.network, column=handle.column, split=handle.split)


def _taken_body(taken: Taken, *, flag: bool = False) -> Any:
    if taken.constant is not None:
        return taken.constant == "true" if flag else taken.constant
    one = len(taken.from_columns) == 1
    body = _filled(
        column=taken.from_columns[0] if one else None,
        first_of=None if one else list(taken.from_columns),
        choose=[{"when": _when_body(when), "is": _taken_body(chosen)} for when, chosen in taken.choose],
        map=dict(taken.map),
        prefix=taken.prefix,
        slug=taken.slug,
        minor=taken.minor,
        negate=taken.negate,
    )
    body.update({word: value for word in ("otherwise", "empty") if (value := getattr(taken, word)) is not None})
    return body


def _when_body(when: When) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for test in when.tests:
        if test.kind == "is":
            body[test.column] = _one_or_many(test.values)
        else:
            value: Any = _one_or_many(test.values)
            if test.kind == "exists":
                value = value == "true"
            elif test.kind in NUMBER_TESTS:
                value = float(value) if "." in value else int(value)
            body.setdefault(test.column, {})[test.kind] = value
    if when.any_of:
        body["any"] = [_when_body(alternative) for alternative in when.any_of]
    return body
