"""How a command ends: its exit code, and every failure told in words, never as a traceback."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import typer

from desireline.faces.cli.output import show_error
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed

STOPPED = 130
"""What a shell expects of whoever was ended by Ctrl-C."""
INTERRUPTED = "Query interrupted"
"""What DuckDB makes of a Ctrl-C that it hears during a query: a RuntimeError with these words."""
NO_ADVICE = "Look at that place, then try again."
ADVICE = {
    errno.ENOSPC: "Make room on that disk, then try again.",
    errno.EDQUOT: "Make room, or ask for a larger quota, then try again.",
    errno.EROFS: "That disk may only be read. Name another folder, or mount it for writing.",
    errno.ENOENT: "Make the folder first, or name another.",
    errno.ENOTDIR: "A file stands where a folder belongs. Move it away, or name another folder.",
    errno.EEXIST: "Something of that name is there already. Move it away, or choose another name.",
    errno.EISDIR: "A folder stands where a file belongs. Move it away, or choose another name.",
    errno.EADDRINUSE: "Choose another port with --port, or stop whoever has this one.",
    errno.EMFILE: "Let this user open more files: ulimit -n 65536",
}
"""What to do about a failure of the operating system, by its number."""


def run(command_line: Callable[[], object]) -> int:
    """Run a command line to its end and return its exit code: 0 done, 1 a finding, 2 wrong use, 3 failed."""
    _open_streams()
    try:
        code = _code_of(command_line)
        sys.stdout.flush()
    except DesirelineError as error:
        show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return _stopped()
    except BrokenPipeError:
        _give_up_output()
        return 0
    except OSError as error:
        _give_up_output()
        show_error(WorkFailed(_told_by_the_system(error)))
        return WorkFailed.exit_code
    except Exception as error:
        if str(error) == INTERRUPTED:
            return _stopped()
        show_error(WorkFailed(_own_fault(error)))
        return WorkFailed.exit_code
    return code


def _stopped() -> int:
    sys.stderr.write("Stopped.\n")
    return STOPPED


def _code_of(command_line: Callable[[], object]) -> int:
    """The code that typer ends with; what it takes for 1, which means a finding here, is raised again."""
    try:
        command_line()
    except SystemExit as ended:
        if ended.code == STOPPED or isinstance(ended.__context__, typer.Abort):
            raise KeyboardInterrupt from None
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        return int(ended.code or 0)
    return 0


def _open_streams() -> None:
    """Let every command write, also where a stream is closed or its encoding lacks letters."""
    codecs.register_error("desireline.escaped", _escaped)
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, "r" if name == "stdin" else "w"))
        elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
            stream.reconfigure(errors="desireline.escaped")


def _give_up_output() -> None:
    """Let what cannot be printed any more go, so that Python does not try once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Letters that the terminal cannot show, as \u00e4: readable, and right inside JSON."""
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end


def _told_by_the_system(error: OSError) -> Mistake:
    where = str(error.filename or "desireline")
    if isinstance(error, PermissionError) and error.filename:
        return Mistake("Permission denied.", where=where, do=_who_may(Path(os.fsdecode(error.filename))))
    return Mistake(f"{error.strerror or error}.", where=where, do=ADVICE.get(error.errno or 0, NO_ADVICE))


def _who_may(path: Path) -> str:
    """Whose file it is, or whose folder it would lie in."""
    for each in (path, *path.absolute().parents):
        try:
            return f"Run it as the user it belongs to ({each.owner()}), or let yourself in."
        except (OSError, KeyError):
            continue
    return "Run it as the user it belongs to, or let yourself in."


def _own_fault(error: Exception) -> Mistake:
    """A fault of the program itself: what it was, and where its traces lie."""
    with tempfile.NamedTemporaryFile("w", prefix="desireline-fault-", suffix=".txt", delete=False) as traces:
        traceback.print_exception(error, file=traces)
    what = f"a fault of Desireline itself, not yours ({type(error).__name__})."
    return Mistake(what, do=f"Nothing acknowledged is lost. Please report it with this file: {traces.name}")
