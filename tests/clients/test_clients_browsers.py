"""Segment's, RudderStack's and PostHog's browser clients, unmodified, in real Chromium on a page of another origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.flaky_front import FAILING, FlakyFront, flaky_front
from clients.installed import CHROMIUM, CHROMIUM_ARGUMENTS, MODULES, needs_node
from clients.site import Site, Visit, a_site
from clients.whole_project import WholeProject, whole_project

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.long, needs_node]
if not CHROMIUM:
    pytest.skip("Chromium is not installed: apt-get install chromium, or set CHROMIUM", allow_module_level=True)
TRACKED = 20
TRIES = 5

SEGMENT = """<script src="/modules/@segment/analytics-next/dist/umd/index.js"></script><script>
const client = AnalyticsNext.AnalyticsBrowser.load({writeKey: "KEY", cdnURL: "HOST"}, OPTIONS);
const track = (number) => client.track("Desk Asked", {number});
</script>"""
RUDDER = """<script src="/modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"></script><script>
const client = new rudderanalytics.RudderAnalytics();
client.load("KEY", "HOST", {configUrl: "HOST", ...OPTIONS});
const track = (number) => client.track("Desk Asked", {number});
</script>"""
POSTHOG = """<script type="module">
import posthog from "/modules/posthog-js/dist/module.mjs";
window.lost = [];
const on_request_error = ({statusCode}) => lost.push(statusCode);
posthog.init("KEY", {api_host: "HOST", opt_out_useragent_filter: true, on_request_error, ...OPTIONS});
window.client = posthog;
window.track = (number) => posthog.capture("Desk Asked", {number});
</script>"""
SEGMENT_CALLS = """() => {
  client.page("Docs", "Opening hours");
  client.identify("user-1", {email: "anna@harbour.example"});
  client.group("harbour", {seats: 4});
  client.alias("user-1");
}"""
POSTHOG_CALLS = """() => {
  client.alias("user-1");
  client.identify("user-1", {email: "anna@harbour.example"}, {first: "shop"});
  client.setPersonProperties({plan: "gold"});
  client.group("company", "harbour", {seats: 4});
}"""
TRACK_ALL = f"() => {{ for (let number = 0; number < {TRACKED}; number++) track(number) }}"
SEGMENT_KINDS = {
    "desk.asked": TRACKED, "group.joined": 1, "page.viewed": 1, "person.identified": 1, "person.linked": 1,
}  # fmt: skip
POSTHOG_KINDS = {
    "desk.asked": TRACKED, "group.described": 1, "page.viewed": 1, "person.described": 1, "person.identified": 1,
    "person.linked": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Client:
    """A client as its page loads it, in one of its modes."""

    name: str
    dialect: str
    head: str
    options: str
    calls: str
    kinds: dict[str, int]


BEACON = Client(
    "rudder-beacon", "segment", RUDDER, "{useBeacon: true, beaconQueueOptions: {flushQueueInterval: 400}}",
    SEGMENT_CALLS, SEGMENT_KINDS,
)  # fmt: skip
HASTY = Client("posthog-one-by-one", "posthog", POSTHOG, "{request_batching: false}", POSTHOG_CALLS, POSTHOG_KINDS)
CLIENTS = [
    Client("segment", "segment", SEGMENT, "{}", SEGMENT_CALLS, SEGMENT_KINDS),
    Client(
        "segment-batching", "segment", SEGMENT,
        '{integrations: {"Segment.io": {deliveryStrategy: {strategy: "batching", config: {size: 8, timeout: 400}}}}}',
        SEGMENT_CALLS, SEGMENT_KINDS,
    ),
    Client("rudder", "segment", RUDDER, "{}", SEGMENT_CALLS, SEGMENT_KINDS),
    Client(
        "rudder-batching", "segment", RUDDER,
        "{queueOptions: {batch: {enabled: true, maxItems: 8, flushInterval: 400}}}", SEGMENT_CALLS, SEGMENT_KINDS,
    ),
    Client("posthog", "posthog", POSTHOG, "{}", POSTHOG_CALLS, POSTHOG_KINDS),
    HASTY,
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(params=[*CLIENTS, BEACON], ids=lambda client: client.name)
def client(request: pytest.FixtureRequest) -> Client:
    return request.param


@dataclass
class Shop:
    """A site with the client, its visitor, the front and the project behind it."""

    project: WholeProject
    front: FlakyFront
    site: Site
    visit: Visit
    page: Page

    def stored(self) -> Counter[str]:
        """How often each message lies in the log, by its id."""
        return Counter(str(message.key) for message in self.project.messages())

    def wait_for(self, count: int) -> None:
        self.front.wait_until(lambda: len(self.stored()) >= count, f"{count} messages")


@pytest.fixture
def shop(tmp_path: Path, browser: Browser, client: Client) -> Iterator[Shop]:
    with (
        whole_project(tmp_path, dialect=client.dialect, server_side=False) as project,
        flaky_front(project.port, ()) as front,
        a_site() as site,
    ):
        site.modules = MODULES
        head = client.head.replace("KEY", project.key).replace("OPTIONS", client.options)
        site.page("/", head.replace("HOST", front.address))
        site.page("/bare", "")
        context = browser.new_context()
        visit = Visit(context, site.address, front.address)
        page = visit.open(site.address)
        yield Shop(project, front, site, visit, page)
        context.close()
        visit.check_nothing_strange()
        assert [each.request.path for each in front.exchanges if each.did == "passed" and each.status >= 400] == []


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name, indirect=True)
def test_everything_a_browser_client_sends_is_there_once_after_429_500_and_a_cut(client: Client, shop: Shop) -> None:
    if client.dialect == "posthog":
        shop.front.wait_until(lambda: shop.front.did == ["passed"], "its own page view")
        shop.front.script.extend(["500", "cut"])
    else:
        shop.front.script.extend(FAILING)
    shop.page.evaluate(client.calls)
    shop.page.evaluate(TRACK_ALL)
    count = sum(client.kinds.values())
    shop.wait_for(count)
    shop.front.wait_until(lambda: shop.stored().total() > count, "the repeat of what was cut", seconds=60)
    seen = shop.project.seen()
    seen.check_each_once()
    assert seen.touchpoints == client.kinds
    assert seen.numbers == list(range(TRACKED))
    assert not shop.front.script


@pytest.mark.parametrize("client", CLIENTS[-1:], ids=lambda client: client.name, indirect=True)
def test_posthog_in_a_browser_gives_up_on_429_and_says_so(client: Client, shop: Shop) -> None:
    shop.front.wait_until(lambda: shop.front.did == ["passed"], "its own page view")
    shop.front.script.append("429")
    shop.page.evaluate("() => track(1)")
    shop.page.wait_for_function("() => lost.length")
    assert shop.page.evaluate("() => lost") == [429], "the collector tells it 503 instead"
    shop.page.evaluate("() => track(2)")
    shop.wait_for(2)
    assert shop.project.seen().numbers == [2]


@pytest.mark.parametrize("client", CLIENTS[:1], ids=lambda client: client.name, indirect=True)
def test_two_known_people_are_not_joined_by_what_stands_in_a_page(client: Client, shop: Shop) -> None:
    shop.page.evaluate("() => client.alias('user-1', 'user-2')")
    shop.wait_for(1)
    seen = shop.project.seen()
    assert seen.rows == [] and "protected.join" in seen.quarantined[0]


@pytest.mark.parametrize(
    "client", [each for each in (*CLIENTS, BEACON) if each is not HASTY], ids=lambda client: client.name, indirect=True
)
def test_the_last_words_of_a_page_arrive_by_beacon_or_with_the_next_page(client: Client, shop: Shop) -> None:
    """What its client has not yet made a request of when the page goes is lost to anybody, so there are a few tries.

    PostHog's client that sends one by one is left out: it packs each event after the call returned.
    """
    shop.page.evaluate("() => track(0)")
    shop.front.wait_until(lambda: shop.project.seen().numbers == [0], "the first event")
    assert any(last_words_arrive(client, shop, first=10 * each) for each in range(1, TRIES + 1))
    assert shop.project.seen().quarantined == []


def last_words_arrive(client: Client, shop: Shop, *, first: int) -> bool:
    words = {first, first + 1, first + 2}
    shop.page.evaluate("numbers => numbers.forEach(number => track(number))", sorted(words))
    shop.page.goto(shop.site.address + "/bare")
    if client.name == "rudder-batching":
        shop.page.goto(shop.site.address)
    if shop.front.holds_within(lambda: words <= set(shop.project.seen().numbers), seconds=20):
        return True
    shop.page.goto(shop.site.address)
    return False
