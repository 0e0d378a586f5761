"""The bank's customers go on living: the feed is seeded, follows its stories, and sends what a server would."""

from __future__ import annotations

import json

from desireline.world import Customer, Feed

NOW = 1_767_225_600_000
ANNA = Customer("K1", email="anna@mail.example", phone="+4915112345678", cookie="ck-1", device="d-1")


def test_the_same_seed_gives_the_same_messages() -> None:
    def some(seed: int) -> str:
        feed = Feed([ANNA], seed=seed)
        return json.dumps([feed.messages(NOW + second * 1_000, 5) for second in range(200)])

    assert some(1) == some(1) != some(2)


def test_questions_are_mostly_answered_within_two_minutes_and_some_never() -> None:
    feed = Feed([ANNA], seed=7)
    sent = [(NOW + second * 1_000, each) for second in range(3_000) for each in feed.messages(NOW + second * 1_000, 4)]
    said = [each["properties"].get("desireline", {}) for _, each in sent]
    asked = {each["case"] for each in said if each.get("touchpoint") == "question.asked"}
    answered = {each["case"] for each in said if each.get("answers")}
    assert len(asked) > 500 and 0.8 < len(answered & asked) / len(asked) < 0.99
    assert len({each["messageId"] for _, each in sent}) == len(sent)
    broken = [
        each for _, each in sent if each["event"] is None or each["properties"]["desireline"]["direction"] == "sideways"
    ]
    assert 0 < len(broken) < 0.01 * len(sent)
