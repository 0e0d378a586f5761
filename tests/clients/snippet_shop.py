"""A shop's site with our snippet in it, one visitor, the front before the collector, and the project behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clients.flaky_front import FlakyFront
from clients.site import Site, Visit
from clients.whole_project import WholeProject

if TYPE_CHECKING:
    from playwright.sync_api import Page

FORM = """
<form data-desireline="contact" data-desireline-topic="lost card">
  <input name="full_name"><input name="mail" type="email"><input name="pin" type="password">
  <input name="card" autocomplete="cc-number"><button>Send</button>
</form><button data-desireline="offer.chosen" data-desireline-product="gold">Choose <b>gold</b></button>
<script nonce="n1">document.querySelector("form").onsubmit = (event) => event.preventDefault();</script>
"""
NOW_SEND = "() => desireline.flush()"


@dataclass
class Shop:
    """A site with the snippet, one visitor, the front before the collector, and the project behind it."""

    project: WholeProject
    front: FlakyFront
    site: Site
    visit: Visit

    def open(self, path: str = "/") -> Page:
        page = self.visit.open(self.site.address + path)
        if path != "/bare":
            page.wait_for_function("() => window.desireline && desireline.flush")
        return page

    def put_up(self, path: str = "/", *, attributes: str = "", before: str = "", tag: str = "") -> None:
        """A page with the tag; `attributes` are its data attributes."""
        script = f'<script async src="{self.front.address}/snippet.js" data-key="{self.project.key}" {attributes}>'
        self.site.page(path, before + (tag or script + "</script>"), FORM)

    def messages(self) -> list[dict[str, Any]]:
        """Every message that reached the collector, also twice, in order."""
        bodies = [json.loads(each.request.body) for each in self.front.sent if each.did in ("passed", "cut")]
        return [message for body in bodies for message in body["batch"]]

    def named(self) -> list[str]:
        return [message.get("event", message["type"]) for message in self.messages()]

    def wait_for(self, *names: str) -> None:
        self.front.wait_until(lambda: set(names) <= set(self.named()), f"{names}")

    def kept(self, page: Page) -> dict[str, str]:
        """What the site's storage holds in this browser."""
        return dict(page.evaluate("() => ({...localStorage})"))


def numbers(shop: Shop) -> list[int]:
    """The numbers of what was tracked and reached the collector, also twice, in order."""
    return [each["properties"]["number"] for each in shop.messages() if "number" in each.get("properties", {})]
