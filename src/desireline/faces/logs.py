"""What the server logs: one JSON object a line for machines, one plain line for people, and nothing about anybody.

Only our own words, counts, names of sources and kinds of errors are written. The text of an error and the words of
libraries may hold what somebody sent, so of these only the kind and the place in the program are told.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from desireline.vocabulary.errors import DesirelineError, nearest

OURS = "desireline"
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "json", "plain")
EXTRA = ("listener", "source", "count", "sequence", "seconds")
"""What a message may carry beside its words."""
_DEEPEST_FRAMES = 12


def set_up(*, log_format: str = "auto", level: str | None = None, stream: TextIO | None = None) -> None:
    """Let this process log so: `auto` is plain on a terminal and JSON elsewhere; `level` else from DESIRELINE_LOG.

    Errors nobody caught, also in threads, are logged in the same way; memory is never dumped into a file.
    """
    to = stream or sys.stderr
    chosen = (level or os.environ.get("DESIRELINE_LOG") or "info").lower()
    for word, known in ((log_format, FORMATS), (chosen, LEVELS)):
        if word not in known:
            raise DesirelineError(
                f"'{word}' is not known for logs. {nearest(word, known) or 'Known: ' + ', '.join(known)}"
            )
    as_json = log_format == "json" or (log_format == "auto" and not to.isatty())
    handler = logging.StreamHandler(to)
    handler.setFormatter(OneLine(as_json=as_json))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(OURS).setLevel(chosen.upper())
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")
    sys.excepthook = _uncaught
    threading.excepthook = lambda given: _uncaught(given.exc_type, given.exc_value, given.exc_traceback)
    sys.unraisablehook = lambda given: _uncaught(given.exc_type, given.exc_value, given.exc_traceback)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class OneLine(logging.Formatter):
    """A record as one line."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; of records that are not ours, only who spoke and where in the program."""
        said = self._said(record)
        if self.as_json:
            return json.dumps(said, ensure_ascii=True)
        more = " ".join(f"{name}={value}" for name, value in said.items() if name not in ("at", "level", "who", "says"))
        return f"{said['at']} {said['level']} {said['who']}: {said['says']}{' ' + more if more else ''}"

    def _said(self, record: logging.LogRecord) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ours = record.name == OURS or record.name.startswith(f"{OURS}.")
        says = (
            " ".join(record.getMessage().splitlines())
            if ours
            else f"a library says something at {record.module}:{record.lineno}"
        )
        said: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "who": record.name, "says": says}
        said |= {name: getattr(record, name) for name in EXTRA if ours and hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            said |= {"error": record.exc_info[0].__name__, "in": places(record.exc_info[2])}
        return said


def places(trace: TracebackType | None) -> list[str]:
    """Where in the program an error came through, the innermost last; never any value."""
    frames = traceback.extract_tb(trace)[-_DEEPEST_FRAMES:]
    return [f"{Path(frame.filename).stem}:{frame.lineno}" for frame in frames]


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, (KeyboardInterrupt, SystemExit)):
        return
    logging.getLogger(OURS).error("an error nobody caught", exc_info=(kind, error or kind(), trace))
