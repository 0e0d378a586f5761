"""Segment's, RudderStack's and PostHog's Node clients, unmodified, through 429, 500 and a cut connection."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.flaky_front import FAILING, FlakyFront, flaky_front
from clients.installed import CLIENTS, NODE, needs_node
from clients.whole_project import WholeProject, whole_project

pytestmark = [needs_node, pytest.mark.long]
SCRIPTS = Path(__file__).parent / "node"
TRACKED = 20
SEGMENT_KINDS = {
    "desk.asked": TRACKED, "group.joined": 1, "page.viewed": 1, "person.identified": 1, "person.linked": 1,
    "screen.viewed": 1,
}  # fmt: skip
KINDS = {
    "segment": SEGMENT_KINDS,
    "rudder": SEGMENT_KINDS,
    "posthog": {**SEGMENT_KINDS, "group.described": 1, "person.described": 1},
}
del KINDS["posthog"]["group.joined"]


@pytest.fixture(params=sorted(KINDS))
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, client: str) -> Iterator[WholeProject]:
    with whole_project(tmp_path, dialect="posthog" if client == "posthog" else "segment") as project:
        yield project


@pytest.fixture
def front(project: WholeProject) -> Iterator[FlakyFront]:
    with flaky_front(project.port, ()) as front:
        yield front


def send(client: str, project: WholeProject, front: FlakyFront, **told: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CLIENTS": str(CLIENTS), "KEY": project.key, "HOST": front.address}
    environment |= {name.upper(): str(value) for name, value in told.items()}
    return subprocess.run(
        [NODE, str(SCRIPTS / f"{client}.mjs")], env=environment, capture_output=True, text=True, timeout=180
    )


def lost_by(ended: subprocess.CompletedProcess[str]) -> list[Any]:
    assert ended.returncode == 0, ended.stderr
    return list(json.loads(ended.stdout.splitlines()[-1])["lost"])


def test_everything_a_node_client_sends_is_there_once_after_429_500_and_a_cut(
    client: str, project: WholeProject, front: FlakyFront
) -> None:
    front.script.extend(FAILING)
    ended = send(client, project, front, all=1, count=TRACKED)
    seen = project.seen()
    assert lost_by(ended) == []
    assert [each for each in front.did if each != "passed"] == list(FAILING) and front.did[-1] == "passed"
    seen.check_each_once()
    assert seen.touchpoints == KINDS[client]
    assert seen.numbers == list(range(TRACKED))


def test_what_a_node_client_gives_up_on_is_told_by_it(client: str, project: WholeProject, front: FlakyFront) -> None:
    front.script.append("400")
    ended = send(client, project, front, count=3)
    rudder_sends_its_first_alone = client == "rudder"
    assert lost_by(ended) == {"segment": [0, 1, 2], "rudder": [0], "posthog": ["PostHogFetchHttpError"]}[client]
    assert front.did == ["400", "passed"] if rudder_sends_its_first_alone else ["400"]
    assert project.seen().numbers == ([1, 2] if rudder_sends_its_first_alone else [])


@pytest.mark.parametrize("client", ["rudder"], indirect=True)
def test_why_a_bad_event_is_never_answered_400(client: str, project: WholeProject, front: FlakyFront) -> None:
    front.script.append("400")
    ended = send(client, project, front, count=3, unwatched=1)
    assert ended.returncode != 0 and "Bad Request" in ended.stderr, "the client no longer ends its program on 400"


@pytest.mark.parametrize("client", ["posthog"], indirect=True)
def test_a_batch_that_was_too_large_comes_in_halves(client: str, project: WholeProject, front: FlakyFront) -> None:
    front.script.append("413")
    assert lost_by(send(client, project, front, count=TRACKED)) == []
    assert front.did == ["413", "passed", "passed"]
    assert project.seen().numbers == list(range(TRACKED))
