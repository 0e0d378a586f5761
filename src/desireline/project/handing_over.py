"""Writing while a server runs: the server holds the project, so the command line hands the work over to it.

The server writes its port and a token, readable by its own user only, into `data/server.json`. Work goes
over the loopback address as JSON lines: progress first, then what came of it or what is wrong.
"""

from __future__ import annotations

import hmac
import http.client
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline import intake
from desireline.project.lock import holder
from desireline.storage.durable import replacing
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed

if TYPE_CHECKING:
    from desireline.project.project import Project

Progress = Callable[[float, str], None]
Work = Callable[["Project", Mapping[str, Any], Progress], Any]
FILE_NAME = "server.json"
LOOPBACK = "127.0.0.1"
LONGEST_SILENCE_SECONDS = 600
ANSWER_SECONDS = 30
"""A server that does not even say that it lives for so long is stuck; no work is given to it."""
LOOK_AT_IT = "Look at its output; if it is stuck, end it and start it again: desireline serve"


class RunningServer:
    """The server that holds a project, as the command line talks to it."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token

    def do(self, what: str, values: Mapping[str, Any], progress: Progress = lambda _share, _what: None) -> Any:
        """Have a piece of work done; raises what is wrong as if it had been done here."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
            connection.timeout = LONGEST_SILENCE_SECONDS
            if connection.sock is not None:
                connection.sock.settimeout(LONGEST_SILENCE_SECONDS)
            headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
            connection.request("POST", f"/control/{what}", json.dumps(values), headers)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                says = answer.read(500).decode("utf-8", "replace").strip()
                raise WorkFailed(f"the server of this project does not do that ({answer.status}): {says}")
            for line in answer:
                told = json.loads(line)
                if "share" in told:
                    progress(told["share"], told["doing"])
                elif "mistakes" in told:
                    mistakes = [Mistake(**each) for each in told["mistakes"]]
                    raise (WorkFailed if told["failed"] else DesirelineError)(mistakes)
                else:
                    return told["done"]
        except (OSError, http.client.HTTPException) as error:
            what = f"does not answer ({type(error).__name__})."
            raise WorkFailed(Mistake(what, f"the server of this project, port {self.port}", do=LOOK_AT_IT)) from None
        finally:
            connection.close()
        raise WorkFailed("the server of this project ended before the work was done. See its output.")


def running_server(project: Project) -> RunningServer | None:
    """The server that holds this project in another process; `None` when there is none."""
    if project.is_held:
        return None
    try:
        said = json.loads((project.data / FILE_NAME).read_text(encoding="utf-8"))
        server = RunningServer(int(said["port"]), str(said["token"]))
        holds = int(said["process"]) == holder(project.data)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if holds else None


@contextmanager
def announced(project: Project, *, port: int) -> Iterator[str]:
    """Say where this process serves a project, for as long as the block runs; gives the token."""
    path = project.data / FILE_NAME
    token = secrets.token_urlsafe(32)
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({"port": port, "token": token, "process": os.getpid()}), encoding="utf-8")
    try:
        yield token
    finally:
        path.unlink(missing_ok=True)


def may(token: str, given: str) -> bool:
    """Whether an `Authorization` header bears the token."""
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _take(project: Project, values: Mapping[str, Any], progress: Progress) -> Any:
    files = [(Path(each["path"]), intake.read_recipe(each["recipe"], name="recipe")) for each in values["files"]]
    return [asdict(report) for report in project.imports.take(files, progress=progress)]


def take_there(
    server: RunningServer, files: Sequence[tuple[Path, intake.Recipe]], progress: Progress
) -> list[intake.ImportReport]:
    """Have files taken in by the server."""
    given = [{"path": str(path.resolve()), "recipe": intake.write_recipe(recipe)} for path, recipe in files]
    return [report_of(each) for each in server.do("take", {"files": given}, progress)]


def report_of(values: Mapping[str, Any]) -> intake.ImportReport:
    """An import report from its values."""
    return intake.ImportReport(**{**values, "notes": tuple(values["notes"])})


def _replay(project: Project, values: Mapping[str, Any], _progress: Progress) -> Any:
    reports = project.imports.replay(numbers=values["numbers"], import_id=values["import_id"])
    return [asdict(report) for report in reports]


def _judge(project: Project, values: Mapping[str, Any], _progress: Progress) -> Any:
    project.ledger.judge(as_of=values["as_of"])


def _clock(project: Project, values: Mapping[str, Any], _progress: Progress) -> Any:
    from desireline.project.clock_watch import look_at_clock

    return look_at_clock(project, right=values["right"])


WORK: Mapping[str, Work] = {
    "take": _take,
    "undo": lambda project, values, progress: project.imports.undo(values["import_id"], progress=progress),
    "edit": lambda project, values, _: project.imports.edit(values["number"], values["text"]),
    "discard": lambda project, values, _: project.imports.discard(values["numbers"]),
    "replay": _replay,
    "judge": _judge,
    "source-add": lambda project, values, _: project.sources.add(**values),
    "clock": _clock,
    "outreach": lambda project, values, _: project.telling.change(**values),
    "source-change": lambda project, values, _: project.sources.change(**values),
}
"""What a server does for the command line."""
