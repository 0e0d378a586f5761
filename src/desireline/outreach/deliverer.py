"""Delivers what waits in the outbox, from its own thread: one lane a listener, so a slow one delays nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from desireline.outreach.lane import Condition, Lane
from desireline.outreach.message import Channel
from desireline.outreach.run import Outbox

_LOG = logging.getLogger("desireline.outreach")
_LONGEST_SLEEP_SECONDS = 30.0
"""Lanes look again after this time even if nobody woke them, also when the machine's clock was set."""
_AFTER_ERROR_SECONDS = 5.0


class Deliverer:
    """Tells listeners what waits for them.

    channels: a way out for each kind of listener. now: the clock, UTC milliseconds. chance: numbers from 0 to 1.

    >>> deliverer = Deliverer(outbox, channels, now=clock, chance=random.random)   # doctest: +SKIP
    >>> deliverer.start()                                                          # doctest: +SKIP
    >>> outbox.tell_ledger(lake, now=clock()); deliverer.wake()                    # doctest: +SKIP
    >>> deliverer.stop()                                                           # doctest: +SKIP
    """

    def __init__(
        self, outbox: Outbox, channels: Mapping[str, Channel], *, now: Callable[[], int], chance: Callable[[], float]
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._now = now
        self._chance = chance
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed: set[str] = set()
        self._forget_at = 0
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._book_keeper = ThreadPoolExecutor(1, thread_name_prefix="outbox")

    def start(self) -> None:
        """Begin to deliver; what a crash interrupted is taken up first."""
        assert self._thread is None, "a deliverer is started once"
        self._outbox.take_up_interrupted(now=self._now())
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), name="deliverer", daemon=True)
        self._thread.start()
        ready.wait()

    def wake(self) -> None:
        """Something new waits, or listeners changed. Costs nothing; may be called from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._changed.set)

    def stop(self, *, seconds: float = 10.0) -> None:
        """Stop: what is being sent may end within so many seconds, the rest waits in the outbox for the next start."""
        if self._thread is None or self._loop is None:
            return
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(seconds)
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join(seconds)
        self._book_keeper.shutdown(wait=True)

    def conditions(self) -> list[Condition]:
        """How each lane is, by name."""
        return [lane.condition() for _, lane in sorted(self._lanes.items())]

    async def deliver_due(self) -> int | None:
        """Send all that is due now, lane beside lane; the next moment something is due, `None` when nothing waits.

        For whoever brings their own clock and loop, as tests do.
        """
        await self._meet_listeners()
        moments = await asyncio.gather(*(self._drain(lane) for lane in self._lanes.values()))
        return min((each for each in moments if each is not None), default=None)

    async def _drain(self, lane: Lane) -> int | None:
        moment = await lane.turn()
        while moment is not None and moment <= self._now():
            moment = await lane.turn()
        return moment

    async def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        ready.set()
        ending = asyncio.create_task(self._ending.wait())
        while not self._ending.is_set():
            self._changed.clear()
            try:
                await self._meet_listeners()
                await self._forget_old()
            except Exception as error:
                _LOG.error("the outbox could not be looked after: %s", type(error).__name__)
            self._open_lanes()
            changed = asyncio.create_task(self._changed.wait())
            await asyncio.wait({changed, ending}, timeout=_LONGEST_SLEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _meet_listeners(self) -> None:
        """Open a lane for each enabled listener, close the lanes of others; a changed one gets a new lane."""
        listeners = {each.name: each for each in await self._in_turn(self._outbox.listeners)}
        for name, lane in list(self._lanes.items()):
            if name not in listeners or lane.listener != listeners[name]:
                del self._lanes[name]
        for name, listener in listeners.items():
            if listener.enabled and name not in self._lanes and listener.kind in self._channels:
                self._lanes[name] = Lane(
                    listener,
                    self._channels[listener.kind],
                    self._outbox,
                    now=self._now,
                    chance=self._chance,
                    in_turn=self._in_turn,
                )

    async def _forget_old(self) -> None:
        """Now and then: what was told long ago need not be kept."""
        now = self._now()
        if now >= self._forget_at:
            await self._in_turn(lambda: self._outbox.forget_old(now=now))
            self._forget_at = now + self._outbox.limits.forget_every

    def _open_lanes(self) -> None:
        for name in self._lanes:
            self._bells.setdefault(name, asyncio.Event()).set()
            if name not in self._tasks or self._tasks[name].done():
                self._tasks[name] = asyncio.create_task(self._go_on(name))

    async def _go_on(self, name: str) -> None:
        """One lane, for as long as its listener is there."""
        bell = self._bells[name]
        while not self._ending.is_set() and name in self._lanes:
            bell.clear()
            lane = self._lanes[name]
            await self._rest(bell, await self._turn_safely(lane))

    async def _turn_safely(self, lane: Lane) -> int | None:
        """A turn; when the state store fails, the lane waits a little and takes up what was left half done."""
        name = lane.listener.name
        try:
            if name in self._failed:
                now = self._now()
                await self._in_turn(lambda: self._outbox.take_up_interrupted(now=now, listener=name))
                self._failed.discard(name)
            return await lane.turn()
        except Exception as error:
            self._failed.add(name)
            _LOG.error("the lane of a listener failed: %s", type(error).__name__, extra={"listener": name})
            return self._now() + round(_AFTER_ERROR_SECONDS * 1_000)

    async def _rest(self, bell: asyncio.Event, moment: int | None) -> None:
        """Wait until a moment, until somebody rings, or until the end."""
        seconds = _LONGEST_SLEEP_SECONDS if moment is None else (moment - self._now()) / 1_000
        if seconds <= 0:
            return
        waits = {asyncio.create_task(bell.wait()), asyncio.create_task(self._ending.wait())}
        await asyncio.wait(waits, timeout=min(seconds, _LONGEST_SLEEP_SECONDS), return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()

    def _cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def _in_turn(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._book_keeper, work)
