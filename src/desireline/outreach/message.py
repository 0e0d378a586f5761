"""What goes out, and what comes of it: the words every way out shares."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from desireline.outreach.listeners import Listener
from desireline.outreach.notices import Notice

Came = Literal["told", "again", "unsure", "busy", "never", "gone"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one listener: a notice, or many gathered in one. `id` is the same at every try."""

    id: str
    notices: tuple[Notice, ...]
    gathered: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try.

    came: told (they have it), again (they have it not), unsure (perhaps they have it), busy (asked us to wait),
    never (it cannot be told, however often it is tried), gone (they want nothing any more).
    says: in words, without personal data. Of what was answered only the length and a digest are kept.
    """

    came: Came
    says: str
    status_code: int | None = None
    wait: int | None = None
    answer_digest: str = ""
    answer_bytes: int = 0


class Channel(Protocol):
    """A way out. It raises nothing: whatever happens is an answer."""

    async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
        """Try once to tell a listener; ends in bounded time."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a message says beside the notice itself, asked for when it is sent so that nothing of it is kept.

    source: the project as a URI reference. link: the page that shows a notice, '' when there is none.
    says: the promise in its own words. handles: how we know a person, for listeners who ask for it.
    """

    source: str = "/desireline"
    link: Callable[[Notice], str] = lambda notice: ""
    says: Callable[[Notice], str] = lambda notice: ""
    handles: Callable[[int], Sequence[str]] = lambda person: ()


NO_SURROUNDINGS = Surroundings()


async def handles_for(message: Message, listener: Listener, around: Surroundings) -> Sequence[str]:
    """How we know the person, for a listener who asked for it; looked up beside, so that others need not wait."""
    if not listener.with_handles or message.gathered:
        return ()
    return await asyncio.to_thread(around.handles, message.notices[0].person)


def digest_of(answer: bytes) -> str:
    """The digest that is kept of an answer."""
    return hashlib.sha256(answer).hexdigest()[:16] if answer else ""
