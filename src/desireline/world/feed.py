"""The bank's customers go on living: messages second by second, promises kept and broken as they come.

A pure, seeded generator: it is told the time and how many messages are wanted, and gives them as a server
of the bank would send them. Some are sent twice and a few are broken, so that every verdict is seen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

SECOND_MS, MINUTE_MS = 1_000, 60_000
Message = dict[str, Any]
Story = Callable[["Feed", "Customer", int], None]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer by the handles the bank knows: customer record, e-mail, phone, cookie, device; empty where unknown."""

    crm: str
    email: str = ""
    phone: str = ""
    cookie: str = ""
    device: str = ""


@dataclass
class Feed:
    """The messages of some customers. What follows from a message is planned when it is made.

    >>> feed = Feed([Customer("K1", cookie="c1")], seed=1)
    >>> len(feed.messages(1_767_225_600_000, 3))
    3
    """

    customers: Sequence[Customer]
    seed: int
    begun: str = "demo"
    _planned: list[tuple[int, int, Message]] = field(default_factory=list)
    _made: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311 - a made-up world, no secrets

    def messages(self, now: int, count: int) -> list[Message]:
        """So many messages at this moment (UTC milliseconds): what was planned and is due first, then new stories."""
        found: list[Message] = []
        while len(found) < count:
            if self._planned and self._planned[0][0] <= now:
                found.append(heapq.heappop(self._planned)[2])
            else:
                customer = self.chance.choice(self.customers)
                story = self.chance.choices(_STORIES, _WEIGHTS)[0]
                story(self, customer, now)
        return [self._as_sent(each) for each in found]

    def say(self, customer: Customer, at: int, touchpoint: str, channel: str, **words: Any) -> None:
        """Plan a message: who, when, what, on which channel, and more words of an interaction."""
        self._made += 1
        handles = {kind: getattr(customer, kind) for kind in _SEEN_ON.get(channel, ("crm",))}
        message = {
            "type": "track",
            "messageId": f"{self.begun}-{self._made}",
            "event": touchpoint,
            "anonymousId": None,
            "userId": None,
            "timestamp": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
            "properties": {
                "desireline": {
                    "touchpoint": touchpoint,
                    "channel": channel,
                    "direction": "inbound",
                    "handles": {kind: value for kind, value in handles.items() if value} or {"crm": customer.crm},
                }
                | words
            },
        }
        heapq.heappush(self._planned, (at, self._made, message))

    def case(self, kind: str) -> str:
        """A new case number."""
        return f"{kind}-{self.begun}-{self._made}"

    def within(self, *, promised_ms: int, kept: float = 0.85, late: float = 0.09) -> int | None:
        """After how long somebody reacts: mostly in time, sometimes late, sometimes never."""
        drawn = self.chance.random()
        if drawn < kept:
            return int(promised_ms * (0.1 + 0.85 * self.chance.random()))
        return int(promised_ms * (1.1 + self.chance.random())) if drawn < kept + late else None

    def _as_sent(self, message: Message) -> Message:
        """A few messages are broken: they say nothing of what happened, or their field cannot be what it is."""
        drawn = self.chance.random()
        if drawn < 0.002:
            return message | {"event": None, "properties": {}}
        if drawn < 0.004:
            said = message["properties"]["desireline"] | {"direction": "sideways"}
            return message | {"properties": {"desireline": said}}
        return message


def _look_around(feed: Feed, customer: Customer, now: int) -> None:
    """Somebody reads a few pages, or looks at the balance in the app."""
    if feed.chance.random() < 0.55 and customer.cookie:
        for step in range(feed.chance.randint(1, 4)):
            what = feed.chance.choice(("page.viewed", "page.viewed", "page.searched", "help.read"))
            feed.say(customer, now + step * 9 * SECOND_MS, what, "web")
    else:
        feed.say(customer, now, "app.login", "app")
        if feed.chance.random() < 0.4:
            feed.say(customer, now + 4 * SECOND_MS, "app.balance", "app")


def _told(feed: Feed, customer: Customer, now: int) -> None:
    """The bank tells somebody something."""
    feed.say(customer, now, "notice.sent", "sms", direction="outbound", topic="balance")


def _question(feed: Feed, customer: Customer, now: int) -> None:
    """Somebody asks by chat or phone; two minutes are promised."""
    channel, case = feed.chance.choice(("chat", "phone", "phone")), feed.case("Q")
    feed.say(customer, now, "question.asked", channel, asks=True, topic="question", case=case)
    after = feed.within(promised_ms=2 * MINUTE_MS)
    if after is not None:
        what = "chat.answered" if channel == "chat" else "call.answered"
        feed.say(
            customer, now + after, what, channel,
            direction="outbound", answers=True, topic="question", case=case, hands="agent",
        )  # fmt: skip


def _lost_card(feed: Feed, customer: Customer, now: int) -> None:
    """A card is lost; it must be blocked within five minutes."""
    case, channel = feed.case("L"), feed.chance.choice(("app", "phone", "web"))
    feed.say(customer, now, "card.reported_lost", channel, topic="card", case=case)
    after = feed.within(promised_ms=5 * MINUTE_MS, kept=0.9, late=0.06)
    if after is not None:
        feed.say(customer, now + after, "card.blocked", "", direction="outbound", topic="card", case=case)


def _fraud(feed: Feed, customer: Customer, now: int) -> None:
    """Something looks like fraud; a person must call within fifteen minutes."""
    case = feed.case("F")
    feed.say(customer, now, "fraud.alert_sent", "sms", direction="outbound", topic="fraud", case=case)
    after = feed.within(promised_ms=15 * MINUTE_MS, kept=0.88)
    if after is not None:
        feed.say(customer, now + after, "fraud.called", "phone", direction="outbound", topic="fraud", case=case)


def _complaint(feed: Feed, customer: Customer, now: int) -> None:
    """Somebody complains; a reply is promised in two working days."""
    channel, case = feed.chance.choice(("web", "email", "phone")), feed.case("C")
    feed.say(customer, now, "complaint.opened", channel, topic="complaint", case=case)
    if feed.chance.random() < 0.1:
        feed.say(customer, now + 3 * MINUTE_MS, "newsletter.sent", "email", direction="outbound", topic="marketing")


def _mistaken_transfer(feed: Feed, customer: Customer, now: int) -> None:
    """Too much was transferred; who answers may undo it, within the hour."""
    case = feed.case("T")
    feed.say(customer, now, "transfer.mistake_reported", "phone", topic="transfer", case=case)
    after = feed.within(promised_ms=10 * MINUTE_MS, kept=0.95)
    if after is not None:
        power = "may_undo" if feed.chance.random() < 0.9 else "may_note"
        feed.say(
            customer, now + after, "transfer.decided", "", direction="outbound", topic="transfer", case=case,
            power=power,
        )  # fmt: skip


_SEEN_ON = {
    "web": ("cookie",),
    "app": ("crm", "device"),
    "email": ("email",),
    "sms": ("phone",),
    "phone": ("phone",),
    "chat": ("cookie", "email"),
}
_STORIES: tuple[Story, ...] = (
    _look_around, _told, _question, _lost_card, _fraud, _complaint, _mistaken_transfer,
)  # fmt: skip
_WEIGHTS = (60, 12, 14, 3, 3, 2, 1)
