"""The tables of the state store: what is true now. A room adds its tables here, on this one `METADATA`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, Table

METADATA = MetaData()

STATE_VERSION = Table("state_version", METADATA, Column("version", BigInteger, primary_key=True))
"""One row: the version of the tables' format."""
