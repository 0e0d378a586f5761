"""Waits for the disk: a request is answered with success only when it lies in the log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from desireline.storage.log import Kind, Log, Outcome


class NotStored(Exception):
    """The log could not store this."""


class Durable:
    """Hands requests to the log and wakes those who wait, all requests of one group commit at once."""

    def __init__(self, log: Log, *, told: Callable[[int], None] | None = None) -> None:
        self._log = log
        self._told = told
        self._tell = self._from_writer
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, *, received_at: int, source: str, meta: bytes, body: bytes) -> asyncio.Future[int]:
        """A future of the sequence under which this lies in the log; raises LogFull at once."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[int] = self._loop.create_future()
        self._log.submit(
            Kind.REQUEST,
            received_at=received_at,
            source=source,
            meta=meta,
            body=body,
            token=waiting,
            tell=self._tell,
        )
        return waiting

    def _from_writer(self, outcomes: Sequence[Outcome]) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, outcomes)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        last = 0
        for outcome in outcomes:
            waiting = outcome.token
            assert isinstance(waiting, asyncio.Future)
            last = max(last, outcome.sequence)
            if waiting.done():
                continue
            if outcome.error is None:
                waiting.set_result(outcome.sequence)
            else:
                waiting.set_exception(NotStored(str(outcome.error)))
        if last and self._told is not None:
            self._told(last)
