"""A browser, and in it a visitor of a shop whose pages bring our snippet along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clients.flaky_front import flaky_front
from clients.installed import CHROMIUM, CHROMIUM_ARGUMENTS
from clients.site import Visit, a_site
from clients.snippet_shop import Shop
from clients.whole_project import whole_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: apt-get install chromium, or set CHROMIUM")
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def shop(tmp_path: Path, browser: Browser) -> Iterator[Shop]:
    with (
        whole_project(tmp_path, server_side=False) as project,
        flaky_front(project.port, ()) as front,
        a_site() as site,
    ):
        site.headers["content-security-policy"] = (
            f"default-src 'none'; script-src 'nonce-n1' {front.address}; connect-src {front.address}; img-src data:"
        )
        context = browser.new_context()
        visit = Visit(context, site.address, front.address)
        made = Shop(project, front, site, visit)
        made.put_up(attributes='data-consent="given"')
        made.put_up("/asks")
        made.site.page("/bare", "")
        yield made
        assert context.cookies() == []
        context.close()
        visit.check_nothing_strange()
