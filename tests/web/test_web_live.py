"""What happens now, on its pages: counted, told, mended; without a browser."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from desireline.faces.web.live_events import MOST_WATCHERS
from desireline.faces.web.live_pulse import Wanted
from desireline.faces.web.live_strip import strip_of
from web.live_bank import LiveBank, make_live_bank, running

SURVEY = '{"id": "r-1", "submitted_at": "2026-11-22T10:00:00Z", "email": "anna@example.org", "nps": 9}'
LETTER = (
    "From: anna@example.org\r\nTo: help@bank.example\r\nMessage-ID: <a@b>\r\nSubject: My card\r\n\r\nIs it blocked?\r\n"
)
CANARY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBank]:
    with running(make_live_bank(tmp_path_factory.mktemp("live") / "bank")) as started:
        yield started


def asked(bank: LiveBank, path: str, *, form: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(bank.address.removeprefix("http://"), timeout=30)
    if form:
        headers |= {"origin": bank.address, "content-type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST" if form else "GET", path, form or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def told(bank: LiveBank, path: str, *, until: str, **headers: str) -> str:
    """What server-sent events tell until some words come."""
    connection = http.client.HTTPConnection(bank.address.removeprefix("http://"), timeout=30)
    connection.request("GET", path, headers=headers)
    answer, said = connection.getresponse(), ""
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
    while until not in said:
        said += answer.readline().decode()
    connection.close()
    return said


def page_with(bank: LiveBank, words: str) -> str:
    """The live page once it holds some words; nothing until then."""
    page = asked(bank, "/live")[1]
    return page if words in page else ""


def place(page: str) -> str:
    found = re.search(r'data-place="([0-9a-f.]+)"', page)
    assert found is not None
    return found[1]


def test_a_message_is_on_the_page_with_its_verdict_and_opens_its_person(bank: LiveBank) -> None:
    before = place(asked(bank, "/live")[1])
    message = bank.ask("anna")
    assert bank.send(message, message) == 200
    said = told(bank, f"/live/events?since={before}", until='"new": 2')
    assert f"id: {before.partition('.')[0]}." in said
    page = asked(bank, "/live")[1]
    assert "question.asked" in page and "repeated" in page
    address = re.findall(r'href="(/live/messages/\d+/\d+)"', page)[-1]
    page = asked(bank, address)[1]
    assert "anna@bank.example" in page and re.search(r'href="/people/\d+"', page)
    only = asked(bank, "/live?verdict=repeated")[1]
    assert only.count('<span class="pill') == 1


def test_a_broken_promise_appears_when_it_falls_due_without_anybody_asking(bank: LiveBank) -> None:
    bank.send(bank.ask("bert"))

    def lists_bert() -> bool:
        page = asked(bank, "/live")[1]
        broken = page[page.index("broken-head") : page.index("due-head")]
        return "answered-at-once" in broken and "nothing came at all" in broken

    bank.until(lists_bert)
    page = asked(bank, "/live")[1]
    due = page[page.index("due-head") : page.index("sources-head")]
    assert "answered-today" in due
    assert "broken in the last hour" in page[page.index('id="strip"') : page.index("<main")]


def test_a_refused_message_is_mended_on_the_page_and_comes_in(bank: LiveBank) -> None:
    bank.send(bank.ask("carl", direction="sideways"))
    page = bank.until(lambda: page_with(bank, "sideways"))
    number = re.findall(r'name="number" value="(\d+)"', page)[0]
    again = asked(bank, "/live/refused", form=f"number={number}&action=replay&text={_quoted(page, number)}")
    assert again[0] == 303 and again[2]["location"] == f"/live?outcome={number}#quarantine"
    assert "It still cannot be taken in" in asked(bank, f"/live?outcome={number}")[1]
    mended = _quoted(page, number).replace("sideways", "inbound")
    assert asked(bank, "/live/refused", form=f"number={number}&action=replay&text={mended}")[0] == 303
    page = asked(bank, f"/live?outcome={number}")[1]
    assert "Taken in." in page
    address = re.search(r'href="(/live/messages/\d+/\d+)">See it', page)
    assert address is not None
    assert "carl@bank.example" in asked(bank, address[1])[1]


def _quoted(page: str, number: str) -> str:
    text = re.search(rf'id="text-{number}"[^>]*>(.*?)</textarea>', page, re.S)
    assert text is not None
    return quote(unescape(text[1]), safe="")


def test_a_refused_message_can_be_discarded(bank: LiveBank) -> None:
    bank.send(bank.ask("dora", direction="upwards"))
    page = bank.until(lambda: page_with(bank, "upwards"))
    number = re.findall(r'name="number" value="(\d+)"', page)[0]
    asked(bank, "/live/refused", form=f"number={number}&action=discard")
    page = asked(bank, f"/live?outcome={number}")[1]
    assert "Discarded." in page and "upwards" not in page[page.index('id="quarantine"') :]


def test_all_refused_messages_are_tried_again_from_the_list_of_all_of_them(bank: LiveBank) -> None:
    bank.send(bank.ask("fritz", direction="askew"))
    bank.until(lambda: page_with(bank, "askew"))
    assert "askew" in asked(bank, "/import/refused?import=live")[1]
    status, _, headers = asked(bank, "/import/refused/change", form="import=live&action=replay-all")
    assert status == 303
    bank.until(lambda: text_of(asked(bank, headers["location"])[1]) != "running")
    page = asked(bank, headers["location"])[1]
    assert "done." in page and "tried again" in page


def test_refused_messages_are_tried_again_together_by_their_reason(bank: LiveBank) -> None:
    bank.send(*(bank.ask(f"gabi-{number}", direction="athwart") for number in range(3)), bank.ask("gabi", channel=""))
    bank.until(lambda: page_with(bank, "athwart"))
    page = asked(bank, "/import/refused?import=live")[1]
    reason = next(way for way in re.findall(r'href="(/import/refused[^"]*reason=[^"]*)"', page) if "athwart" in way)
    only = asked(bank, unescape(reason))[1]
    assert only.count('class="refused"') == 3 and "Try these 3 again" in only and 'href="/live/messages/' in only
    words = urlencode({"import": "live", "reason": "no such reason", "action": "replay-all"})
    assert asked(bank, "/import/refused/change", form=words)[0] == 422
    words = urlencode({"import": "live", "reason": parse_qs(urlsplit(unescape(reason)).query)["reason"][0]})
    status, _, headers = asked(bank, "/import/refused/change", form=f"{words}&action=replay-all")
    assert status == 303
    bank.until(lambda: text_of(asked(bank, headers["location"])[1]) == "done")


def test_marks_that_turn_the_direction_of_writing_are_written_out(bank: LiveBank) -> None:
    bank.send(bank.ask("hugo", direction="\u202ednuobni"))
    page = bank.until(lambda: page_with(bank, "dnuobni"))
    assert "\\u202ednuobni" in page and "\u202e" not in page[page.index('id="quarantine"') :].partition("</article>")[0]
    number = re.findall(r'name="number" value="(\d+)"', page)[0]
    text = _quoted(page, number)
    asked(bank, "/live/refused", form=f"number={number}&action=replay&text={text}")
    assert bank.project.state is not None and "It still cannot be taken in" in asked(bank, f"/live?outcome={number}")[1]
    asked(bank, "/live/refused", form=f"number={number}&action=discard")


def test_everybody_behind_the_figures_is_listed_and_taken_along(bank: LiveBank) -> None:
    bank.send(bank.ask("ilse"))
    bank.until(lambda: "ilse@bank.example" in asked(bank, "/live/promises?what=broken")[1], seconds=30)
    page = asked(bank, "/live/promises?what=due")[1]
    assert "answered-today" in page and "the next falls due in" in page
    assert asked(bank, "/live/promises?what=brokn")[0] == 422
    assert "ilse@bank.example" in asked(bank, "/live/promises.csv?what=broken")[1]
    assert json.loads(asked(bank, "/live/promises.json?what=due")[1])["rows"]
    assert "question.asked" in asked(bank, "/live.csv?verdict=accepted")[1]
    assert "quarantined" not in asked(bank, "/live.csv?verdict=accepted")[1]
    status, picture, headers = asked(bank, "/live.svg?theme=dark")
    assert status == 200 and headers["content-type"].startswith("image/svg") and "this server began" in picture


def test_older_messages_are_one_step_away(bank: LiveBank) -> None:
    bank.send(*(bank.ask(f"jo-{number}") for number in range(60)))
    bank.until(lambda: bank.serving.pages.state.pulse.kept(Wanted())[0] >= 60)
    page = asked(bank, "/live")[1]
    older = re.search(r'href="(/live\?before=\d+)#messages">older', page)
    assert older is not None and "The log holds every one." in page
    before = asked(bank, older[1])[1]
    assert "Older messages" in before and 'id="follow"' not in before and ">newest</a>" in before
    lists = [each.partition('id="quarantine"')[0] for each in (page, before)]
    listed = [set(re.findall(r'href="(/live/messages/[\d/]+)"', each)) for each in lists]
    assert listed[0] and listed[1] and not listed[0] & listed[1]


def test_a_listener_that_cannot_be_told_is_named_and_mended_on_the_page(bank: LiveBank) -> None:
    listener = {"name": "crm", "kind": "webhook", "address": "http://127.0.0.1:9/x", "allow_private": True}
    assert "desireline listener add NAME" in asked(bank, "/live")[1]
    bank.project.telling.change("listener.set", listener={**listener, "secret_env": "NOT_SET_ANYWHERE"})
    bank.project.telling.change("listener.test", name="crm")
    listening = bank.serving.pages.state.pulse.listening

    def failing() -> bool:
        listening.look_again()
        return any(each.state == "failing" for each in listening.shown)

    bank.until(failing)
    page = asked(bank, "/live")[1]
    assert "The one listener cannot be told" in page and "NOT_SET_ANYWHERE is not set" in page
    assert asked(bank, "/live/listeners", form="name=crm&action=disable")[0] == 303
    page = asked(bank, "/live")[1]
    assert "Switch it on: crm" in page
    assert "crm cannot be told what breaks" in page[page.index('id="strip"') : page.index("<main")] or bank.until(
        lambda: "crm cannot be told what breaks" in strip_of(bank.serving.pages.state.pulse).says
    )
    assert asked(bank, "/live/listeners", form="name=crm&action=explode")[0] == 422
    bank.project.telling.change("listener.remove", name="crm")
    listening.look_again()


def text_of(page: str) -> str:
    """How the work of a job's page stands."""
    found = re.search(r'data-state="([a-z]+)"', page)
    return found[1] if found else ""


def test_a_watcher_of_an_earlier_server_is_told_that_it_was_started_anew(bank: LiveBank) -> None:
    said = told(bank, "/live/events?since=0badcafe.12", until="data: {}")
    assert "event: anew" in said
    here = place(asked(bank, "/live")[1])
    assert "event: anew" not in told(bank, f"/live/events?since={here}", until='"says"')
    headers = {"last-event-id": "0badcafe.3"}
    assert "event: anew" in told(bank, f"/live/events?since={here}", until='"says"', **headers)


def test_a_watcher_too_many_is_told_once_and_asked_to_come_again(bank: LiveBank) -> None:
    watchers = bank.serving.pages.state.watchers
    watchers.count += MOST_WATCHERS
    here = place(asked(bank, "/live")[1])
    said = told(bank, f"/live/events?since={here}", until="event: full")
    assert '"says"' in said
    said = told(bank, "/connect/shop/events", until="event: full")
    assert "retry" in said
    watchers.count -= MOST_WATCHERS


@pytest.mark.parametrize(
    ("query", "says"),
    [("verdict=acepted", "accepted"), ("vedict=accepted", "verdict"), ("outcome=<b>", "number of a refused message")],
)
def test_an_unknown_word_in_the_address_is_refused_with_the_nearest(bank: LiveBank, query: str, says: str) -> None:
    status, page, _ = asked(bank, f"/live?{query}")
    assert status == 422 and says in page and "<b>" not in page


def test_a_message_that_never_was_is_answered_calmly(bank: LiveBank) -> None:
    assert asked(bank, "/live/messages/999999/0")[0] == 404
    assert asked(bank, "/live/messages/1/-1")[0] == 404
    assert asked(bank, "/live/messages/x/0")[0] == 404


def test_a_site_is_connected_its_lines_stand_there_and_the_first_event_turns_it_green(bank: LiveBank) -> None:
    status, _, headers = asked(bank, "/connect", form="kind=site&name=web-site&origins=https%3A%2F%2Fshop.example%2F")
    assert (status, headers["location"]) == (303, "/connect/web-site")
    source = bank.project.sources.named("web-site")
    assert source["origins"] == ["https://shop.example"]
    page = asked(bank, "/connect/web-site")[1]
    for words in ("snippet.js", "analytics.host", "dataPlaneUrl", "configUrl", "api_host", "curl -u", source["key"]):
        assert words in page
    assert "Waiting for the first event" in page
    since = place(page)
    said = told(bank, f"/connect/web-site/events?since={since}", until="retry")
    assert "Connected" not in said
    assert bank.send(bank.ask("emil"), key=source["key"], origin="https://shop.example") == 200
    said = told(bank, f"/connect/web-site/events?since={since}", until='"connected"')
    assert "question.asked came at" in said
    assert "Connected" in asked(bank, "/connect/web-site")[1]


@pytest.mark.parametrize("kind", ["zendesk", "chatwoot", "typeform", "survey", "webhook", "email", "cloudevents"])
def test_other_systems_are_connected_with_their_recipe_and_address(bank: LiveBank, kind: str) -> None:
    name = f"of-{kind}"
    assert asked(bank, "/connect", form=f"kind={kind}&name={name}")[0] == 303
    source = bank.project.sources.named(name)
    page = asked(bank, f"/connect/{name}")[1]
    assert {"email": "/mail/", "cloudevents": "/events"}.get(kind, "/hooks/") in page
    if kind in ("zendesk", "chatwoot", "typeform", "survey"):
        assert f"recipes/{kind}-webhook.yaml" in page and source["recipe"]
    if kind not in ("email", "cloudevents"):
        assert source["secret_env"] == f"DESIRELINE_SECRET_OF_{kind.upper()}" and source["secret_env"] in page


@pytest.mark.parametrize(
    ("form", "path", "body", "name"),
    [
        ("kind=survey&unsigned=yes", "/hooks/{key}", SURVEY, "tried-survey"),
        ("kind=webhook&unsigned=yes", "/hooks/{key}", '{"type": "order.completed", "id": "e-1"}', "tried-system"),
        ("kind=email", "/mail/{key}", LETTER, "tried-letters"),
        ("kind=server", "/v1/track?writeKey={key}", '{"userId": "c-1", "event": "Order Completed"}', "tried-program"),
    ],
)
def test_what_the_lines_send_is_accepted(bank: LiveBank, form: str, path: str, body: str, name: str) -> None:
    assert asked(bank, "/connect", form=f"{form}&name={name}")[0] == 303
    key = bank.project.sources.named(name)["key"]
    connection = http.client.HTTPConnection(bank.address.removeprefix("http://"), timeout=30)
    media = "message/rfc822" if body is LETTER else "application/json"
    connection.request("POST", path.format(key=key), body, {"content-type": media})
    assert connection.getresponse().status == 200
    connection.close()
    bank.until(lambda: "verdict connected" in asked(bank, f"/connect/{name}")[1])


def test_a_wrong_key_is_told_on_the_page_that_waits(bank: LiveBank) -> None:
    asked(bank, "/connect", form="kind=server&name=silent")
    since = place(asked(bank, "/connect/silent")[1])
    connection = http.client.HTTPConnection(bank.address.removeprefix("http://"), timeout=30)
    connection.request("GET", f"/connect/silent/events?since={since}")
    answer = connection.getresponse()
    answer.readline()
    assert bank.send(bank.ask("nobody"), key="wrong-key") == 401
    said = ""
    while "key.unknown" not in said:
        said += answer.readline().decode()
    connection.close()
    assert json.loads(said.rpartition("data: ")[2])["state"] == "refused"


def test_mistakes_in_the_form_stand_beside_what_was_written(bank: LiveBank) -> None:
    status, page, _ = asked(bank, "/connect", form="kind=site&name=Web+Shop&origins=shop.example")
    assert status == 422 and "is no name for a source" in page and 'value="Web Shop"' in page
    status, page, _ = asked(bank, "/connect", form="kind=spaceship&name=x")
    assert status == 422 and "Choose what to connect." in page


def test_a_source_is_changed_switched_off_and_given_a_new_key(bank: LiveBank) -> None:
    asked(bank, "/connect", form="kind=site&name=changing")
    key = bank.project.sources.named("changing")["key"]
    form = "action=settings&origins=https%3A%2F%2Fa.example%0D%0Ahttps%3A%2F%2Fb.example&per_second=5&says=two+sites"
    assert asked(bank, "/connect/changing", form=form)[0] == 303
    source = bank.project.sources.named("changing")
    assert (source["origins"], source["per_second"]) == (["https://a.example", "https://b.example"], 5)
    asked(bank, "/connect/changing", form="action=disable")
    assert bank.send(bank.ask("late"), key=key) == 404
    assert "Switched off" in asked(bank, "/connect/changing")[1]
    asked(bank, "/connect/changing", form="action=enable")
    asked(bank, "/connect/changing", form="action=new-key")
    assert bank.project.sources.named("changing")["key"] != key
    assert bank.send(bank.ask("late"), key=key) == 401
    assert asked(bank, "/connect/changing", form="action=explode")[0] == 422
    assert asked(bank, "/connect/changing", form="action=settings&per_second=many")[0] == 422
    assert asked(bank, "/connect/chnging")[0] == 404


def test_f33_a_form_of_another_site_changes_nothing(bank: LiveBank) -> None:
    connection = http.client.HTTPConnection(bank.address.removeprefix("http://"), timeout=30)
    for path in ("/connect", f"/connect/{'shop'}", "/live/refused"):
        headers = {"origin": "http://evil.example", "content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, "kind=site&name=evil&action=disable&number=1", headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 403
    connection.close()
    assert bank.project.sources.named("shop")["enabled"]


def test_f27_what_anybody_sends_is_only_ever_text_on_the_live_pages(bank: LiveBank) -> None:
    bank.send(bank.ask("eve", touchpoint=CANARY, channel=CANARY, direction=CANARY), {"type": CANARY, "event": CANARY})
    bank.send({**bank.ask("eva"), "event": f"{CANARY} happened", "properties": {CANARY: CANARY, "channel": "web"}})
    bank.project.sources.change("shop", says=CANARY)
    bank.until(lambda: "&lt;script&gt;" in asked(bank, "/live")[1])
    pages = [
        "/live",
        "/live?verdict=quarantined",
        f"/live?channel={CANARY}&source={CANARY}",
        "/connect",
        "/connect/shop",
    ]
    pages += re.findall(r'href="(/live/messages/\d+/-?\d+)"', asked(bank, "/live")[1])[:3]
    for path in pages:
        text = asked(bank, path.replace("<", "%3C").replace(">", "%3E"))[1]
        assert "<script>alert" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text) and not re.search(r"<[^>]+\s(style|on[a-z]+)=", text)


def test_pages_of_a_server_that_only_shows_say_how_to_begin(bank_client: Any) -> None:
    assert "desireline serve" in bank_client.get("/live").text
    assert bank_client.get("/live/events").status_code == 404
    assert "Not live" in bank_client.get("/").text
    assert "desireline serve" in bank_client.get("/connect").text


def test_a_project_without_sources_is_led_to_connect_one(tmp_path: Path) -> None:
    from desireline.project.project import new_project

    with running(new_project(tmp_path / "new")) as started:
        page = asked(started, "/live")[1]
        assert "Connect a site" in page and "desireline source add web-shop" in page


def test_a_stepped_clock_is_told_with_what_to_do_until_somebody_says_it_is_right(bank: LiveBank) -> None:
    clock = bank.project.clock
    assert clock is not None
    clock.not_before(clock() + 3_605_000)
    _, page, _ = asked(bank, "/live")
    assert "clock was set back by 1 h" in page and "desireline clock --right" in page
    assert asked(bank, "/live/clock", form="right=1")[2]["location"] == "/live"
    assert clock.step is None and "clock was set back" not in asked(bank, "/live")[1].split('id="strip"')[0]
