"""The published JSON Schema of recipes knows the same words as the reader."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from desireline.intake.recipe_file import (
    READING_WORDS,
    RECIPE_WORDS,
    TAKEN_WORDS,
    TIME_WORDS,
    read_recipe,
    write_recipe,
)
from desireline.intake.recipe_words import EVERY_WORDS
from desireline.storage.documents import Document
from desireline.vocabulary.errors import DesirelineError

SCHEMA = json.loads(files("desireline.intake").joinpath("recipe.schema.json").read_text())
WHOLE = """
recipe: tickets
says: Tickets of the help desk
source: zendesk
files: ["tickets*.csv"]
reading: {format: csv, encoding: windows-1252, separator: ";", quote: '"', header_rows: 1,
          skip_lines: 0, decimal: ",", sheet: A}
zone: Europe/Berlin
country_code: "49"
currency: EUR
key: [Id, Part]
every:
  case: {column: Id}
interactions:
  - name: opened
    when: {Status: [a, b], Kind: {not: x}, any: [{A: {exists: true}}, {B: {at_least: 3}}], C: {starts_with: [W_]}}
    occurred_at: {first_of: [Day, Created], time: Clock, format: ["%d.%m.%Y %H:%M", iso],
                  zone: {column: TZ}, day_only_at: "12:00"}
    sent_at: Sent
    touchpoint: {column: Activity, map: {A: b}, otherwise: c, empty: d, prefix: "x.", slug: true}
    channel: {choose: [{when: {A: b}, is: phone}, {when: {A: {contains: c}}, is: {column: Via}}], otherwise: web}
    asks: true
    value: {column: Cents, minor: true, negate: true}
    handles: [{kind: social, network: mastodon, column: H, split: ";"}]
    others: [{role: agent, kind: email, column: Agent}]
    properties: {priority: Prio}
  - {name: closed, occurred_at: {column: Closed}, touchpoint: closed, properties: none}
"""


def test_a_recipe_with_every_word_fits_the_schema_and_comes_back_as_it_was():
    jsonschema.validate(json.loads(json.dumps(Document(text=WHOLE, name="w").body)), SCHEMA)
    recipe = read_recipe(WHOLE, name="whole.yaml")
    written = write_recipe(recipe)
    assert read_recipe(written, name="written.yaml") == recipe
    jsonschema.validate(json.loads(json.dumps(Document(text=written, name="w").body)), SCHEMA)


def test_the_schema_and_the_reader_know_the_same_words():
    properties = SCHEMA["properties"]
    assert set(properties) == set(RECIPE_WORDS)
    assert set(properties["reading"]["properties"]) == set(READING_WORDS)
    assert set(properties["every"]["properties"]) == set(EVERY_WORDS)
    assert set(SCHEMA["$defs"]["taken"]["oneOf"][1]["properties"]) == set(TAKEN_WORDS)
    assert set(SCHEMA["$defs"]["time"]["oneOf"][1]["properties"]) == set(TIME_WORDS)


@pytest.mark.parametrize("line", ["sorce: b", "zone: Berlin/Europe", "key: {a: b}", "every: {when: {A: {above: x}}}"])
def test_the_reader_refuses_what_is_wrong(line: str):
    text = f"recipe: a\nsource: b\n{line}\ninteractions:\n  - {{occurred_at: x, touchpoint: y}}\n"
    with pytest.raises(DesirelineError, match=r"unknown|not a plain|not a number"):
        read_recipe(text, name="r")
