"""F39: whatever people send, lose or mistype, none of it stands in a log line, a figure or a page's error."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cli.command_line import RECIPE
from desireline.project import Project, read_recipe_file
from desireline.storage.import_book import ImportBook
from faults.leaking import SOURCE
from faults.running import Server
from project.live_desk import a_desk

OUTSIDE_THE_STORE = ("server.json", "lock")
"""Files in `data/` that hold nothing of anybody's by their purpose."""


def canaries() -> list[str]:
    """Fifty things nobody may ever read in a log: mails, phones, bank and card numbers, tokens, passwords."""
    chance = Random(39)

    def digits(count: int) -> str:
        return "".join(str(chance.randrange(10)) for _ in range(count))

    found = [f"canary{digits(6)}@leak.example" for _ in range(10)]
    found += [f"+4930{digits(8)}" for _ in range(8)]
    found += [f"DE{digits(20)}" for _ in range(8)]
    found += [f"4{digits(15)}" for _ in range(8)]
    found += [f"tok_{digits(24)}" for _ in range(8)]
    return found + [f"Pass-{digits(10)}!" for _ in range(8)]


CANARIES = canaries()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(SOURCE)
    folder = a_desk(tmp_path / "desk")
    project = Project(folder)
    project.sources.add("hooks", dialect="webhook", secret_env="HOOK_SECRET")
    listener = {"name": "crm", "kind": "webhook", "address": f"http://127.0.0.1:9/{CANARIES[34]}",
                "secret_env": "CRM_SECRET", "allow_private": True}  # fmt: skip
    project.telling.change("listener.set", listener=listener)
    project.telling.change("listener.set", listener={"name": "boss", "kind": "email", "address": CANARIES[0]})
    project.telling.change("listener.test", name="crm")
    project.telling.change("listener.test", name="boss")
    project.state.close()
    environment = {
        "PYTHONPATH": str(hooks),
        "HOOK_SECRET": CANARIES[43],
        "CRM_SECRET": "whsec_" + b64encode(CANARIES[44].encode() * 3).decode(),
        "DESIRELINE_LOG": "debug",
    }
    running = Server(folder, environment=environment).start()
    running.wait_for("/ready")
    yield running
    if running.process is not None and running.process.poll() is None:
        running.kill()


def events() -> list[dict[str, object]]:
    """Good events, bad events and one that makes its reader crash, each full of canaries."""
    good = [
        {"type": "track", "messageId": f"good{number}", "event": "Ticket Opened", "userId": canary,
         "timestamp": "2026-01-01T00:00:00Z", "properties": {"case": canary, "note": canary},
         "context": {"traits": {"email": canary, "phone": canary}}}
        for number, canary in enumerate(CANARIES)
    ]  # fmt: skip
    bad = [{"type": "track", "messageId": f"bad{number}", "userId": canary} for number, canary in enumerate(CANARIES)]
    times = [{**event, "messageId": f"time{event['messageId']}", "timestamp": CANARIES[1]} for event in good[:5]]
    return [*good, *bad, *times, {**good[3], "messageId": "crash1"}]


def ask(server: Server, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    return server._ask(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})


def everything_that_can_go_wrong(server: Server, key: str) -> None:
    for event in events():
        server.post("/v1/track", event, key=key)
    server.post("/v1/batch", {"batch": events()}, key=key)
    for number, canary in enumerate(CANARIES):
        body = json.dumps({"userId": canary, "event": canary}).encode()
        server.post("/v1/track", body[: -1 - number % 9], key=key)
        server.post("/v1/track", {"event": canary, "userId": canary}, key=canary)
        ask(server, "POST", f"/v1/track?token={canary}", body, user_agent=canary, cookie=canary, referer=canary)
        ask(server, "POST", f"/hooks/{canary}", body, authorization=f"Bearer {canary}", x_signature=canary)
        ask(server, "GET", f"/pixel/v1/track?data={canary}&writeKey={key}")
        ask(server, "GET", f"/people?q={canary.replace('+', '%2B')}")
        ask(server, "GET", f"/people/{canary}")
        ask(server, "GET", f"/maps/{canary}/people?segment={canary}")
        ask(server, "GET", f"/ready?{canary}", host=canary)
        ask(server, "POST", f"/control/{canary}", body, authorization=f"Bearer {canary}")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(f"GARBAGE {CANARIES[0]} {CANARIES[20]}\r\n\r\n".encode())
        raw.recv(1_000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as cut:
        cut.sendall(f"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{CANARIES[9]}".encode())


def imports_with_faults(server: Server, tmp_path: Path) -> None:
    project = Project(server.folder)
    (server.folder / "recipes" / "tickets.yaml").write_text(RECIPE)
    rows = ["Key,Ticket,At,Mail,What,Via,Way,Product"]
    rows += [
        f"{canary},{canary},2026-02-31 10:00,{canary},ticket.opened,{canary},inbound,{canary}" for canary in CANARIES
    ]
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(rows))
    recipe = read_recipe_file(server.folder / "recipes" / "tickets.yaml")
    project.imports.take([(path, recipe)])
    refused = [row for row in ImportBook(project.state).refusals() if row["import_id"] != "live"]
    assert len(refused) == len(CANARIES)
    project.state.close()


def crashed(server: Server) -> bool:
    """Wait until the projector met the message that makes it crash."""
    project = Project(server.folder)
    for _ in range(400):
        if any("reader.failed" in row["reason"] for row in ImportBook(project.state).reasons()):
            return True
        server.get("/health")
        threading.Event().wait(0.05)
    return False


@pytest.mark.long
def test_F39_fifty_canaries_through_everything_stand_in_no_log_line_and_no_figure(
    server: Server, tmp_path: Path
) -> None:
    everything_that_can_go_wrong(server, server.source_key("shop"))
    imports_with_faults(server, tmp_path)
    assert crashed(server), "the projector was never made to crash"
    figures = server.get("/metrics")[1].decode()
    ready = server.get("/ready")[1].decode()
    announced = (server.folder / "data" / "server.json").read_text()
    holder = (server.folder / "data" / "lock").read_text()
    assert server.stop() == 0
    logged = server.said
    places = {"log": logged, "figures": figures, "ready": ready, "server.json": announced, "lock": holder}
    found = {name: [canary for canary in CANARIES if canary in text] for name, text in places.items()}
    assert found == {name: [] for name in places}
    lines = [json.loads(line) for line in logged.splitlines()]
    assert any(line["says"].startswith("a reader failed") for line in lines)
    assert all(set(line) <= {"at", "level", "who", "says", "listener", "error", "in"} for line in lines)
    assert list(server.folder.rglob("core*")) == []


def test_F39_the_error_page_of_a_fault_of_ours_shows_no_data(server: Server) -> None:
    for canary in CANARIES[:3]:
        status, body = ask(server, "GET", f"/people/{canary}%00")
        assert status in (404, 422)
        assert "Traceback" not in body.decode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/control/take")
    assert connection.getresponse().status == 403
    connection.close()
    assert server.stop() == 0
    assert [canary for canary in CANARIES if canary in server.said] == []
