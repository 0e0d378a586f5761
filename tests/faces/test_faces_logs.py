"""Log lines: readable by machines and people, and about nobody."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress

import pytest

from desireline.faces.logs import OneLine, set_up
from desireline.vocabulary.errors import DesirelineError


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """A stream that everything is logged to; afterwards all is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("desireline")
    before = (root.handlers[:], root.level, ours.level, logging.raiseExceptions)
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    stream = io.StringIO()
    with warnings.catch_warnings():
        yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], logging.raiseExceptions = before[0], before[3]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def test_a_line_for_machines(lines: io.StringIO) -> None:
    set_up(log_format="auto", stream=lines)
    logging.getLogger("desireline.outreach").error(
        "the lane of a listener failed: %s", "OSError", extra={"listener": "crm"}
    )
    said = json.loads(lines.getvalue())
    assert said["at"].endswith("Z") and said | {"at": ""} == {
        "at": "",
        "level": "error",
        "who": "desireline.outreach",
        "says": "the lane of a listener failed: OSError",
        "listener": "crm",
    }


def test_a_line_for_people(lines: io.StringIO) -> None:
    set_up(log_format="plain", stream=lines)
    logging.getLogger("desireline.live").warning("two turns were late")
    assert lines.getvalue().endswith("Z warning desireline.live: two turns were late\n")


@pytest.mark.parametrize("log_format", ["json", "plain"])
def test_words_of_libraries_and_of_errors_are_left_out(
    lines: io.StringIO, log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(log_format=log_format, stream=lines)
    for name in ("uvicorn", "uvicorn.error"):  # servers of other tests may have kept them to themselves
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiosmtpd.smtp").error("message from anna@example.org refused")
    warnings.warn("anna@example.org looks odd", stacklevel=1)
    try:
        raise ValueError("anna@example.org")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        logging.getLogger("desireline.web").exception("a page failed")

    def fails() -> None:
        raise KeyError("anna@example.org")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    with suppress(ZeroDivisionError):
        sys.excepthook(ZeroDivisionError, ZeroDivisionError("anna@example.org"), None)
    text = lines.getvalue()
    assert "anna" not in text
    assert text.count("\n") == 6
    assert "ValueError" in text and "KeyError" in text and "test_faces_logs:" in text


def test_the_level_comes_from_the_environment(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESIRELINE_LOG", "error")
    set_up(stream=lines)
    logging.getLogger("desireline.live").warning("not told")
    assert lines.getvalue() == ""
    monkeypatch.setenv("DESIRELINE_LOG", "loud")
    with pytest.raises(DesirelineError, match="loud"):
        set_up(stream=lines)
    with pytest.raises(DesirelineError, match="Did you mean 'json'"):
        set_up(log_format="jsn", stream=lines)


def test_a_line_stays_a_line() -> None:
    record = logging.LogRecord("desireline", logging.INFO, "", 0, "one\ntwo", (), None)
    assert "\n" not in OneLine(as_json=True).format(record)
    assert "\n" not in OneLine(as_json=False).format(record)
