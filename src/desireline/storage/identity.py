"""Numbers that stand for texts: the same text has the same number on every machine and in every engine.

Each is the lower 64 bits of an md5 digest shifted right by one, so it fits a signed BIGINT and is
never negative. The SQL expressions give the same numbers inside DuckDB, whose `md5_number` is four
times as fast as its `md5_number_lower`.
"""

from __future__ import annotations

import hashlib

UNIT_SEPARATOR = "\x1f"
"""Stands between the source and the source's own key; no source writes it by itself."""

TEXT_HASH_SQL = "(md5_number({text}) >> 65)::BIGINT"
INTERACTION_ID_SQL = "(md5_number({source} || chr(31) || {source_key}) >> 65)::BIGINT"
HANDLE_ID_SQL = "(md5_number({kind} || ':' || {value}) >> 65)::BIGINT"
"""SQL twins of `text_hash`, `interaction_id` and `handle_id`; fill in columns with `str.format`."""


def text_hash(text: str) -> int:
    """The number that stands for a text, such as the key of a case or an order.

    >>> text_hash("a")
    3500206983725506968
    """
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1


def interaction_id(source: str, source_key: str) -> int:
    """The number of an interaction: the same row of the same source always gets the same one."""
    return text_hash(f"{source}{UNIT_SEPARATOR}{source_key}")


def handle_id(kind: str, value: str) -> int:
    """The number of a handle, such as an e-mail address or a card number, already normalised."""
    return text_hash(f"{kind}:{value}")
