"""The pictures of the one screen in the docs, taken from the demo by a real browser (DESIRELINE_SCREENSHOTS=1)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("DESIRELINE_SCREENSHOTS") != "1":
    pytest.skip("takes the pictures of the docs: DESIRELINE_SCREENSHOTS=1", allow_module_level=True)

from playwright.sync_api import sync_playwright

from desireline.faces.web.serving import listen, server_of
from desireline.project.project import Project
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
    small = image.open(path).convert("RGB").point([round(value / 5) * 5 for value in range(256)] * 3)
    small.save(path, optimize=True)
    server.should_exit = True
    thread.join(10)
    assert 20_000 < path.stat().st_size < MOST_BYTES
