"""Our own snippet where pages and browsers are odd: two tags, no storage, unseen pages, withdrawals in between."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.snippet_shop import NOW_SEND, Shop, numbers

pytestmark = pytest.mark.browser
SETTLED = "() => Object.keys(localStorage).length === 1"


class Held:
    """What the pages send is held until it is answered; or dropped, as a broken line drops it."""

    def __init__(self, shop: Shop, *, drops: bool = False) -> None:
        self.routes: list[Any] = []
        self.context = shop.visit.context
        self.context.route(
            f"{shop.front.address}/v1/batch", lambda route: route.abort() if drops else self.routes.append(route)
        )

    def wait(self, page: Any) -> None:
        """Until a request is held."""
        while not self.routes:
            page.evaluate("() => new Promise((done) => setTimeout(done, 10))")

    def answer(self, status: int) -> None:
        """Answer what is held, and let all that follows pass."""
        while self.routes:
            self.routes.pop().fulfill(status=status, headers={"access-control-allow-origin": "*"})
        self.end()

    def end(self) -> None:
        """From now on everything passes."""
        self.context.unroute_all()


def test_two_tags_in_one_page_are_one_visitor_and_one_page_view(shop: Shop) -> None:
    tag = f'<script src="{shop.front.address}/snippet.js" data-key="{shop.project.key}" data-consent="given"></script>'
    shop.put_up("/twice", tag=tag + tag)
    page = shop.open("/twice")
    page.click("[data-desireline='offer.chosen']")
    page.evaluate("() => history.pushState({}, '', '/next')")
    page.evaluate("() => desireline.track('Desk Asked', {number: 1})")
    shop.wait_for("Desk Asked")
    page.wait_for_function(SETTLED)
    assert shop.project.seen().touchpoints == {"desk.asked": 1, "offer.chosen": 1, "page.viewed": 2}


def test_where_the_browser_refuses_storage_and_locks_it_still_sends(shop: Shop) -> None:
    shop.site.headers["content-security-policy"] += "; sandbox allow-scripts"
    page = shop.open()
    assert page.evaluate("() => { try { return !!localStorage } catch { return false } }") is False
    page.evaluate("() => desireline.track('Desk Asked', {number: 1})")
    shop.wait_for("page", "Desk Asked")
    assert len({message["anonymousId"] for message in shop.messages()}) == 1


def test_storage_that_was_full_for_a_while_keeps_no_second_truth(shop: Shop) -> None:
    shop.visit.context.add_init_script(
        "const plain = Storage.prototype.setItem; window.full = true;"
        "Storage.prototype.setItem = function (...given)"
        " { if (window.full) throw Error('full'); plain.apply(this, given) };"
    )
    page = shop.open()
    page.evaluate("() => { full = false; desireline.identify('user-1'); desireline.track('Desk Asked', {number: 1}) }")
    shop.wait_for("Desk Asked")
    page.evaluate(
        "() => addEventListener('storage', ({newValue}) => newValue?.includes('user-2') && setTimeout(() => told = 1))"
    )
    other = shop.open()
    other.evaluate("() => { full = false; desireline.identify('user-2') }")
    page.wait_for_function("() => window.told")
    page.evaluate("() => desireline.track('after')")
    shop.wait_for("after")
    (last,) = [message for message in shop.messages() if message.get("event") == "after"]
    assert last["userId"] == "user-2", "what the other tab said counts in this one"


def test_forgotten_while_the_collector_fails_leaves_nothing(shop: Shop) -> None:
    held = Held(shop)
    shop.visit.context.add_init_script(
        "const plain = fetch; window.answers = 0;"
        "fetch = (...given) => plain(...given).finally(() => setTimeout(() => answers++));"
    )
    page = shop.open("/asks")
    page.evaluate("() => { desireline.consent(); desireline.flush() }")
    held.wait(page)
    page.evaluate("() => desireline.forget()")
    held.answer(503)
    page.wait_for_function("() => answers")
    assert shop.kept(page) == {}
    assert shop.front.sent == []


def test_withdrawn_while_a_request_is_out_what_was_in_it_is_not_sent_again(shop: Shop) -> None:
    held = Held(shop)
    page = shop.open()
    page.evaluate("() => desireline.track('never.sent.again')")
    page.evaluate(NOW_SEND)
    held.wait(page)
    page.evaluate("() => desireline.consent('analytics', false)")
    held.answer(503)
    shop.wait_for("consent.withdrawn")
    assert shop.named() == ["consent.withdrawn"]


def test_a_page_made_ready_before_anybody_sees_it_tells_nothing_until_somebody_does(shop: Shop) -> None:
    shop.visit.context.add_init_script(
        "window.unseen = true; Object.defineProperty(Document.prototype, 'prerendering', {get: () => window.unseen});"
    )
    page = shop.open()
    assert page.evaluate("() => desireline.track('too.early')") is False
    assert page.evaluate("() => desireline.identify('user-1')") is False
    page.evaluate(NOW_SEND)
    assert shop.kept(page) == {} and shop.front.sent == []
    page.evaluate("() => { unseen = false; document.dispatchEvent(new Event('prerenderingchange')) }")
    shop.wait_for("page", "identify")
    page.wait_for_function(SETTLED)
    assert shop.project.seen().touchpoints == {"page.viewed": 1, "person.identified": 1}


def test_words_in_the_query_that_a_page_replaces_are_no_new_page(shop: Shop) -> None:
    page = shop.open("/?utm_campaign=spring&q=c")
    for query in ("?q=ca", "?q=car", "?", "?q=card#part"):
        page.evaluate(f"() => history.replaceState({{}}, '', '/{query}')")
    page.evaluate("() => history.replaceState({}, '', '/results?q=card')")
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    page.evaluate("() => history.pushState({}, '', '/results?q=card&part=2')")
    page.evaluate("() => desireline.track('Desk Asked', {number: 1})")
    shop.wait_for("Desk Asked")
    page.wait_for_function(SETTLED)
    views = [message["context"]["page"]["path"] for message in shop.messages() if message["type"] == "page"]
    assert views == ["/", "/results", "/results"]


def test_a_form_that_was_held_back_is_sent_once_and_a_mark_without_a_word_is_none(shop: Shop) -> None:
    script = "document.body.insertAdjacentHTML('beforeend', '<p data-desireline><b id=empty>x</b></p>')"
    page = shop.open()
    page.evaluate(f"() => {script}")
    page.click("#empty")
    page.fill("[name=full_name]", "Anna")
    page.click("form button")
    page.evaluate("() => { const form = document.forms[0]; form.action = '/bare'; form.submit() }")
    page.wait_for_url("**/bare*")
    shop.wait_for("form.submitted")
    seen = shop.project.seen()
    assert seen.touchpoints.get("form.submitted") == 1, "once, though the page held it back first"
    assert "form.abandoned" not in seen.touchpoints and seen.quarantined == []


def test_a_form_that_only_a_script_sends_is_sent_too(shop: Shop) -> None:
    page = shop.open()
    page.fill("[name=full_name]", "Anna")
    page.evaluate("() => { const form = document.forms[0]; form.action = '/bare'; form.submit() }")
    page.wait_for_url("**/bare*")
    shop.wait_for("form.submitted")
    assert "form.abandoned" not in shop.project.seen().touchpoints


def test_what_was_kept_offline_goes_out_once_after_reloads_and_in_two_tabs(shop: Shop) -> None:
    page = shop.open()
    shop.wait_for("page")
    page.wait_for_function(SETTLED)
    line = Held(shop, drops=True)
    for number in range(3):
        page.evaluate(f"() => desireline.track('Desk Asked', {{number: {number}}})")
        page.reload()
        page.wait_for_function("() => window.desireline && desireline.flush")
    line.end()
    other = shop.open()
    shop.front.wait_until(lambda: set(numbers(shop)) == {0, 1, 2}, "all three")
    other.wait_for_function(SETTLED)
    seen = shop.project.seen()
    assert seen.numbers == [0, 1, 2]
    assert max(seen.keys.values()) == 1
    assert json.loads(seen.of("desk.asked")[0]["properties"])["page"]["path"] == "/"
