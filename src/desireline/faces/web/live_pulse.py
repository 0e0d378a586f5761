"""What happens now, gathered from the live work of this server for the live page, the strip and the events."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb

from desireline.faces.web.live_counts import UNTOLD, VERDICTS, Counts
from desireline.faces.web.live_listeners import Listening
from desireline.faces.web.live_promises_board import MOST_BROKEN, MOST_WAITING, PromisesBoard
from desireline.faces.web.now import question_text
from desireline.project import Live
from desireline.project.finding import Finding
from desireline.vocabulary.errors import DesirelineError

MOST_MESSAGES = 2_000
"""So many of the latest messages can be looked at on the live page; all of them lie in the log."""
LOOK_SECONDS = 0.5
MOST_LOOKS = 10_000
BEHIND_MS = 30_000
"""Live work that is further behind than this is told in words."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message that came in. `number` counts what this server told; sequence and position name it in the log."""

    number: int
    sequence: int
    position: int
    source: str
    received_at: int
    touchpoint: str
    channel: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are looked at; an empty word leaves them all."""

    verdict: str = ""
    source: str = ""
    channel: str = ""

    def fits(self, message: Message) -> bool:
        """Whether a message is among them."""
        return (
            (not self.verdict or message.verdict == self.verdict)
            and (not self.source or message.source == self.source)
            and (not self.channel or message.channel == self.channel)
        )


class Pulse:
    """What happened in the last minutes. A thread of its own gathers it from `start` to `stop`; pages only look."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.epoch = secrets.token_hex(4)
        self.counts = Counts()
        self.board = PromisesBoard()
        self.listening = Listening(live.project)
        self._lock = threading.Lock()
        self._messages: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self._seen = 0
        self._told: dict[str, int] = dict.fromkeys(VERDICTS, 0)
        self._logged: deque[tuple[int, int]] = deque(maxlen=MOST_LOOKS)
        self._read_ledger = True
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> int:
        """The number of the latest event gathered."""
        return self._seen

    @property
    def now(self) -> int:
        """The project's clock, UTC milliseconds."""
        return self.live.project.now()

    @property
    def stopping(self) -> bool:
        """Whether the server ends; watchers let go then."""
        return self._stopping.is_set()

    @property
    def warnings(self) -> list[Finding]:
        """What somebody should look at although live work goes on, each with what to do."""
        return [*self.live.warnings, *self.live.project.letters.warnings()]

    def start(self) -> None:
        """Begin to gather."""
        self.counts.began_at = self.now
        self.live.project.judged.append(self._judged)
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Gather no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(5)
        if self._judged in self.live.project.judged:
            self.live.project.judged.remove(self._judged)

    def messages(self, wanted: Wanted, *, most: int, before: int = 0) -> list[Message]:
        """The latest messages, the newest first. before: only those with a smaller number, if it is given."""
        found: list[Message] = []
        with self._lock:
            for message in reversed(self._messages):
                if wanted.fits(message) and (not before or message.number < before):
                    found.append(message)
                    if len(found) == most:
                        break
        return found

    def kept(self, wanted: Wanted) -> tuple[int, int | None]:
        """How many messages are kept in mind, and when the oldest of them came (UTC milliseconds)."""
        with self._lock:
            fitting = [message.received_at for message in self._messages if wanted.fits(message)]
        return len(fitting), min(fitting, default=None)

    def new_since(self, number: int, wanted: Wanted) -> tuple[int, bool]:
        """How many messages came after an event, and whether there were more than are kept in mind."""
        new = 0
        with self._lock:
            for message in reversed(self._messages):
                if message.number <= number:
                    return new, False
                new += wanted.fits(message)
            return new, len(self._messages) == MOST_MESSAGES

    def message(self, sequence: int, position: int) -> Message | None:
        """One message, while it is kept in mind."""
        with self._lock:
            return next(
                (each for each in reversed(self._messages) if (each.sequence, each.position) == (sequence, position)),
                None,
            )

    def channels(self) -> list[str]:
        """The channels of the messages kept in mind."""
        with self._lock:
            return sorted({message.channel for message in self._messages if message.channel})

    def read(self, look: Callable[[Pulse], Any]) -> Any:
        """Look at counts and promises while nobody changes them."""
        with self._lock:
            return look(self)

    @property
    def behind_ms(self) -> int:
        """How far live work is behind what lies in the log."""
        with suppress(IndexError):
            return max(0, self.now - self._logged[0][0])
        return 0

    def catch_up(self) -> None:
        """Gather what happened since the last time."""
        hub, now = self.live.hub, self.now
        if self._read_ledger or self.board.needs_reading:
            self._begin_board(now)
        told = dict(hub.counts)
        events, missing = hub.since(self._seen)
        with self._lock:
            for event in events:
                self._seen = event.number
                if event.kind == "verdict":
                    self._take(event.number, event.values)
                elif event.kind == "promise":
                    self.board.change(event.values)
            if missing:
                self._count_untold(told, now)
                self._read_ledger = True
            self.counts.forget_before(now)
            self.board.forget_before(now)
        if not self.live.project.is_held:
            return
        record = self.live.project.record
        self._logged.append((now, record.log.last))
        reached = record.reached
        while self._logged and self._logged[0][1] <= reached:
            self._logged.popleft()

    def _take(self, number: int, values: Mapping[str, Any]) -> None:
        message = Message(
            number=number,
            sequence=int(values["sequence"]),
            position=int(values["position"]),
            source=str(values["source"]),
            received_at=int(values["received_at"]),
            touchpoint=str(values["touchpoint"] or ""),
            channel=str(values["channel"] or ""),
            verdict=str(values["verdict"]),
            reason=str(values["reason"]),
        )
        self._messages.append(message)
        self._told[message.verdict] = self._told.get(message.verdict, 0) + 1
        self.counts.add(at=message.received_at, source=message.source, verdict=message.verdict)

    def _count_untold(self, told: Mapping[str, int], now: int) -> None:
        """What came faster than each could be told is counted, so that sums stay true."""
        for verdict in VERDICTS:
            untold = told.get(f"verdict.{verdict}", 0) - self._told[verdict]
            if untold > 0:
                self._told[verdict] += untold
                self.counts.add(at=now, source=UNTOLD, verdict=verdict, number=untold)

    def _begin_board(self, now: int) -> None:
        self._read_ledger = False
        values = {"now": now, "most_waiting": MOST_WAITING, "most_broken": MOST_BROKEN}
        with self.live.project.lake.connection() as connection:
            answer = connection.execute(question_text("live_promises"), values)
            names = [column[0] for column in answer.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        with self._lock:
            self.board.begin(rows)

    def _judged(self, _change: Any, people: set[int] | None) -> None:
        if people is None:
            self._read_ledger = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.catch_up()
            except (DesirelineError, duckdb.Error, OSError) as error:
                self._read_ledger = True
                logging.getLogger("desireline.web").error("watching live work failed: %s", type(error).__name__)
                self._stopping.wait(5)
            self._stopping.wait(LOOK_SECONDS)
