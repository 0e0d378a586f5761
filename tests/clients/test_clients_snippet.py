"""Our own snippet in real Chromium, on a page of another origin with a strict policy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from clients.flaky_front import FAILING
from clients.snippet_shop import NOW_SEND, Shop, numbers
from desireline.faces.collector import snippet

pytestmark = pytest.mark.browser
HOW_TO = (Path(__file__).parents[2] / "docs" / "how-to" / "snippet.md").read_text(encoding="utf-8")
STUB = next(line for line in HOW_TO.splitlines() if line.startswith("<script>window.desireline"))
EARLY = 'desireline.track("early.called", {number: 1})'
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true});"
DNT = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'});"


def test_the_snippet_is_small_and_its_loader_smaller() -> None:
    for name in ("snippet.js", "snippet.mjs"):
        packed = snippet.script(name, packed=True).body
        assert gzip.decompress(packed) == snippet.text_of(name).encode()
        assert round(len(packed) / 1024, 1) <= 4.2, len(packed)
    assert len(STUB.encode()) < 200


def test_a_page_view_says_where_and_nothing_of_the_query(shop: Shop) -> None:
    shop.open("/?utm_campaign=spring&utm_source=mail&token=secret#part")
    shop.wait_for("page")
    seen = shop.project.seen()
    (row,) = seen.of("page.viewed")
    assert (row["about_content"], row["about_campaign"], row["channel"]) == ("/", "spring", "web")
    assert row["time_quality"] == "exact" or row["occurred_at"] <= row["received_at"]
    assert [handle.partition(":")[0] for handle in row["handles"]] == ["cookie"]
    assert "secret" not in str(shop.messages())


def test_nothing_is_kept_or_sent_before_consent(shop: Shop) -> None:
    page = shop.open("/asks")
    assert page.evaluate("() => desireline.track('too.early')") is False
    page.click("[data-desireline='offer.chosen']")
    page.fill("[name=full_name]", "Anna")
    page.evaluate("() => desireline.identify('user-1', {email: 'anna@harbour.example'})")
    page.evaluate(NOW_SEND)
    assert shop.kept(page) == {} and shop.front.sent == []
    assert page.evaluate("() => desireline.consent('analytics')") is True
    shop.wait_for("consent.given", "page", "identify")
    seen = shop.project.seen()
    assert seen.quarantined == []
    assert seen.touchpoints == {"consent.given": 1, "page.viewed": 1, "person.identified": 1}
    (given,) = seen.of("consent.given")
    assert given["consent"] == "analytics"
    assert "customer:user-1" in seen.of("person.identified")[0]["handles"]
    assert given["handles"][0] in seen.of("person.identified")[0]["handles"]


def test_each_purpose_is_told_once_and_withdrawn_alone(shop: Shop) -> None:
    page = shop.open("/asks")
    assert page.evaluate("() => desireline.consent('marketing')") is False
    assert shop.kept(page) == {}
    page.evaluate("() => desireline.consent({analytics: true})")
    page.evaluate("() => desireline.consent({analytics: true, marketing: true})")
    page.evaluate("() => desireline.consent('marketing', false)")
    page.evaluate("() => desireline.track('order.completed')")
    shop.wait_for("consent.withdrawn", "order.completed")
    seen = shop.project.seen()
    assert sorted(row["consent"] for row in seen.of("consent.given")) == ["analytics", "marketing"]
    assert [row["consent"] for row in seen.of("consent.withdrawn")] == ["marketing"]


@pytest.mark.parametrize("path", ["/", "/asks"])
def test_withdrawing_stops_and_clears_and_is_told(shop: Shop, path: str) -> None:
    page = shop.open(path)
    page.evaluate("() => { desireline.consent('analytics'); desireline.identify('user-1') }")
    shop.wait_for("identify")
    page.evaluate("() => { desireline.track('never.sent'); desireline.consent('analytics', false) }")
    page.evaluate("() => desireline.track('never.sent')")
    shop.wait_for("consent.withdrawn")
    page.wait_for_function("() => Object.keys(localStorage).every((name) => name.endsWith(':state'))")
    assert all("id" not in json.loads(value) for value in shop.kept(page).values())
    page.reload()
    page.wait_for_function("() => window.desireline && desireline.flush")
    page.evaluate("() => desireline.track('never.sent')")
    assert "never.sent" not in str(shop.kept(page)) and "never.sent" not in shop.named()
    (row,) = shop.project.seen().of("consent.withdrawn")
    assert row["consent"] == "analytics" and "customer:user-1" in row["handles"]


def test_forget_leaves_nothing_in_the_browser(shop: Shop) -> None:
    page = shop.open("/asks")
    page.evaluate("() => desireline.consent()")
    shop.wait_for("page")
    page.evaluate("() => { desireline.track('never.sent'); desireline.forget() }")
    assert shop.kept(page) == {}
    page.evaluate(NOW_SEND)
    assert "never.sent" not in shop.named()


@pytest.mark.parametrize("signal", [GPC, DNT], ids=["gpc", "dnt"])
def test_a_signal_of_the_browser_is_a_refusal_whatever_the_page_says(shop: Shop, signal: str) -> None:
    shop.visit.context.add_init_script(signal)
    page = shop.open("/")
    assert page.evaluate("() => desireline.consent()") is False
    assert page.evaluate("() => desireline.track('order.completed')") is False
    page.click("[data-desireline='offer.chosen']")
    page.evaluate(NOW_SEND)
    assert shop.kept(page) == {}
    page.goto(shop.site.address + "/bare")
    assert shop.front.sent == []


def test_clicks_on_marked_elements_are_told_with_their_words(shop: Shop) -> None:
    page = shop.open()
    page.click("[data-desireline='offer.chosen'] b")
    shop.wait_for("offer.chosen")
    (row,) = shop.project.seen().of("offer.chosen")
    assert row["about_product"] == "gold"


def test_a_form_left_unfinished_says_which_field_and_never_what(shop: Shop) -> None:
    page = shop.open()
    page.fill("[name=full_name]", "Anna Secretname")
    page.fill("[name=mail]", "anna@harbour.example")
    page.fill("[name=pin]", "hunter2-secret")
    page.fill("[name=card]", "4111111111111111")
    page.goto(shop.site.address + "/bare")
    shop.wait_for("form.abandoned")
    text = str([each.request.body for each in shop.front.exchanges])
    for value in ("Secretname", "anna@harbour", "hunter2", "4111", "pin", "card\\"):
        assert value not in text
    seen = shop.project.seen()
    (left,) = seen.of("form.abandoned")
    told = json.loads(left["properties"])
    assert (told["form"], told["field"], told["fields"]) == ("contact", "mail", ["full_name", "mail"])
    assert len(seen.of("form.begun")) == 1
    assert [json.loads(row["properties"])["field"] for row in seen.of("form.step_typed")] == ["full_name", "mail"]


def test_a_form_that_was_sent_is_not_abandoned(shop: Shop) -> None:
    page = shop.open()
    page.fill("[name=full_name]", "Anna")
    page.click("form button")
    page.goto(shop.site.address + "/bare")
    shop.wait_for("form.submitted")
    assert "form.abandoned" not in shop.named()
    (row,) = shop.project.seen().of("form.submitted")
    assert row["topic"] == "lost card"


def test_moving_within_a_page_is_a_page_view_each(shop: Shop) -> None:
    page = shop.open()
    for step in (
        "history.pushState({}, '', '/accounts'); document.title = 'Accounts'",
        "history.replaceState({kept: 1}, '')",
        "history.pushState({}, '', '/accounts/1?tab=cards')",
        "location.hash = '#/deep?x=1'; addEventListener('hashchange', () => setTimeout(done)); return",
    ):
        page.evaluate(f"() => new Promise((done) => {{ {step}; setTimeout(done) }})")
    page.go_back()
    front = shop.front
    front.wait_until(lambda: shop.named().count("page") >= 5, "five page views")
    views = [message["context"]["page"] for message in shop.messages() if message["type"] == "page"]
    assert [view["path"] for view in views] == ["/", "/accounts", "/accounts/1", "/accounts/1#/deep", "/accounts/1"]
    assert views[1]["title"] == "Accounts" and views[1]["referrer"] == shop.site.address + "/"


def test_everything_is_there_once_after_429_500_and_a_cut(shop: Shop) -> None:
    shop.front.script.extend(FAILING)
    page = shop.open()
    page.evaluate("() => { for (let number = 0; number < 30; number++) desireline.track('Desk Asked', {number}) }")
    shop.front.wait_until(lambda: "passed" in shop.front.did, "a batch that passes")
    page.wait_for_function("() => Object.keys(localStorage).length === 1")
    assert shop.front.did[:3] == list(FAILING)
    seen = shop.project.seen()
    seen.check_each_once()
    assert seen.numbers == list(range(30))
    assert seen.touchpoints == {"desk.asked": 30, "page.viewed": 1}


def test_what_the_collector_will_never_take_is_dropped_and_counted(shop: Shop) -> None:
    shop.front.script.extend(["413", "400"])
    shop.put_up("/quiet", attributes='data-consent="given" data-pages="off"')
    page = shop.open("/quiet")
    page.evaluate("() => { desireline.track('Desk Asked', {number: 1}); desireline.track('Desk Asked', {number: 2}) }")
    shop.wait_for("interactions.dropped")
    seen = shop.project.seen()
    assert shop.front.did[:2] == ["413", "400"]
    assert seen.numbers == [2]
    assert json.loads(seen.of("interactions.dropped")[0]["properties"])["count"] == 1


def test_what_happens_offline_is_sent_when_the_net_is_back_even_by_the_next_page(shop: Shop) -> None:
    page = shop.open()
    shop.wait_for("page")
    shop.visit.context.set_offline(True)
    page.evaluate("() => { for (let number = 0; number < 20; number++) desireline.track('Desk Asked', {number}) }")
    page.evaluate(NOW_SEND)
    assert shop.named() == ["page"] and len(shop.kept(page)) == 21
    page.close()
    shop.visit.context.set_offline(False)
    shop.open()
    shop.front.wait_until(lambda: len(set(numbers(shop))) == 20, "all of them")
    assert shop.project.seen().numbers == list(range(20))


def test_the_waiting_line_has_an_end_and_says_how_many_it_dropped(shop: Shop) -> None:
    page = shop.open()
    shop.wait_for("page")
    shop.visit.context.set_offline(True)
    page.evaluate("() => { for (let number = 0; number < 520; number++) desireline.track('Desk Asked', {number}) }")
    assert len([name for name in shop.kept(page) if ":m:" in name]) == 500
    page.evaluate("() => desireline.track('Desk Asked', {number: 520, much: 'x'.repeat(40000)})")
    page.evaluate("() => { for (let at = 0; at < 9; at++) desireline.track('Much Said', {much: 'x'.repeat(31000)}) }")
    kept = [value for name, value in shop.kept(page).items() if ":m:" in name]
    assert sum(map(len, kept)) <= 256 * 1024
    shop.visit.context.set_offline(False)
    shop.wait_for("interactions.dropped")
    page.wait_for_function("() => Object.keys(localStorage).length === 1")
    seen = shop.project.seen()
    (dropped,) = seen.of("interactions.dropped")
    there = len(seen.of("desk.asked")) + len(seen.of("much_said"))
    assert json.loads(dropped["properties"])["count"] == 530 - there
    assert seen.quarantined == []


def test_an_event_too_large_for_any_beacon_holds_nothing_up(shop: Shop) -> None:
    page = shop.open()
    page.evaluate("() => desireline.track('Desk Asked', {number: 1, much: '語'.repeat(12000)})")
    page.evaluate("() => desireline.track('Desk Asked', {number: 2})")
    shop.wait_for("interactions.dropped", "Desk Asked")
    assert shop.project.seen().numbers == [2]


def test_several_tabs_do_not_send_twice(shop: Shop) -> None:
    shop.front.script.append("429")
    tabs = [shop.open() for _ in range(3)]
    for at, tab in enumerate(tabs):
        tab.evaluate(
            f"() => {{ for (let n = 0; n < 10; n++) desireline.track('Desk Asked', {{number: {at} * 10 + n}}) }}"
        )
    shop.front.wait_until(lambda: len(set(numbers(shop))) == 30, "what all tabs sent")
    tabs[0].wait_for_function("() => Object.keys(localStorage).length === 1")
    assert sorted(numbers(shop)) == list(range(30)), "nothing went out twice"
    seen = shop.project.seen()
    assert seen.numbers == list(range(30))
    assert len({row["handles"][0] for row in seen.rows}) == 1, "one visitor, one id"


def test_consent_in_one_tab_counts_in_the_other(shop: Shop) -> None:
    first, second = shop.open("/asks"), shop.open("/asks")
    first.evaluate("() => desireline.consent()")
    second.wait_for_function("() => desireline.track('desk.asked', {number: 1})")
    first.evaluate("() => desireline.consent('analytics', false)")
    second.wait_for_function("() => !desireline.track('too.late')")
    shop.wait_for("consent.withdrawn")


def test_the_last_words_of_a_page_go_out_when_it_is_left(shop: Shop) -> None:
    page = shop.open()
    shop.wait_for("page")
    page.evaluate("() => desireline.track('Desk Asked', {number: 1})")
    page.close(run_before_unload=True)
    shop.front.wait_until(lambda: numbers(shop) == [1], "the beacon")
    shop.open()
    shop.front.wait_until(lambda: shop.named().count("page") == 2, "the next page")
    seen = shop.project.seen()
    assert seen.numbers == [1]


def test_a_beacon_that_is_lost_is_sent_by_the_next_page(shop: Shop) -> None:
    page = shop.open()
    shop.wait_for("page")
    shop.front.script.append("500")
    page.evaluate("() => desireline.track('Desk Asked', {number: 1})")
    page.goto(shop.site.address + "/bare")
    shop.front.wait_until(lambda: "500" in shop.front.did, "the beacon that fails")
    shop.open()
    shop.front.wait_until(lambda: set(numbers(shop)) == {1}, "the event")
    assert shop.project.seen().numbers == [1]


def test_calls_made_before_the_script_is_there_are_kept(shop: Shop) -> None:
    early = STUB.replace("<script>", '<script nonce="n1">').replace("</script>", f";{EARLY}</script>")
    shop.put_up("/early", attributes='data-consent="given"', before=early)
    shop.open("/early")
    shop.wait_for("early.called")
    assert "early.called" in shop.project.seen().touchpoints


def test_a_page_imports_the_module_by_its_address(shop: Shop) -> None:
    where = f'{{host: "{shop.front.address}", key: "{shop.project.key}", consent: "given", pages: false}}'
    text = f'import {{start}} from "{shop.front.address}/snippet.mjs"; window.desireline = start({where});'
    shop.put_up("/module", tag=f'<script type="module" nonce="n1">{text}</script>')
    page = shop.open("/module")
    page.evaluate("() => desireline.track('Desk Asked', {number: 1})")
    shop.wait_for("Desk Asked")
    assert shop.named() == ["Desk Asked"]


def test_another_person_on_the_same_browser_is_a_stranger(shop: Shop) -> None:
    page = shop.open()
    page.evaluate(
        "() => { desireline.identify('user-1'); desireline.identify(null); desireline.track('desk.asked', {}) }"
    )
    shop.wait_for("desk.asked")
    seen = shop.project.seen()
    (first,), (second,) = seen.of("person.identified"), seen.of("desk.asked")
    assert set(first["handles"]).isdisjoint(second["handles"])
