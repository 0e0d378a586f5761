"""How it stands with the letters that the server fetches or takes by itself, in the state store.

How far a mailbox is read cannot be worked out from the log: a rebuild leaves this table as it is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from desireline.storage.state_tables import METADATA

MAILBOXES = Table(
    "mailboxes",
    METADATA,
    Column("source", String, primary_key=True),
    Column("place", Text, nullable=False, default=""),
    Column("numbering", BigInteger, nullable=False, default=0),
    Column("last", BigInteger, nullable=False, default=0),
    Column("sequence", BigInteger, nullable=False, default=0),
    Column("letters", BigInteger, nullable=False, default=0),
    Column("letter_at", BigInteger),
    Column("looked_at", BigInteger),
    Column("failing_since", BigInteger),
    Column("tries", Integer, nullable=False, default=0),
    Column("fault", Text, nullable=False, default=""),
    Column("do", Text, nullable=False, default=""),
)
"""For each source: how far the mailbox at `place` is read (`numbering` is its UIDVALIDITY, `last` the number of the
last letter, `sequence` the log's last entry when that was written), how many letters were taken and when the last one,
when the mailbox was last looked into, and since when and why that fails, after how many tries, and what to do."""
