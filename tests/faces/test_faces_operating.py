"""Whoever runs the server asks it how it is: health, readiness, figures; and what the second address answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from desireline.faces import metrics
from desireline.faces.listening import outside_address
from desireline.faces.serve import Serving, at_work
from desireline.project import Project
from desireline.project.clock import now_ms
from desireline.vocabulary.errors import DesirelineError
from project.live_desk import FakeClock, a_desk, message

PORT = 8765


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = a_desk(tmp_path_factory.mktemp("faces") / "desk")
    clock = FakeClock(now_ms())
    with at_work(Project(folder, now=clock), port=PORT, elapsed=clock) as working:
        assert working.live.wait_until_ready(60)
        yield working


@pytest.fixture(scope="module")
def inside(serving: Serving) -> Iterator[TestClient]:
    with TestClient(serving.app, base_url=f"http://127.0.0.1:{PORT}") as client:
        yield client


OUTSIDE = "http://10.1.2.3:9000"


def send(client: TestClient, serving: Serving, *keys: str, to: str = "") -> int:
    source = serving.project.sources.named("shop")
    batch = [message(key, "Ticket Opened", "anna@example.org", 1_767_225_600_000, case=key) for key in keys]
    return client.post(f"{to}/v1/batch", json={"batch": batch}, auth=(source["key"], "")).status_code


def figures(client: TestClient) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_strict_reader_of_prometheus_understands_the_figures(inside: TestClient, serving: Serving) -> None:
    assert send(inside, serving, "m1", "m2") == 200
    assert send(inside, serving, "m3") == 200
    found = figures(inside)
    assert found["desireline_log_sequence"] == serving.log.last
    assert found["desireline_collector_requests_total{dialect=segment,status=200}"] == 2
    assert found["desireline_collector_events_total"] == 3
    assert found["desireline_collector_answer_seconds_count"] == 2
    assert found["desireline_log_commits_total"] >= 2
    assert found["desireline_log_refusing{why=disk}"] == 0
    assert found["process_resident_memory_bytes"] > 1e7
    assert found["desireline_ready"] == 1


def test_every_figure_is_explained_and_no_label_holds_anything_about_a_person(
    inside: TestClient, serving: Serving
) -> None:
    send(inside, serving, "m9")
    text = inside.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    explained = {metric.full_name for metric in metrics.METRICS}
    explained |= {f"desireline_collector_{name}" for name in metrics.COLLECTOR}
    shown = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert shown == explained
    labels = {name for family in families for sample in family.samples for name in sample.labels}
    assert labels <= {"dialect", "status", "code", "le", "why", "verdict", "version", "python", "source"}
    assert "anna" not in text


def test_ready_says_why_not(inside: TestClient, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inside.get("/ready").json() == {"ready": True, "reasons": [], "warnings": []}

    def fails() -> None:
        raise DesirelineError("the map of Anna")

    with monkeypatch.context() as at_work:
        at_work.setattr(serving.live, "turn", fails)
        until(lambda: serving.live.failing)
        refused = inside.get("/ready")
        assert refused.status_code == 503 and "the map of Anna" in refused.text and refused.headers["retry-after"]
        assert inside.get(f"{OUTSIDE}/ready").json() == {"ready": False}
    until(lambda: serving.live.ready)
    assert inside.get("/ready").status_code == 200


def until(holds: Callable[[], object]) -> None:
    for _ in range(6_000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to that")


def test_ready_warns_of_what_somebody_should_look_at(inside: TestClient, serving: Serving) -> None:
    serving.live.map_mistakes = "map0.yaml line 3"
    try:
        answer = inside.get("/ready")
        assert answer.status_code == 200 and "map0.yaml line 3" in answer.json()["warnings"][0]
        assert inside.get(f"{OUTSIDE}/ready").json() == {"ready": True}
    finally:
        serving.live.map_mistakes = ""


def test_settings_saved_while_it_runs_hold_and_a_mistake_in_them_is_told(inside: TestClient, serving: Serving) -> None:
    settings = serving.project.folder / "desireline.yaml"
    before = settings.read_text()
    settings.write_text(f"{before}public_url: https://collect.harbour.example\n")
    until(lambda: serving.collector.public_address == "https://collect.harbour.example")
    settings.write_text(f"{before}tiem_zone: UTC\n")
    until(lambda: "'tiem_zone'" in inside.get("/ready").text)
    assert serving.collector.public_address == "https://collect.harbour.example"
    settings.write_text(before)
    until(lambda: inside.get("/ready").json()["warnings"] == [] and not serving.collector.public_address)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_another_name_for_this_machine_is_refused(inside: TestClient, path: str) -> None:
    assert inside.get(path).status_code == 200
    assert inside.get(path, headers={"host": "evil.example"}).status_code == 403
    assert inside.get(path, headers={"host": "evil.example", "x-forwarded-host": "127.0.0.1:8765"}).status_code == 403
    assert inside.post(path, headers={"origin": f"http://127.0.0.1:{PORT}"}).status_code == 405


@pytest.mark.parametrize("path", ["/", "/metrics", "/control/judge", "/people", "/import", "/static/desireline.css"])
def test_the_second_address_shows_no_page_no_figure_and_takes_no_command(inside: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = inside.request(
            method, f"{OUTSIDE}{path}", headers={"host": f"127.0.0.1:{PORT}", "x-forwarded-for": "127.0.0.1"}
        )
        assert answer.status_code == 404 and answer.json()["code"] == "path.unknown"


def test_the_second_address_takes_interactions_in(inside: TestClient, serving: Serving) -> None:
    assert inside.get(f"{OUTSIDE}/health").text == "ok\n"
    before = serving.log.last
    assert send(inside, serving, "m20", to=OUTSIDE) == 200
    assert serving.log.last == before + 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.0.0.0:9000", "without encryption"),
        ("[::]:9000", "--behind-proxy"),
        ("collect.example:9000", "is not an address"),
        ("9000", "is not an address"),
        ("127.0.0.1:99999", "is not an address"),
    ],
)
def test_an_address_others_can_reach_needs_a_statement(text: str, says: str) -> None:
    with pytest.raises(DesirelineError, match=says):
        outside_address(text, behind_proxy=False)
    assert outside_address("0.0.0.0:9000", behind_proxy=True) == ("0.0.0.0", 9000)
    assert outside_address("127.0.0.1:9000", behind_proxy=False) == ("127.0.0.1", 9000)


def test_live_work_that_fails_is_logged_by_its_kind_only(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="desireline"):
        serving.live._fail("the map says anna@example.org", "DesirelineError")
    serving.live.failing, serving.live._begun = "", True
    assert "DesirelineError" in caplog.text and "anna" not in caplog.text
