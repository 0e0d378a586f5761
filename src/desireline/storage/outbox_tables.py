"""The tables of outreach in the state store: who listens, what is to be told to them, and what became of it.

What went out into the world cannot be derived again: a rebuild keeps all but how far the ledger was gone through.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from desireline.storage.state_tables import METADATA

LISTENERS = Table(
    "listeners",
    METADATA,
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("address", Text, nullable=False),
    Column("secret_env", String, nullable=False, default=""),
    Column("which", Text, nullable=False, default="{}"),
    Column("purpose", String, nullable=False, default="service"),
    Column("per_second", Float, nullable=False),
    Column("allow_private", Boolean, nullable=False, default=False),
    Column("with_handles", Boolean, nullable=False, default=False),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("why_stopped", Text, nullable=False, default=""),
    Column("since", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
"""Who is told: `which` is JSON naming maps, promises and kinds; a stopped one says why."""

NOTICES = Table(
    "notices",
    METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("person", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False, index=True),
)
"""What happened, once, however many listen; `body` is JSON without personal data beyond the person's number."""

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("notice", String, nullable=False),
    Column("listener", String, nullable=False),
    Column("status", String, nullable=False),
    Column("bundle", String, nullable=False, default=""),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("first_tried_at", BigInteger),
    Column("reason", Text, nullable=False, default=""),
    Column("made_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("listener", "notice", name="outbox_told_once"),
    Index("outbox_by_due", "listener", "status", "due_at"),
)
"""The intents: `status` is waiting, sending, told, dead or discarded; those of one `bundle` go out as one message."""

ATTEMPTS = Table(
    "outbox_attempts",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("listener", String, nullable=False),
    Column("message", String, nullable=False, index=True),
    Column("notices", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False, index=True),
    Column("ended_at", BigInteger),
    Column("outcome", String),
    Column("says", Text),
    Column("status_code", Integer),
    Column("answer_digest", String),
    Column("answer_bytes", BigInteger),
)
"""Every attempt, written before it is made; without an end it was cut off. Of an answer only length and digest stay."""

TOLD_SO_FAR = Table(
    "told_so_far",
    METADATA,
    Column("what", String, primary_key=True),
    Column("part", String, nullable=False),
)
"""How far the ledger has been gone through: the name of the last part whose changes were told."""
