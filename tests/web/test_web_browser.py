"""Real Chromium walks the small bank: from the finding to a broken promise, to its people, to one person's years."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web.small_bank import NASTY

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM:
    pytest.skip("Chromium is not installed: apt-get install chromium, or set CHROMIUM", allow_module_level=True)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ROOT = Path(__file__).parents[2]
AXE = Path(os.environ.get("AXE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
PAGES = ("/", "/maps", "/people", "/import", "/maps/lost-card/promises/a-call", "/maps/lost-card/people?at=called")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


class Watched:
    """A page, and everything that must not happen on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.troubles: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.troubles.append("a dialog opened"), dialog.dismiss()))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address + "/", "data:", "blob:")):
            self.troubles.append(f"asked {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def watched(browser: Browser, bank_address: str) -> Iterator[Watched]:
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    made = Watched(context.new_page(), bank_address)
    made.page.set_default_timeout(60_000)
    yield made
    context.close()
    assert made.troubles == []


def test_from_the_finding_to_one_persons_years(watched: Watched) -> None:
    page = watched.open("/")
    expect(page.locator("h1")).to_contain_text("was broken 10 times of 40")
    page.get_by_role("link", name="Your card is blocked within five minutes.").click()
    expect(page.locator("h1")).to_contain_text("was broken 10 times")
    expect(page.locator("tbody tr")).to_have_count(10)
    page.locator("tbody th a").first.click()
    expect(page.locator("svg.years")).to_be_visible()
    expect(page.get_by_role("heading", name="Promises made to this person")).to_be_visible()


def test_every_number_says_why(watched: Watched) -> None:
    page = watched.open("/")
    page.get_by_role("button", name="Why? Promise 1: blocked-at-once").click()
    sheet = page.locator("#why-promise-1")
    expect(sheet).to_be_visible()
    for word in ("Rule", "Evidence", "Method", "Grade", "As of"):
        expect(sheet.get_by_text(word, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_a_number_of_the_flow_opens_its_people(watched: Watched) -> None:
    page = watched.open("/")
    page.locator("svg.flow.wide").get_by_role("link", name=re.compile("^called")).click()
    expect(page.locator("h1")).to_have_text("35 people came to 'called'.")


def test_the_slider_moves_with_the_keyboard_and_moves_both(watched: Watched) -> None:
    page = watched.open("/")
    handle = page.get_by_label("First month")
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"from=2025-02"))
    expect(page.locator("h1")).to_contain_text("Too little to judge by yet: 18 promises settled")
    expect(page.locator(".lived .band-head")).to_contain_text("10 journeys")
    expect(page.get_by_label("First month")).to_be_focused()
    page.go_back()
    expect(page.locator(".lived .band-head")).to_contain_text("40 journeys")


def test_only_broken_and_segments_change_what_is_shown(watched: Watched) -> None:
    page = watched.open("/")
    page.get_by_label("only broken").check()
    expect(page).to_have_url(re.compile("only=broken"))
    expect(page.locator(".lived .band-head")).to_contain_text("only those to whom a promise was broken")
    page.get_by_label("Segment").select_option("channel:phone")
    expect(page).to_have_url(re.compile("segment=channel:phone&only=broken|only=broken"))
    expect(page.locator(".lived .band-head")).to_contain_text("channel phone")


def test_the_page_works_without_its_scripts(browser: Browser, bank_address: str) -> None:
    context = browser.new_context(viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    page.goto(bank_address + "/")
    page.get_by_label("from", exact=True).select_option("2025-02")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("from=2025-02"))
    expect(page.locator(".lived .band-head")).to_contain_text("10 journeys")
    context.close()


def test_a_walk_by_keyboard_alone(watched: Watched) -> None:
    page = watched.open("/")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(page.get_by_role("link", name="Your card is blocked within five minutes.")).to_be_focused()
    page.keyboard.press("]")
    expect(page.get_by_role("link", name="A person calls you within two days.")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("still wait")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("svg.years")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("/maps$"))


def test_the_keys_can_be_switched_off(watched: Watched) -> None:
    page = watched.open("/")
    page.get_by_role("button", name="Help and keys").click()
    page.get_by_label("Switch these keys off on this machine").check()
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(page.get_by_role("link", name="Your card is blocked within five minutes.")).not_to_be_focused()


def test_tab_never_leads_to_a_hidden_place(watched: Watched) -> None:
    page = watched.open("/")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const e = document.activeElement, r = e.getBoundingClientRect();
            return [e.outerHTML.slice(0, 90), e === document.body || (r.width > 0 && r.height > 0)]; }"""
        )
        assert found[1], found[0]
        seen.add(found[0])
    assert len(seen) > 25


@pytest.mark.parametrize("path", PAGES)
def test_nothing_runs_over_the_edge_of_a_phone(watched: Watched, path: str) -> None:
    watched.page.set_viewport_size(PHONE)
    page = watched.open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input[type=search], .counts a, .presets a')]
        .filter(e => e.offsetParent && !e.closest('.card-top'))
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, r]) => r.height < 18 || (r.height < 24 && r.width < 24)).map(([html]) => html)"""
    )
    assert small == []


def test_on_a_phone_the_journey_runs_downwards(watched: Watched) -> None:
    watched.page.set_viewport_size(PHONE)
    page = watched.open("/")
    expect(page.locator("svg.flow.narrow")).to_be_visible()
    expect(page.locator("svg.flow.wide")).to_be_hidden()


def test_the_theme_follows_the_preference_and_the_switch(browser: Browser, bank_address: str) -> None:
    context = browser.new_context(viewport=DESK, color_scheme="dark")
    page = context.new_page()
    page.goto(bank_address + "/")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != dark
    page.reload()
    assert page.evaluate(ground) != dark
    context.close()


def test_f27_nothing_a_customer_wrote_runs(watched: Watched) -> None:
    page = watched.open("/people?find=person1@bank.example")
    expect(page.get_by_text(NASTY)).to_be_visible()
    page = watched.open("/maps/lost-card/promises/a-call?segment=channel%3Aapp")
    assert page.locator("img").count() == 0


def test_a_file_is_taken_in_with_live_progress(browser: Browser, own_bank: Any) -> None:
    import threading

    from desireline.faces.web.serving import listen, server_of

    listening = listen(0)
    server = server_of(own_bank, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{listening.getsockname()[1]}/import")
    text = "call id,start,caller mail,what\nc1,2025-01-05 09:00:00,person1@bank.example,call.asked\n"
    page.set_input_files("#file", {"name": "calls.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Import calls.csv").click()
    expect(page.locator("h1")).to_contain_text("done", timeout=60_000)
    expect(page.locator("main")).to_contain_text("1 rows read, 1 interactions made")
    context.close()
    server.should_exit = True
    thread.join(10)


@pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not there: npm install --no-save axe-core, or set AXE to axe.min.js"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES, "/people?find=person1@bank.example", "/no/such/page"])
def test_axe_finds_no_violation(browser: Browser, bank_address: str, path: str, scheme: Any) -> None:
    context = browser.new_context(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(bank_address + path)
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run({runOnly: tags})", tags)["violations"]
    context.close()
    assert [(each["id"], [node["html"][:160] for node in each["nodes"]][:3]) for each in found] == []
