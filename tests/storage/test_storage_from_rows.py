"""A snapshot from rows in memory reads like one from the store."""

import numpy as np
import pytest

from desireline.storage.identity import text_hash
from desireline.storage.journey_store import EMPTY_CODE, EMPTY_KEY, EMPTY_NUMBER, NOBODY, snapshot_from_rows
from desireline.vocabulary.errors import DesirelineError

ANA = {"person": 7, "channel": "phone", "case": "c1", "asks": True, "score": 9, "value": 5, "text": "hello"}


def test_rows_are_sorted_by_person_and_moment_with_empties_where_nothing_was_said() -> None:
    snapshot = snapshot_from_rows([{**ANA, "occurred_at": 20}, {"person": 7, "occurred_at": 10}])
    bucket = snapshot.buckets[0]
    assert bucket.person.tolist() == [7]
    assert bucket.column("occurred_at").tolist() == [10, 20]
    assert bucket.column("channel").tolist() == [EMPTY_CODE, snapshot.code("channel", "phone")]
    assert bucket.column("case").tolist() == [EMPTY_KEY, text_hash("c1")]
    assert bucket.column("asks").tolist() == [EMPTY_CODE, 1]
    assert bucket.column("value").tolist() == [EMPTY_NUMBER, 5]
    assert bucket.column("text").tolist() == [0, 1]
    assert np.isnan(bucket.column("score")[0])
    assert bucket.column("outcome").tolist() == [EMPTY_CODE] * 2
    assert snapshot.as_of == 20


def test_people_come_from_handles_and_those_without_are_nobody() -> None:
    rows = [{"occurred_at": 1, "handle": 5}, {"occurred_at": 2, "handle": 6}, {"occurred_at": 3}]
    snapshot = snapshot_from_rows(rows, person_of={5: 5, 6: 5}.__getitem__, bucket_count=2)
    assert (snapshot.people, snapshot.interactions) == (1, 3)
    assert snapshot.nobody.person.tolist() == [NOBODY]
    assert snapshot.nobody.length.tolist() == [1]


def test_properties_become_columns_of_numbers_or_of_texts() -> None:
    rows = [{"person": "ana", "occurred_at": 1, "properties": {"amount": 2, "color": "red"}}]
    snapshot = snapshot_from_rows(rows)
    assert snapshot.buckets[0].column("properties.amount").tolist() == [2.0]
    assert snapshot.words("properties.color") == ("red",)
    assert snapshot.buckets[0].person.tolist() == [text_hash("ana")]


def test_arrays_of_a_snapshot_cannot_be_written() -> None:
    bucket = snapshot_from_rows([{**ANA, "occurred_at": 1}]).buckets[0]
    for values in (bucket.person, bucket.column("channel"), bucket.column("outcome")):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


def test_every_mistake_is_told() -> None:
    with pytest.raises(DesirelineError) as told:
        snapshot_from_rows([{"person": 1, "chanel": "web"}])
    assert told.value.mistakes[0].do == "Did you mean 'channel'?"
    assert "occurred_at" in str(told.value)
