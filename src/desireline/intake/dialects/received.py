"""What comes in and what is made of it: a request, its messages, and why one of them is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from desireline.intake.recipes import Recipe

HEADERS_THAT_MATTER = (
    "content-type", "content-encoding", "x-retry-count", "sentat", "anonymousid", "posthog-sdk-info",
    "webhook-id", "webhook-timestamp", "webhook-signature", "svix-id", "svix-timestamp", "svix-signature",
    "x-chatwoot-delivery", "x-chatwoot-timestamp", "x-chatwoot-signature", "x-zendesk-webhook-invocation-id",
    "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp", "typeform-signature",
    "x-hub-signature-256",
)  # fmt: skip
"""Headers the dialects read, besides all that begin with `ce-`; the others need not be kept."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it lies in the log. Header names are in small letters.

    `likely_repeat`: the same source had sent exactly this within the second before.
    """

    sequence: int
    received_at: int
    source: str
    dialect: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    likely_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a whole request cannot be read. `status` is 400, 413 or 415; `code` never changes its meaning."""

    status: int
    code: str
    says: str


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a request, the batch's own context merged in.

    `refused` is a reason, "code: what a person can do"; such a message goes to quarantine.
    `odd` names what had to be mended or was left out while the event was kept. `same_by` are the words of the body by
    which two messages with one key are the same; empty for all of them.
    """

    position: int
    key: str | None
    body: Mapping[str, Any]
    refused: str = ""
    odd: tuple[str, ...] = ()
    same_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What a request holds: its messages, or the problem with all of it."""

    messages: tuple[Message, ...] = ()
    problem: Problem | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known besides the message: the source and the project's habits.

    `server_side` is true for a source whose key nobody outside the company has seen. `recipe` turns
    the records of a source of recipes into interactions; `own_addresses` are the company's e-mail
    addresses, and `@example.org` all of a domain.
    """

    source: str
    project_zone: str
    currency: str
    country_code: str
    server_side: bool
    recipe: Recipe | None = None
    own_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire protocol: how its requests are read and its messages become interactions."""

    name: str
    says: str
    read: Callable[[Received], Read]
    rows_of: Callable[[Message, Received, Setting], list[dict[str, Any]]]


class Refused(Exception):
    """A message that cannot become an interaction; `reason` is "code: what a person can do"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def first_word(reason: str) -> str:
    """The code of a reason.

    >>> first_word("id.missing: give userId or anonymousId")
    'id.missing'
    """
    return reason.partition(":")[0]
