"""The pictures of pages in the docs, taken from the demo by a real browser (DESIRELINE_SCREENSHOTS=1)."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("DESIRELINE_SCREENSHOTS") != "1":
    pytest.skip("takes the pictures of the docs: DESIRELINE_SCREENSHOTS=1", allow_module_level=True)

from playwright.sync_api import sync_playwright

from desireline.faces.web.serving import listen, server_of
from desireline.project import DemoFeed, open_demo
from desireline.project.project import Project
from web.live_bank import LiveBank, running
from web.test_web_browser import ARGUMENTS, CHROMIUM

image = pytest.importorskip("PIL.Image", reason="Pillow makes the pictures small")
pytestmark = [pytest.mark.browser, pytest.mark.long]
IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTHS = {1360: 900, 390: 844}
MOST_BYTES = 250_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo bank: the folder in DESIRELINE_DEMO, or one made now with 12,000 customers."""
    folder = Path(os.environ.get("DESIRELINE_DEMO", tmp_path_factory.mktemp("demo") / "bank"))
    if not (folder / "desireline.yaml").exists():
        from desireline.project import make_demo

        make_demo(folder, people=12_000, seed=7, progress=lambda _share, _what: None)
    return Project(folder)


def kept_small(path: Path) -> None:
    """A picture with fewer colours, so that it is small."""
    small = image.open(path).convert("RGB").point([round(value / 5) * 5 for value in range(256)] * 3)
    small.save(path, optimize=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_one_screen_is_pictured(demo: Project, width: int, scheme: Any) -> None:
    listening = listen(0)
    server = server_of(demo, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    path = IMAGES / f"one-screen-{width}-{scheme}.png"
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
        page.goto(f"http://127.0.0.1:{listening.getsockname()[1]}/maps/lost-card", timeout=120_000)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert "lost-card" in page.title()
        page.screenshot(path=path, full_page=True)
        browser.close()
    kept_small(path)
    server.should_exit = True
    thread.join(10)
    assert 20_000 < path.stat().st_size < MOST_BYTES


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory, demo: Project) -> Iterator[LiveBank]:
    """The demo bank in motion, in a folder of its own, for two minutes already."""
    folder = tmp_path_factory.mktemp("live") / "bank"
    shutil.copytree(demo.folder, folder)
    with running(open_demo(folder, live=True)) as bank:
        feed = DemoFeed(bank.project, port=int(bank.address.rpartition(":")[2]), per_second=50)
        feed.start()
        shop = bank.project.sources.add("web-shop", origins=["https://shop.example"], says="A web site or shop")
        threading.Event().wait(140)
        message = {"type": "page", "name": "Home", "anonymousId": "visitor-1", "messageId": "first-1"}
        assert bank.send(message, key=shop["key"], origin="https://shop.example") == 200
        bank.until(lambda: "web-shop" in bank.serving.pages.state.pulse.counts.by_source)
        yield bank
        feed.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "path"), [("live", "/live"), ("connect", "/connect/web-shop")])
def test_what_happens_now_is_pictured(at_work: LiveBank, name: str, path: str, width: int, scheme: Any) -> None:
    picture = IMAGES / f"{name}-{width}-{scheme}.png"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": 1500}, color_scheme=scheme)
        page.goto(at_work.address + path, timeout=120_000)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.locator("#show-new" if name == "live" else ".verdict.connected").wait_for(timeout=60_000)
        page.screenshot(path=picture, full_page=name == "connect")
        browser.close()
    kept_small(picture)
    assert 20_000 < picture.stat().st_size < MOST_BYTES
