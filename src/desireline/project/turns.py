"""Whose turn it is to write: one thread at a time, in the order in which they asked."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class _Asked:
    """A thread that waits for its turn."""

    thread: int
    called: threading.Event = field(default_factory=threading.Event)


class Turns:
    """A lock that goes to whoever waits longest, so that long work in many short turns keeps nobody waiting.

    A turn within a turn of the same thread is the same turn.

    >>> turns = Turns()
    >>> with turns, turns:
    ...     pass
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.waiting: deque[_Asked] = deque()
        self._thread: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        asked = _Asked(threading.get_ident())
        with self._lock:
            if self._thread == asked.thread:
                self._depth += 1
                return
            if self._thread is None:
                self._thread, self._depth = asked.thread, 1
                return
            self.waiting.append(asked)
        try:
            asked.called.wait()
        except BaseException:
            self._give_up(asked)
            raise

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._call_next()

    def _call_next(self) -> None:
        self._thread = None
        if self.waiting:
            asked = self.waiting.popleft()
            self._thread, self._depth = asked.thread, 1
            asked.called.set()

    def _give_up(self, asked: _Asked) -> None:
        """Whoever is interrupted while waiting leaves the line, or passes the turn on that just became his."""
        with self._lock:
            if asked in self.waiting:
                self.waiting.remove(asked)
            else:
                self._call_next()
