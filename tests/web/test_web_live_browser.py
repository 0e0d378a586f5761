"""Real Chromium watches a bank at work: what comes in is told, shown when asked for, mended and connected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web.live_bank import LiveBank, make_live_bank, running

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, expect, sync_playwright

from web.test_web_browser import ARGUMENTS, AXE, CHROMIUM, DESK, PHONE, Watched

pytestmark = pytest.mark.browser
CANARY = "<img src=x onerror=alert(1)>"
PAGES = (
    "/live",
    "/live/promises?what=broken",
    "/import/refused?import=live",
    "/connect",
    "/connect/shop",
    "/live/messages/{message}",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBank]:
    with running(make_live_bank(tmp_path_factory.mktemp("watched") / "bank")) as started:
        started.send(started.ask("first"), started.ask("second", direction="sideways"))
        started.until(lambda: started.serving.pages.state.pulse.last >= 2)
        yield started


@pytest.fixture
def watched(chromium: Browser, bank: LiveBank) -> Iterator[Watched]:
    context = chromium.new_context(viewport=DESK, reduced_motion="reduce")
    made = Watched(context.new_page(), bank.address)
    made.page.set_default_timeout(60_000)
    yield made
    context.close()
    assert made.troubles == []


def rows(page: Page) -> Any:
    return page.locator("table.messages tbody tr")


def test_what_comes_in_is_offered_and_shown_when_asked_for(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/live")
    before = rows(page).count()
    bank.send(bank.ask("anna"), bank.ask("bert"))
    button = page.locator("#show-new")
    expect(button).to_have_text("2 new · show")
    expect(rows(page)).to_have_count(before)
    button.click()
    expect(rows(page)).to_have_count(before + 2)
    expect(button).to_be_hidden()
    expect(page.locator("#screen")).to_be_focused()


def test_whoever_follows_sees_them_at_once_and_can_pause(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/live")
    page.get_by_label("follow").check()
    before = rows(page).count()
    bank.send(bank.ask("carla"))
    expect(rows(page)).to_have_count(before + 1)
    page.get_by_role("button", name="Pause").click()
    before_dirk = bank.serving.pages.state.pulse.last
    bank.send(bank.ask("dirk"))
    bank.until(lambda: bank.serving.pages.state.pulse.last > before_dirk)
    expect(page.locator("#strip [data-word]")).to_have_text("Paused")
    expect(rows(page)).to_have_count(before + 1)
    page.get_by_role("button", name="Go on").click()
    expect(rows(page)).to_have_count(before + 2)
    expect(page.locator("#strip [data-word]")).to_have_text("Live")
    page.get_by_label("follow").uncheck()


def test_many_windows_of_one_browser_leave_room_for_pages(chromium: Browser, bank: LiveBank) -> None:
    context = chromium.new_context(viewport=DESK)
    windows = [context.new_page() for _ in range(9)]
    for place, page in enumerate(windows):
        page.goto(bank.address + ("/connect/shop" if place % 3 == 0 else "/live"), timeout=30_000)
    bank.send(bank.ask("everywhere"))
    for place, page in enumerate(windows):
        if place % 3:
            expect(page.locator("#show-new")).to_be_visible(timeout=30_000)
        else:
            expect(page.locator(".verdict")).to_have_class(re.compile("connected"), timeout=30_000)
    context.close()


def test_a_page_says_when_its_server_is_gone_and_goes_on_by_itself(chromium: Browser, tmp_path: Path) -> None:
    project = make_live_bank(tmp_path / "bank")
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    with running(project) as before:
        page.goto(before.address + "/live")
        word, says = page.locator("#strip [data-word]"), page.locator("#strip [data-says]")
        expect(word).to_have_text("Live")
        expect(says).to_contain_text("interactions a minute")
    expect(word).to_have_text("No word from the server", timeout=20_000)
    expect(says).to_contain_text("what stands here is as of then")
    with running(project, port=int(before.address.rpartition(":")[2])) as again:
        expect(word).to_have_text("Live", timeout=30_000)
        button = page.locator("#show-new")
        expect(button).to_have_text("The server was started anew · show")
        again.send(again.ask("anna"))
        button.click()
        expect(button).to_be_hidden()
        again.send(again.ask("bert"))
        expect(button).to_contain_text("new · show")
    context.close()


def test_a_machine_that_slept_for_an_hour_asks_anew(watched: Watched) -> None:
    page = watched.page
    page.clock.install()
    watched.open("/live")
    expect(page.locator("#strip [data-word]")).to_have_text("Live")
    with page.expect_request(re.compile("/live/events")):
        page.clock.fast_forward("01:00:00")
    expect(page.locator("#strip [data-word]")).to_have_text("Live")


def test_what_falls_due_counts_down_on_the_page(watched: Watched, bank: LiveBank) -> None:
    bank.send(bank.ask("waits"))
    bank.until(lambda: bank.serving.pages.state.pulse.board.due_count(bank.project.now())[0])
    page = watched.page
    page.clock.install()
    watched.open("/live")
    due = page.locator("section:has(#due-head) .stakes time").last
    expect(due).to_contain_text("in 23 h")
    page.clock.fast_forward("02:00:00")
    expect(due).to_contain_text("in 21 h")


def test_nobodys_writing_is_taken_from_under_their_hands(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/live")
    page.get_by_label("follow").check()
    area = page.locator("#quarantine textarea").first
    area.fill("half a thought")
    bank.send(bank.ask("elsa"))
    expect(page.locator("#show-new")).to_be_visible()
    expect(area).to_have_value("half a thought")
    page.get_by_label("follow").uncheck()


def test_filters_count_only_what_fits_and_stand_in_the_address(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/live")
    page.get_by_role("link", name="quarantined", exact=True).click()
    expect(page).to_have_url(re.compile(r"verdict=quarantined"))
    page.get_by_label("source", exact=True).select_option("shop")
    expect(page).to_have_url(re.compile(r"source=shop"))
    bank.send(bank.ask("fred"), bank.ask("gerd", direction="down"))
    expect(page.locator("#show-new")).to_have_text("1 new · show")


def test_a_promise_that_falls_due_is_seen_as_broken_on_every_page(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/maps/asking")
    bank.send(bank.ask("hanna"))
    line = page.locator("#strip [data-says]")
    expect(line).to_contain_text(re.compile(r"[1-9]\d* promises? broken in the last hour"))
    page.locator("#strip a").click()
    expect(page).to_have_url(re.compile("/live$"))
    page.locator(".aside .stakes li > a").first.click()
    expect(page.locator("svg.years")).to_be_visible()


def test_the_one_screen_says_what_is_new_and_shows_it_when_asked(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/maps/asking")
    journeys = page.locator(".lived .band-head > p")
    before = int(re.findall(r"([\d,]+) journeys?", journeys.text_content() or "")[0])
    bank.send(bank.ask("ines"), bank.ask("jan"))
    expect(page.locator("#show-new")).to_be_visible()
    expect(journeys).to_contain_text(f"{before} journey")

    def shown_when_asked() -> bool:
        """A machine that is busy shows the state before, and goes on offering the new one."""
        page.evaluate(
            "() => { const button = document.getElementById('show-new'); if (!button.hidden) button.click(); }"
        )
        return not (journeys.text_content() or "").startswith(f"{before} journey")

    bank.until(shown_when_asked)


def test_a_refused_message_is_mended_on_the_page(watched: Watched, bank: LiveBank) -> None:
    bank.send(bank.ask("karl", direction="aslant"))
    bank.until(lambda: "karl" in watched.open("/live").content())
    page = watched.page
    area = page.locator("#quarantine textarea").first
    area.fill(area.input_value().replace("aslant", "inbound"))
    page.locator("#quarantine .refused").first.get_by_role("button", name="Mend and try again").click()
    expect(page.locator(".outcome")).to_contain_text("Taken in.")
    page.get_by_role("link", name="See it").click()
    expect(page.locator("table tbody")).to_contain_text("karl@bank.example")


def test_a_site_is_connected_and_turns_green_with_its_first_event(watched: Watched, bank: LiveBank) -> None:
    page = watched.open("/connect")
    expect(page.get_by_label("Sites it may be sent from")).to_be_visible()
    page.get_by_label("Zendesk").check()
    expect(page.get_by_label("Sites it may be sent from")).to_be_hidden()
    expect(page.get_by_label("It may come without a signature")).to_be_visible()
    page.get_by_label("A web site or shop").check()
    expect(page.get_by_label("It may come without a signature")).to_be_hidden()
    page.get_by_label("Its name").fill("green-shop")
    page.get_by_role("button", name="Connect it").click()
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("Waiting for the first event")
    key = page.locator("#the-key").text_content() or ""
    page.get_by_text("Segment", exact=True).click()
    expect(page.get_by_text("writeKey", exact=False).first).to_be_visible()
    bank.send(bank.ask("lena"), key="mistyped")
    expect(verdict).to_have_class(re.compile("refused"))
    bank.send(bank.ask("lena"), key=key)
    expect(verdict).to_have_class(re.compile("connected"))
    expect(verdict).to_contain_text("question.asked came at")
    page.get_by_text("A new key …").click()
    page.get_by_role("button", name="Give it a new key").click()
    expect(page.locator("#the-key")).not_to_have_text(key)
    page.get_by_role("button", name="Switch it off").click()
    expect(verdict).to_contain_text("Switched off")


def test_a_walk_by_keyboard_alone_reaches_a_message(watched: Watched) -> None:
    page = watched.open("/maps/asking")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/live$"))
    page.keyboard.press("j")
    expect(rows(page).first.get_by_role("link")).to_be_focused()
    page.keyboard.press("J")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What came")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/connect$"))


def test_the_live_page_works_without_its_scripts(chromium: Browser, bank: LiveBank) -> None:
    context = chromium.new_context(viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    page.goto(bank.address + "/live")
    before = rows(page).count()
    expect(page.get_by_label("follow")).to_be_hidden()
    bank.send(bank.ask("mona"))
    bank.until(lambda: page.goto(bank.address + "/live") and rows(page).count() > before)
    page.get_by_label("source", exact=True).select_option("shop")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("source=shop"))
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_live_pages_fit_a_phone(watched: Watched, bank: LiveBank, path: str) -> None:
    watched.page.set_viewport_size(PHONE)
    page = watched.open(path.format(message=some_message(bank)))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, summary, .tabs a, .strip a, .stakes li > a')]
        .filter(e => e.offsetParent && e.type !== 'hidden')
        .map(e => [e.outerHTML.slice(0, 80), (e.closest('label') || e).getBoundingClientRect()])
        .filter(([, r]) => r.height < 24 || r.width < 24).map(([html]) => html)"""
    )
    assert small == []


def some_message(bank: LiveBank) -> str:
    """The place of a message of which the hub still knows."""
    told = next(event for event in bank.serving.hub.since(0)[0] if event.kind == "verdict")
    return f"{told.values['sequence']}/{told.values['position']}"


def test_f27_nothing_that_anybody_sends_runs(watched: Watched, bank: LiveBank) -> None:
    bank.send(
        bank.ask("nora", touchpoint=CANARY, channel=CANARY), {"type": CANARY, "event": CANARY, "messageId": CANARY}
    )
    bank.send({**bank.ask("otto"), "event": CANARY, "properties": {CANARY: CANARY}})
    bank.project.sources.change("shop", says=CANARY)
    bank.until(lambda: "onerror" in watched.open("/live").content())
    for path in ("/live", "/live?verdict=quarantined", "/connect", "/connect/shop"):
        page = watched.open(path)
        page.wait_for_timeout(200)
        assert page.locator("img").count() == 0
    page = watched.open("/live")
    rows(page).first.get_by_role("link").first.click()
    assert page.locator("img").count() == 0
    bank.project.sources.change("shop", says="the shop's own server")


@pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not there: npm install --no-save axe-core, or set AXE to axe.min.js"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violation_on_live_pages(chromium: Browser, bank: LiveBank, path: str, scheme: Any) -> None:
    context = chromium.new_context(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(bank.address + path.format(message=some_message(bank)))
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run({runOnly: tags})", tags)["violations"]
    context.close()
    assert [(each["id"], [node["html"][:160] for node in each["nodes"]][:3]) for each in found] == []
