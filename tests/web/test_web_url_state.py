"""The address is the whole state; a word that is not known is said so, kindly and with the nearest known one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desireline.faces.web.url_state import ScreenState, months_between, read_state, split_suffix
from desireline.vocabulary.errors import DesirelineError

MONTHS = st.sampled_from(months_between("2023-01", "2025-12"))
TEXT = st.text(min_size=1).filter(lambda text: "\x00" not in text and not any(0xD800 <= ord(c) < 0xE000 for c in text))


@given(pair=st.tuples(MONTHS, MONTHS), value=TEXT, broken=st.booleans())
def test_a_state_written_into_an_address_is_read_back(pair: tuple[str, str], value: str, broken: bool) -> None:
    from urllib.parse import parse_qsl

    state = ScreenState(min(pair), max(pair), "topic", value, broken)
    assert read_state(dict(parse_qsl(state.query())), columns=("topic",)) == state


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"form": "2025-01"}, "Did you mean 'from'?"),
        ({"from": "2025-13"}, "not a month"),
        ({"from": "2025-05", "to": "2025-04"}, "begins (2025-05) after"),
        ({"only": "brokn"}, "only=broken"),
        ({"segment": "chanel:phone"}, "Did you mean 'channel'?"),
        ({"segment": "channel"}, "nobody can be divided by"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(words: dict[str, str], says: str) -> None:
    with pytest.raises(DesirelineError, match=says.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        read_state(words, columns=("channel",))


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(DesirelineError) as error:
        read_state({"form": "x", "only": "x", "to": "x"}, columns=())
    assert len(error.value.mistakes) == 3


def test_nothing_chosen_is_an_empty_address() -> None:
    assert ScreenState().suffix() == "" and read_state({}, columns=()) == ScreenState()


def test_a_name_with_a_point_is_not_taken_for_an_export() -> None:
    assert split_suffix("v1.2") == ("v1.2", "") and split_suffix("v1.2.csv") == ("v1.2", "csv")
