"""The tables of the state store: what is true now. A room adds its tables here, on this one `METADATA`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text

METADATA = MetaData()

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
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("digest", String, nullable=False, unique=True),
    Column("import_id", String, nullable=False, index=True),
    Column("source", String, nullable=False),
    Column("file", String, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("raw", Text, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("stage", String, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("changed_at", BigInteger, nullable=False),
    Column("replayed_by", String),
)
"""The quarantine: rows refused while reading or for their meaning, and conflicts; waiting, replayed or discarded."""
