"""Whoever listens is told when a promise breaks: Anna asked, nobody answered, the desk hears of it at that moment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from desireline.project import Project, rebuild
from outreach.listening import ENVIRONMENT, post_office, web_listener
from project.live_desk import HOUR_MS, START_MS, FakeClock, a_desk, at_work, message

MAIL = "\nmail: {host: 127.0.0.1, port: PORT, security: none, from: promises@desk.example}\n"


def test_a_webhook_and_a_mail_tell_of_a_promise_the_moment_it_breaks_and_only_once(tmp_path: Path) -> None:
    folder, clock = a_desk(tmp_path / "desk"), FakeClock(START_MS)
    with web_listener() as web, post_office() as office:
        settings = folder / "desireline.yaml"
        settings.write_text(
            settings.read_text(encoding="utf-8") + MAIL.replace("PORT", str(office.port)), encoding="utf-8"
        )
        with at_work(folder, clock) as desk:
            hook = {"kind": "webhook", "address": web.url, "secret_env": "HOOK_SECRET", "allow_private": True}
            desk.project.telling.change("listener.set", listener={"name": "hook", **hook})
            mail = {"kind": "email", "address": "lead@desk.example", "promises": ["answered"]}
            desk.project.telling.change("listener.set", listener={"name": "lead", **mail})
            deliverer = desk.project.telling.deliverer(environment=ENVIRONMENT)
            desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
            clock.move(1_000)
            desk.live.turn()
            asyncio.run(deliverer.deliver_due())
            assert web.heard == [] and office.mails == []
            clock.move(2 * HOUR_MS)
            desk.live.turn()
            asyncio.run(deliverer.deliver_due())
            told = [json.loads(each.body) for each in web.heard]
            assert [(each["type"], each["data"]["promise"], each["data"]["key"]) for each in told] == [
                ("desireline.promise.broken", "answered", "c1")
            ]
            assert "You are answered within two hours." in office.mails[0].get_content()
            desk.live.turn()
            asyncio.run(deliverer.deliver_due())
            assert (len(web.heard), len(office.mails)) == (1, 1)
        project = Project(folder, now=clock)
        rebuild(project, progress=lambda _share, _what: None)
        with project.writing("the test"):
            project.telling.tell(now=clock())
        asyncio.run(project.telling.deliverer(environment=ENVIRONMENT).deliver_due())
        assert (len(web.heard), len(office.mails)) == (1, 1), "a rebuild tells nobody twice"
        assert [row["name"] for row in project.telling.listeners().rows()] == ["hook", "lead"]
        project.state.close()
