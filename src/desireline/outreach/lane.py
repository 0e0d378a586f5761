"""One listener's lane: its messages go out one by one, at its own pace, whatever becomes of other listeners."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desireline.outreach.listeners import Listener
from desireline.outreach.message import Answer, Channel, Message
from desireline.outreach.notices import notice_from_json
from desireline.outreach.policies import POLICIES
from desireline.outreach.retries import Breaker, Budget, Pace, wait_before_next
from desireline.outreach.run import Outbox

InTurn = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a piece of work on the state store, one after the other and beside the event loop."""

TIME_SET_BACK_MS = 10_000
"""When time is further back than this behind the last look, it was set back."""
UNWELL = ("again", "unsure")
_LOG = logging.getLogger("desireline.outreach")


@dataclass(frozen=True, slots=True)
class Condition:
    """How a lane is, for screens and metrics: breaker says closed, open or trying."""

    listener: str
    breaker: str
    open_until: int
    failures: int
    retries_allowed: float


class Lane:
    """Tells one listener what waits for it. `turn` sends at most one message and says when to come back."""

    def __init__(
        self,
        listener: Listener,
        channel: Channel,
        outbox: Outbox,
        *,
        now: Callable[[], int],
        chance: Callable[[], float],
        in_turn: InTurn,
    ) -> None:
        self.listener = listener
        self.stopped = False
        self._channel = channel
        self._outbox = outbox
        self._now = now
        self._chance = chance
        self._in_turn = in_turn
        self._limits = outbox.limits
        self._begin(now())

    def _begin(self, now: int) -> None:
        """Nothing is known of this listener; also once time was set back, for what it waited for is far away then."""
        self._pace = Pace(every=max(1, round(1_000 / self.listener.per_second)))
        self._breaker = Breaker(self._limits)
        self._budget = Budget.full(self._limits, now)
        self._looked_at = now

    def condition(self) -> Condition:
        """How the lane is now."""
        breaker = self._breaker
        return Condition(
            self.listener.name, breaker.says(self._now()), breaker.open_until, breaker.failures, self._budget.saved
        )

    async def turn(self) -> int | None:
        """Send the next message if one is due and may go; the moment to come back, `None` when nothing waits."""
        if self.stopped:
            return None
        now = self._now()
        if now < self._looked_at - TIME_SET_BACK_MS:
            self._begin(now)
        self._looked_at = now
        free_at = max(self._pace.free_at, self._breaker.open_until)
        if free_at > now:
            return free_at
        self._budget = self._budget.at(now)
        trying = self._breaker.says(now) == "trying"
        first_only = not trying and not self._budget.allows_again()
        name, book = self.listener.name, self._outbox.book
        taken = await self._in_turn(lambda: book.take(name, now=now, first_tries_only=first_only))
        if not taken:
            return await self._next(first_only)
        first = taken[0]["attempts"] == 1
        self._budget = self._budget.tried(first=first)
        answer = await self._try(_message(taken), now)
        ended = self._now()
        self._learn(answer, started=now, ended=ended)
        await self._in_turn(lambda: self._settle(taken, answer, ended))
        return None if self.stopped else self._pace.free_at

    async def _try(self, message: Message, now: int) -> Answer:
        """One try; a mistake of our own must neither stop the lane nor lose the message."""
        try:
            return await self._channel.send(message, self.listener, now=now)
        except Exception as error:
            kind = type(error).__name__
            _LOG.error("a message could not be made or sent: %s", kind, extra={"listener": self.listener.name})
            return Answer("again", f"our own mistake while sending ({kind})")

    async def _next(self, first_only: bool) -> int | None:
        """When to come back: for the next first try, or for a try again once the budget allows one."""
        name, book = self.listener.name, self._outbox.book
        due: int | None = await self._in_turn(lambda: book.next_due(name, first_tries_only=first_only))
        if not first_only:
            return due
        again: int | None = await self._in_turn(lambda: book.next_due(name))
        moments = [due, None if again is None else max(again, self._budget.allowed_at())]
        return min((each for each in moments if each is not None), default=None)

    def _learn(self, answer: Answer, *, started: int, ended: int) -> None:
        self._pace = self._pace.sent(ended)
        self.stopped = answer.came == "gone"
        if answer.came == "busy":
            wait = wait_before_next(1, chance=self._chance(), limits=self._limits, asked=answer.wait)
            self._pace = self._pace.pause(ended + wait)
        elif answer.came in UNWELL:
            self._breaker = self._breaker.failed(started=started, now=ended, chance=self._chance())
        else:
            self._breaker = self._breaker.succeeded()

    def _settle(self, taken: Sequence[dict[str, Any]], answer: Answer, ended: int) -> None:
        attempt = {
            "ended_at": ended,
            "outcome": answer.came,
            "says": answer.says,
            "status_code": answer.status_code,
            "answer_digest": answer.answer_digest,
            "answer_bytes": answer.answer_bytes,
        }
        with self._outbox.book.state.writing():
            self._outbox.book.settle(taken, attempt, **self._outcome(taken[0], answer, ended))
            if answer.came == "gone":
                self._outbox.stop(self.listener.name, answer.says, now=ended)

    def _outcome(self, row: Mapping[str, Any], answer: Answer, ended: int) -> dict[str, Any]:
        """What the intents of a message become."""
        changed = {"reason": answer.says, "changed_at": ended}
        if answer.came == "told":
            return {**changed, "status": "told"}
        if answer.came in ("never", "gone"):
            return {**changed, "status": "dead"}
        if answer.came == "unsure" and not POLICIES[self.listener.purpose].send_again:
            return {**changed, "status": "dead", "reason": f"{answer.says}: perhaps they have it; not sent again"}
        attempts = int(row["attempts"])
        wait = wait_before_next(attempts, chance=self._chance(), limits=self._limits, asked=answer.wait)
        if attempts >= self._limits.most_attempts:
            return {**changed, "status": "dead", "reason": f"not told in {attempts} tries; the last: {answer.says}"}
        if ended + wait > int(row["first_tried_at"]) + self._limits.patience:
            days = self._limits.patience // 86_400_000
            return {
                **changed,
                "status": "dead",
                "reason": f"not told in {days} days of trying; the last: {answer.says}",
            }
        return {**changed, "status": "waiting", "due_at": ended + wait}


def _message(taken: Sequence[Mapping[str, Any]]) -> Message:
    notices = tuple(notice_from_json(row["body"]) for row in taken)
    bundle = str(taken[0]["bundle"])
    return Message(bundle or notices[0].id, notices, gathered=bool(bundle))
