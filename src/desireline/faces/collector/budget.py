"""How much a sender may send: a budget that fills steadily and may be overdrawn once."""

from __future__ import annotations

import math
from collections import OrderedDict

SECONDS_SAVED_UP = 10.0
"""A sender that was silent may send at once what it would have sent in this time."""


class Budget:
    """Interactions a second, saved up while nothing comes.

    A request passes while anything is left and may overdraw the budget, since what it holds is known
    only once it was read; the next one then waits until the debt is paid.

    >>> budget = Budget(per_second=2, at=0.0)
    >>> budget.wait_seconds(0.0), budget.spend(24), budget.wait_seconds(0.0), budget.wait_seconds(3.0)
    (0, None, 3, 0)
    """

    __slots__ = ("at", "left", "per_second")

    def __init__(self, *, per_second: float, at: float) -> None:
        self.per_second = per_second
        self.left = max(1.0, per_second * SECONDS_SAVED_UP)
        self.at = at

    def wait_seconds(self, now: float) -> int:
        """Whole seconds until a request passes again; 0 when it passes now."""
        full = max(1.0, self.per_second * SECONDS_SAVED_UP)
        self.left = min(full, self.left + max(0.0, now - self.at) * self.per_second)
        self.at = now
        return 0 if self.left > 0 else max(1, math.ceil(-self.left / self.per_second + 1e-9))

    def spend(self, interactions: int) -> None:
        """Take these from what is left."""
        self.left -= interactions


class Budgets:
    """The budgets of all senders by name; the longest unused are forgotten beyond a limit."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._of: OrderedDict[tuple[str, str], Budget] = OrderedDict()

    def of(self, name: tuple[str, str], *, per_second: float, now: float) -> Budget:
        """The budget of this name; a changed rate starts a new one."""
        budget = self._of.get(name)
        if budget is None or budget.per_second != per_second:
            budget = self._of[name] = Budget(per_second=per_second, at=now)
            if len(self._of) > self.most:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(name)
        return budget
