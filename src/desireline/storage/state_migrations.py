"""How a state store of an older format becomes one of the next.

Each step is written in SQL that both databases read, with the tables as they were then: today's tables may
have changed since. A table added without changing an older one needs no step; it is made when it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection


def live_messages(connection: Connection) -> None:
    """Version 2: sources, what was seen, how far the log is applied; refusals know where in the log they lie."""
    for statement in (
        "ALTER TABLE refusals ADD COLUMN sequence BIGINT",
        "ALTER TABLE refusals ADD COLUMN position BIGINT",
        "ALTER TABLE refusals ADD COLUMN dialect VARCHAR",
        """CREATE TABLE sources (
            name VARCHAR NOT NULL PRIMARY KEY,
            dialect VARCHAR NOT NULL,
            "key" VARCHAR UNIQUE,
            origins JSON DEFAULT '[]' NOT NULL,
            per_second BIGINT,
            recipe TEXT,
            secret_env VARCHAR,
            unsigned BOOLEAN DEFAULT false NOT NULL,
            server_side BOOLEAN DEFAULT false NOT NULL,
            enabled BOOLEAN DEFAULT true NOT NULL,
            created_at BIGINT NOT NULL,
            says TEXT DEFAULT '' NOT NULL
        )""",
        f"""CREATE TABLE seen (
            id {"INTEGER" if connection.dialect.name == "sqlite" else "BIGINT"} NOT NULL PRIMARY KEY,
            content BIGINT NOT NULL,
            sequence BIGINT NOT NULL
        )""",
        """CREATE TABLE progress (
            projection VARCHAR NOT NULL PRIMARY KEY,
            version BIGINT NOT NULL,
            sequence BIGINT NOT NULL,
            at BIGINT
        )""",
    ):
        connection.exec_driver_sql(statement)


def mail_of_sources(connection: Connection) -> None:
    """Version 3: a source says how its letters come in."""
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN mail JSON DEFAULT '{}' NOT NULL")


MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {1: live_messages, 2: mail_of_sources}
"""`MIGRATIONS[n]` takes a state store of version n to version n + 1."""
