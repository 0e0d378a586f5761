"""A look at the file of a state store that changes nothing: is it whole, and of which format."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from desireline.storage.state_sqlite import LIBRARY


def look_at_state(path: Path) -> tuple[int, tuple[str, ...]]:
    """The format of a state store in a file, and everything that SQLite finds wrong with it.

    >>> look_at_state(Path("data/state.sqlite"))                      # doctest: +SKIP
    (2, ())
    """
    try:
        with closing(LIBRARY.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            version = connection.execute("SELECT version FROM state_version").fetchone()
    except LIBRARY.DatabaseError as error:
        return 0, (str(error),)
    return int(version[0]) if version else 0, () if said == ["ok"] else tuple(said)
