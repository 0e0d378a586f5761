"""The tables of the state store: what is true now."""

from __future__ import annotations

import re

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    true,
)

METADATA = MetaData()
"""All tables of the state store. A file of this folder whose name ends in `_tables` adds its own, and is found."""

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A 63-bit number as a key: in SQLite the row's own number, so that the key needs no index beside the table."""


class AnyText(TypeDecorator[str]):
    """Text as somebody sent it. NUL and lone surrogates, which a database refuses, lie in it as marks and come back."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _REFUSED.sub(lambda found: f"{_MARK}{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _MARKED.sub(lambda found: chr(int(found[1], 16)), value)


_MARK = "\uf8f0"
_REFUSED = re.compile("[\x00\ud800-\udfff\uf8f0]")
_MARKED = re.compile("\uf8f0([0-9a-f]{4})")

STATE_VERSION = Table("state_version", METADATA, Column("version", BigInteger, primary_key=True))
"""One row: the version of the tables' format."""

IMPORTS = Table(
    "imports",
    METADATA,
    Column("import_id", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("file", String, nullable=False),
    Column("recipe", Text, nullable=False),
    Column("columns", Text, nullable=False, default="[]"),
    Column("received_at", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("rows_read", BigInteger, nullable=False, default=0),
    Column("made", BigInteger, nullable=False, default=0),
    Column("known", BigInteger, nullable=False, default=0),
    Column("conflicts", BigInteger, nullable=False, default=0),
    Column("left_out", BigInteger, nullable=False, default=0),
    Column("refused", BigInteger, nullable=False, default=0),
    Column("first_at", BigInteger),
    Column("last_at", BigInteger),
)
"""Every import: `status` is writing, done or undone; only the parts of imports that are done count."""

REFUSALS = Table(
    "refusals",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("digest", String, nullable=False, unique=True),
    Column("import_id", String, nullable=False, index=True),
    Column("source", String, nullable=False),
    Column("file", String, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("raw", AnyText, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("stage", String, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("changed_at", BigInteger, nullable=False),
    Column("replayed_by", String),
    Column("sequence", BigInteger),
    Column("position", BigInteger),
    Column("dialect", String),
)
"""The quarantine: rows refused while reading or for their meaning, and conflicts; waiting, replayed or discarded.

A message refused live has import_id and file 'live', its position as row, itself as JSON in raw, and says by
`sequence`, `position` and `dialect` where in the log it lies; these are empty for rows of files.
"""

SOURCES = Table(
    "sources",
    METADATA,
    Column("name", String, primary_key=True),
    Column("dialect", String, nullable=False),
    Column("key", String, unique=True),
    Column("origins", JSON, nullable=False, default=list, server_default="[]"),
    Column("per_second", BigInteger),
    Column("recipe", Text),
    Column("secret_env", String),
    Column("unsigned", Boolean, nullable=False, default=False, server_default=false()),
    Column("server_side", Boolean, nullable=False, default=False, server_default=false()),
    Column("enabled", Boolean, nullable=False, default=True, server_default=true()),
    Column("created_at", BigInteger, nullable=False),
    Column("says", Text, nullable=False, default="", server_default=""),
    Column("mail", JSON, nullable=False, default=dict, server_default="{}"),
)
"""Who may send to the collector: `key` is the write key, `origins` the web pages it may be used on (none: any),
`per_second` how many requests (none: the collector's own limit), `secret_env` the environment name of its secret,
`unsigned` whether its webhooks may come without a signature, `mail` how its letters are fetched or taken by the
server itself (empty: they are not)."""

SEEN = Table(
    "seen",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("content", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)
"""Every interaction that came in live, by its id, with the hash of what it said, and the last entry of the log that was
taken in together with it."""

PROGRESS = Table(
    "progress",
    METADATA,
    Column("projection", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("at", BigInteger),
)
"""How far each projection has applied the log; written in the transaction of its effects."""
