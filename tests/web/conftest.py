"""What the web tests share: a client of hand-made pages, and a small real project behind a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from desireline.faces.web.app import create_app
from desireline.faces.web.serving import listen, server_of
from desireline.project.project import Project
from web.made_reading import made_reading
from web.small_bank import make_small_bank

ADDRESS = "http://127.0.0.1:8765"


@pytest.fixture
def made_client() -> TestClient:
    """A client of pages made by hand."""
    return TestClient(create_app(None, port=8765, reading=made_reading()), base_url=ADDRESS)


@pytest.fixture(scope="session")
def small_bank(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A real project: forty people, two promises, imported and judged. Not to be changed."""
    return make_small_bank(tmp_path_factory.mktemp("small") / "bank")


@pytest.fixture
def own_bank(tmp_path: Path) -> Project:
    """A real project for one test alone."""
    return make_small_bank(tmp_path / "bank")


@pytest.fixture(scope="session")
def bank_client(small_bank: Project) -> TestClient:
    """A client of the small bank's pages."""
    return TestClient(create_app(small_bank, port=8765), base_url=ADDRESS)


@pytest.fixture(scope="session")
def bank_address(small_bank: Project) -> Iterator[str]:
    """A real server of the small bank on a free port."""
    listening = listen(0)
    server = server_of(small_bank, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        thread.join(0.05)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
