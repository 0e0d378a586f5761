"""How often a sender may come: a budget of requests that fills steadily."""

from __future__ import annotations

import math
from collections import OrderedDict

SECONDS_SAVED_UP = 2.0
"""A sender that was silent may send at once what it would have sent in this time."""


class Budget:
    """Requests a second, saved up for a moment while nothing comes.

    >>> budget = Budget(per_second=1, at=0.0)
    >>> [budget.wait_seconds(now) for now in (0.0, 0.0, 0.0, 1.0)]
    [0, 0, 1, 0]
    """

    __slots__ = ("at", "left", "per_second")

    def __init__(self, *, per_second: float, at: float) -> None:
        self.per_second = per_second
        self.left = max(1.0, per_second * SECONDS_SAVED_UP)
        self.at = at

    def wait_seconds(self, now: float) -> int:
        """0 when one more request may pass, which then is spent; else whole seconds until one may."""
        full = max(1.0, self.per_second * SECONDS_SAVED_UP)
        self.left = min(full, self.left + max(0.0, now - self.at) * self.per_second)
        self.at = now
        if self.left >= 1.0:
            self.left -= 1.0
            return 0
        return max(1, math.ceil((1.0 - self.left) / self.per_second))


class Budgets:
    """The budgets of all senders by name; the longest unused are forgotten beyond a limit."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._of: OrderedDict[tuple[str, str], Budget] = OrderedDict()

    def wait_seconds(self, name: tuple[str, str], *, per_second: float, now: float) -> int:
        """Spend a request of this name's budget, or say how long to wait. A changed rate starts anew."""
        budget = self._of.get(name)
        if budget is None or budget.per_second != per_second:
            budget = self._of[name] = Budget(per_second=per_second, at=now)
            if len(self._of) > self.most:
                self._of.popitem(last=False)
        self._of.move_to_end(name)
        return budget.wait_seconds(now)
