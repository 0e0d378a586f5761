"""What just happened, for whoever watches: the last few hundred events, numbered, and how many there were."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. kind: `verdict`, `promise` or `state`; values are plain."""

    number: int
    kind: str
    at: int
    values: Mapping[str, Any]


class Hub:
    """Events of one server. Publishing never waits for a watcher; a slow watcher misses old ones and is told so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=MOST_KEPT)
        self._number = 0
        self.counts: Counter[str] = Counter()

    def publish(self, kind: str, events: Iterable[Mapping[str, Any]], *, at: int) -> None:
        """Tell what happened."""
        with self._lock:
            for values in events:
                self._number += 1
                self._events.append(Event(self._number, kind, at, values))
                self.counts[f"{kind}.{values.get('verdict', '')}"] += 1

    @property
    def last(self) -> int:
        """The number of the latest event."""
        return self._number

    def since(self, number: int, *, most: int = MOST_KEPT) -> tuple[list[Event], int]:
        """The events after that number, at most the latest `most`, and how many of those after it are missing."""
        with self._lock:
            found = [event for event in self._events if event.number > number]
            kept = found[-most:] if most else []
            return kept, self._number - number - len(kept) if number < self._number else 0
