"""The whole server as it is run: backups while it writes, a full and a slow disk, its end, and who can reach it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from starlette.testclient import TestClient

from desireline.faces.serve import at_work
from desireline.project import Following, Project, back_up, digests, rebuild, restore
from desireline.project.manifest import read_manifest
from faults.forms import how_many
from faults.running import Server
from free_ports import free_port
from project.live_desk import a_desk

EVENTS_PER_SECOND = 1_000
BATCH = 50
SMALL_DISK_MB = 64
STRACE = shutil.which("strace")


def silent(_share: float, _what: str) -> None:
    """Progress that nobody watches."""


def in_the_lake(project: Project) -> set[str]:
    with project.lake.connection() as connection:
        return {str(row[0]) for row in connection.execute("SELECT source_key FROM interactions").fetchall()}


class Sender:
    """Sends so many messages a second over one connection and notes what was acknowledged, and each refusal."""

    def __init__(self, server: Server, name: str, *, per_second: float = EVENTS_PER_SECOND, batch: int = BATCH) -> None:
        self.server, self.name, self.pause, self.batch = server, name, batch / per_second, batch
        self.key = server.source_key("shop")
        self.acked: list[str] = []
        self.refused: list[tuple[float, int, str]] = []
        self.seconds: list[float] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Sender:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join(60)

    def _run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            began = time.monotonic()
            self._send([f"{self.name}-{number + each}" for each in range(self.batch)])
            number += self.batch
            self.stopping.wait(max(0.0, self.pause - (time.monotonic() - began)))

    def _send(self, keys: list[str]) -> None:
        batch = [
            {"type": "track", "messageId": key, "event": "Ticket Opened", "userId": f"p{hash(key) % 200}",
             "timestamp": "2026-01-01T00:00:00Z", "properties": {"case": key, "text": "x" * 200}}
            for key in keys
        ]  # fmt: skip
        headers = {"authorization": "Basic " + b64encode(f"{self.key}:".encode()).decode()}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        began = time.monotonic()
        try:
            connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()
        self.seconds.append(time.monotonic() - began)
        if answer.status == 200:
            self.acked += keys
        else:
            self.refused.append((began, answer.status, answer.headers.get("retry-after", "")))


@pytest.mark.long
def test_F9_backups_while_a_thousand_interactions_a_second_come_in_are_all_whole(tmp_path: Path) -> None:
    server = Server(a_desk(tmp_path / "desk")).start()
    server.wait_for("/ready")
    taken: list[tuple[Path, set[str]]] = []
    with Sender(server, "s", batch=200) as sender:
        for number in range(how_many(5, 25)):
            until = time.monotonic() + 30
            while len(sender.acked) < (number + 1) * 600 and time.monotonic() < until:
                sender.stopping.wait(0.05)
            acknowledged = set(sender.acked)
            project = Project(server.folder)
            back_up(project, tmp_path / "backups" / str(number))
            project.state.close()
            taken.append((tmp_path / "backups" / str(number), acknowledged))
    assert server.stop() == 0
    assert all(acknowledged for _, acknowledged in taken)
    for backup, acknowledged in taken:
        folder = tmp_path / "again" / backup.name
        project = restore(backup, folder, progress=silent)
        there = in_the_lake(project)
        assert acknowledged <= there, f"{len(acknowledged - there)} acknowledged interactions are not in the backup"
        assert project.store.verify() == ()
        before = digests(project)
        rebuild(project, progress=silent)
        after = digests(project)
        assert {**after, "ledger": ""} == {**before, "ledger": ""}
        project.state.close()
        shutil.rmtree(folder)


def files_beside(target: Path) -> set[str]:
    """The names in a backup's folder and in those that are being written for it."""
    found: set[str] = set()
    for folder in target.parent.glob("*one*"):
        with contextlib.suppress(FileNotFoundError):
            found |= {f"{folder.name}/{path.name}" for path in folder.iterdir()}
    return found


def is_whole(backup: Path) -> bool:
    """Whether every file is as the manifest says, as far as it belongs to the backup."""
    files = read_manifest(backup).files.items()
    return all(
        hashlib.sha256((backup / name).read_bytes()[: each.bytes]).hexdigest() == each.sha256 for name, each in files
    )


@pytest.mark.long
@pytest.mark.parametrize("follow", [False, True], ids=["once", "followed"])
def test_F1_a_backup_that_is_killed_is_whole_or_not_there(tmp_path: Path, *, follow: bool) -> None:
    server, chance = Server(a_desk(tmp_path / "desk")).start(), Random(9)
    server.wait_for("/ready")
    target = tmp_path / "backups" / "one"
    command = [sys.executable, "-m", "desireline.faces.cli", "backup", str(target), "-p", str(server.folder)]
    with Sender(server, "s", per_second=200):
        for _ in range(how_many(3, 60)):
            before, until = files_beside(target), time.monotonic() + 60
            backup = subprocess.Popen([*command, *(["--follow", "--every", "0.2"] if follow else [])], stderr=-1)
            while files_beside(target) <= before and backup.poll() is None and time.monotonic() < until:
                threading.Event().wait(0.003)
            with contextlib.suppress(subprocess.TimeoutExpired):
                backup.wait(chance.uniform(0.0, 1.5 if follow else 0.3))
            backup.kill()
            backup.communicate()
            if (target / "manifest.json").exists():
                assert is_whole(target)
            if not follow:
                assert not target.exists() or (target / "manifest.json").exists()
                shutil.rmtree(target, ignore_errors=True)
    assert server.stop() == 0
    project = Project(server.folder)
    if follow:
        Following(project, target).bring_up()
    else:
        back_up(project, target)
    assert [path.name for path in target.parent.iterdir()] == ["one"], "what killed backups left was not cleared away"
    assert is_whole(target)
    assert in_the_lake(restore(target, tmp_path / "again", progress=silent)) >= in_the_lake(project)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A tmpfs of so many megabytes; skipped where we may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def free_share(folder: Path) -> float:
    found = os.statvfs(folder)
    return found.f_bavail / found.f_blocks


@pytest.mark.long
def test_F5_a_full_disk_is_refused_in_time_and_heals_when_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        server = Server(a_desk(disk / "desk")).start()
        server.wait_for("/ready")
        try:
            with Sender(server, "s") as sender:
                until = time.monotonic() + 20
                while len(sender.acked) < 500 and time.monotonic() < until:
                    sender.stopping.wait(0.05)
                filler = disk / "filler"
                with filler.open("wb") as file:
                    while free_share(disk) > 0.08:
                        file.write(bytes(1 << 18))
                        file.flush()
                until = time.monotonic() + 60
                while not sender.refused and time.monotonic() < until:
                    sender.stopping.wait(0.05)
                assert sender.refused, "the disk never was too full"
                assert {(status, bool(wait)) for _, status, wait in sender.refused} == {(503, True)}
                server.wait_for("/ready", status=503)
                filler.unlink()
                acked, healed_within = len(sender.acked), time.monotonic() + how_many(60, 10)
                while len(sender.acked) == acked and time.monotonic() < healed_within:
                    sender.stopping.wait(0.05)
                assert len(sender.acked) > acked, "it did not heal in time"
            server.wait_for("/ready")
        finally:
            code = server.stop()
        assert code == 0
        project = Project(server.folder)
        with project.writing("the test"):
            pass
        assert set(sender.acked) <= in_the_lake(project)
        assert project.store.verify() == ()
        project.state.close()


@pytest.mark.long
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_F6_on_a_slow_disk_answers_are_grouped_and_none_waits_long(tmp_path: Path) -> None:
    """How long the machine takes for what needs no disk is measured beside it, and allowed on top."""
    slow = 0.2
    inject = f"inject=fdatasync:delay_exit={round(slow * 1_000_000)}"
    under = [str(STRACE), "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]
    server = Server(a_desk(tmp_path / "desk"), under=under).start()
    server.wait_for("/ready")
    with contextlib.ExitStack() as all_of_them:
        senders = [Sender(server, f"s{each}", per_second=20, batch=1) for each in range(16)]
        for sender in senders:
            all_of_them.enter_context(sender)
        without_disk = seconds_of_health(server, lasting=how_many(5, 30))
    os.kill(int(json.loads((server.folder / "data" / "server.json").read_text())["process"]), signal.SIGTERM)
    assert server.process is not None and server.process.wait(60) == 0
    seconds = sorted(each for sender in senders for each in sender.seconds)
    answered = len(seconds) / how_many(5, 30)
    assert [sender.refused for sender in senders if sender.refused] == []
    assert answered > 2 / slow, f"only {answered:.0f} answers a second: commits are not grouped"
    assert sorted(without_disk)[len(without_disk) // 2] < slow, "who needs no disk waits for none"
    assert seconds[round(len(seconds) * 0.99) - 1] < 3 * slow + 0.2 + 2 * max(without_disk), seconds[-5:]


def seconds_of_health(server: Server, *, lasting: float) -> list[float]:
    """How long each of many questions took that no disk is needed for."""
    found, until = [], time.monotonic() + lasting
    while time.monotonic() < until:
        began = time.monotonic()
        assert server.get("/health")[0] == 200
        found.append(time.monotonic() - began)
        threading.Event().wait(0.02)
    return found


def test_the_end_answers_what_was_accepted(tmp_path: Path) -> None:
    server = Server(a_desk(tmp_path / "desk")).start()
    server.wait_for("/ready")
    key = b64encode(f"{server.source_key('shop')}:".encode()).decode()
    opened = []
    for number in range(20):
        message = {"type": "track", "messageId": f"late-{number}", "event": "Ticket Opened", "userId": "anna"}
        body = json.dumps({"batch": [message]}).encode()
        head = (
            f"POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: Basic {key}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.sendall(head.encode() + body[:40])
        opened.append((connection, body[40:]))
    assert server.get("/health")[0] == 200
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    threading.Event().wait(0.3)
    answers = []
    for connection, rest in opened:
        with connection:
            connection.sendall(rest)
            answers.append(connection.recv(65_536).split(b"\r\n")[0])
    assert server.process.wait(60) == 0
    assert answers == [b"HTTP/1.1 200 OK"] * 20
    project = Project(server.folder)
    with project.writing("the test"):
        pass
    assert {f"late-{number}" for number in range(20)} <= in_the_lake(project)
    project.state.close()


def test_F40_the_server_listens_on_this_machine_only_until_somebody_states_a_proxy(tmp_path: Path) -> None:
    folder = a_desk(tmp_path / "desk")
    command = [sys.executable, "-m", "desireline.faces.cli", "serve", "--project", str(folder), "--port", "0"]
    refused = subprocess.run([*command, "--listen", "0.0.0.0:9000"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "without encryption" in refused.stderr and "--behind-proxy" in refused.stderr
    outside = free_port()
    server = Server(folder, options=["--listen", f"0.0.0.0:{outside}", "--behind-proxy"]).start()
    try:
        server.wait_for("/ready")
        assert (folder / "data" / "server.json").stat().st_mode & 0o777 == 0o600
        assert listening_addresses(server) == {("127.0.0.1", server.port), ("0.0.0.0", outside)}
        other_door = Server(folder, port=outside)
        assert other_door.get("/health")[0] == 200
        event = {"type": "track", "event": "Ticket Opened", "userId": "anna"}
        assert other_door.post("/v1/batch", {"batch": [event]}, key=server.source_key("shop"))[0] == 200
        token = json.loads((folder / "data" / "server.json").read_text())["token"]
        for path in ("/", "/people", "/metrics", "/control/judge", "/import"):
            assert other_door.get(path)[0] == 404
        headers = {
            "host": f"127.0.0.1:{server.port}",
            "authorization": f"Bearer {token}",
            "x-forwarded-for": "127.0.0.1",
        }
        connection = http.client.HTTPConnection("127.0.0.1", outside, timeout=20)
        connection.request("POST", "/control/judge", b"{}", headers)
        assert connection.getresponse().status == 404
        connection.close()
    finally:
        assert server.stop() == 0


def test_F36_headers_that_proxies_set_open_no_door(tmp_path: Path) -> None:
    claims = {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "127.0.0.1:8765",
        "x-forwarded-proto": "https",
        "x-real-ip": "127.0.0.1",
        "forwarded": "for=127.0.0.1;host=127.0.0.1:8765",
        "x-original-url": "/metrics",
        "x-remote-user": "admin",
    }
    with at_work(Project(a_desk(tmp_path / "desk")), port=8765) as serving, TestClient(serving.app) as client:
        for path in ("/", "/metrics", "/control/judge", "/people"):
            outside = client.get(f"http://10.1.2.3:9000{path}", headers=claims | {"host": "127.0.0.1:8765"})
            assert outside.status_code == 404
        for path in ("/", "/metrics", "/ready"):
            inside = client.get(f"http://127.0.0.1:8765{path}", headers=claims | {"host": "evil.example"})
            assert inside.status_code == 403
        assert client.post("http://127.0.0.1:8765/control/judge", headers=claims).status_code == 403


def listening_addresses(server: Server) -> set[tuple[str, int]]:
    """Every TCP address a server's process listens on."""
    assert server.process is not None
    sockets = set()
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.add(str(path.readlink()))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                address, port = words[1].split(":")
                raw = bytes.fromhex(address)
                host = socket.inet_ntoa(raw[::-1]) if name == "tcp" else address
                found.add((host, int(port, 16)))
    return found
