"""A real PostgreSQL server for tests: in a temporary folder, as an unprivileged user, gone when the tests are over."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from desireline.storage.state import Patience, State
from free_ports import free_port

PASSWORD = "a password: with /signs@"
URL_PASSWORD = "a%20password%3A%20with%20%2Fsigns%40"
INSTALL = (
    "PostgreSQL is not installed. As root on Debian: apt-get install postgresql. Elsewhere: POSTGRESQL=/path/to/bin"
)
_SCHEMAS = count(1)


def programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs, or that of the variable POSTGRESQL."""
    if named := os.environ.get("POSTGRESQL"):
        return Path(named)
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found and (on_path := shutil.which("initdb")):
        found = [Path(on_path).resolve().parent]
    return max(found, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0, default=None)


class Server:
    """A PostgreSQL server that can be stopped, killed and started again. Everything it confirms is on disk."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.port = free_port()
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
        folder.chmod(0o755)
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        settings = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username=desireline"]
        self._run("initdb", "--pgdata", self._data, "--pwfile", folder / "password", *settings)
        self.start()
        ends = (
            f"while kill -0 {os.getpid()} 2>&-; do sleep 2; done;"
            f" kill -QUIT $(head -1 '{self._data}/postmaster.pid'); sleep 2; rm -rf '{folder}'"
        )
        self._watcher = subprocess.Popen(["sh", "-c", ends], start_new_session=True, stdout=subprocess.DEVNULL)

    def end(self) -> None:
        """End for good; were the tests killed, the watcher does it."""
        os.killpg(self._watcher.pid, signal.SIGKILL)
        self._watcher.wait()
        self.stop("immediate")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def address(self, *, port: int | None = None, schema: str = "", database: str = "postgres") -> str:
        """Where the server is; through another port, when something stands between."""
        address = f"postgresql://desireline:{URL_PASSWORD}@127.0.0.1:{port or self.port}/{database}"
        return f"{address}?schema={schema}" if schema else address

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c shared_buffers=16MB"
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", self.folder / "log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends every session properly; `immediate` is a crash: what was confirmed must be there afterwards."""
        self._run("pg_ctl", "stop", "-w", "-D", self._data, "-m", mode)

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running PostgreSQL; tests that need one are skipped where it is not installed."""
    where = programs()
    if where is None:
        pytest.skip(INSTALL)
    with tempfile.TemporaryDirectory(prefix="desireline-postgresql-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), where)
        yield server
        server.end()


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A PostgreSQL of a test's own, for what would spoil a server for the others."""
    where = programs()
    if where is None:
        pytest.skip(INSTALL)
    with tempfile.TemporaryDirectory(prefix="desireline-postgresql-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), where)
        yield server
        server.end()


@dataclass(frozen=True)
class Place:
    """Where a test's state store lies; every `open` opens the same one again."""

    database: str
    where: Path | str

    def open(self, patience: Patience | None = None) -> State:
        return State(self.where, patience=patience)


@pytest.fixture
def new_schema(postgresql: Server) -> Callable[[], str]:
    """The address of a schema nobody has used yet, each time it is called."""
    return lambda: postgresql.address(schema=f"project_{next(_SCHEMAS)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place for a state store, in each of the databases in turn."""
    if request.param == "sqlite":
        return Place("sqlite", tmp_path / "data" / "state.sqlite")
    return Place("postgresql", request.getfixturevalue("new_schema")())
