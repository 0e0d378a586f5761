"""Telling by webhook: a signed CloudEvent, posted to the listener's address."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from desireline.outreach.channels.request import Forbidden, NotSent, PerhapsSent, Resolve, Response, post, resolve
from desireline.outreach.cloud_event import CONTENT_TYPE, cloud_event
from desireline.outreach.listeners import Listener
from desireline.outreach.message import NO_SURROUNDINGS, Answer, Came, Message, Surroundings, digest_of, handles_for
from desireline.outreach.retries import TIMEOUT_SECONDS, asked_wait
from desireline.outreach.signing import read_secrets, signed_headers
from desireline.vocabulary.errors import DesirelineError

GONE = 410
BUSY = (429, 503)


@dataclass(frozen=True)
class Webhook:
    """The way out for webhooks. environment: where secrets are looked up. resolve: names to addresses."""

    environment: Mapping[str, str] = field(repr=False)
    around: Surroundings = NO_SURROUNDINGS
    seconds: float = TIMEOUT_SECONDS
    resolve: Resolve = resolve
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
        """Post one notice; the body is signed as it is sent, and its id is the same at every try."""
        try:
            secrets = read_secrets(self.environment, listener.secret_env)
        except DesirelineError as error:
            return Answer("again", str(error))
        handles = await handles_for(message, listener, self.around) if listener.with_handles else None
        body = cloud_event(message.notices[0], self.around, handles=handles)
        headers = signed_headers(message_id=message.id, at=now, body=body, secrets=secrets)
        try:
            response = await post(
                listener.address,
                headers={"content-type": CONTENT_TYPE, "user-agent": "Desireline", **headers},
                body=body,
                seconds=self.seconds,
                allow_private=listener.allow_private,
                resolve=self.resolve,
                tls=self.tls,
            )
        except Forbidden as error:
            return Answer("never", str(error))
        except NotSent as error:
            return Answer("again", str(error))
        except PerhapsSent as error:
            return Answer("unsure", str(error))
        return answer_of(response, now=now)


def answer_of(response: Response, *, now: int) -> Answer:
    """What an HTTP answer means: 2xx told, 410 gone, 429 and 503 wait, everything else (also a redirect) try again."""
    status = response.status
    wait = asked_wait(response.headers.get("retry-after", ""), now=now)
    came: Came = "again"
    says = f"answered {status}"
    if 200 <= status < 300:
        came = "told"
    elif status == GONE:
        came, says = "gone", "answered 410: wants to hear nothing any more"
    elif status in BUSY and (wait is not None or status == 429):
        came = "busy"
    elif 300 <= status < 400:
        says = f"answered {status}: redirects are not followed"
    return Answer(came, says, status, wait, digest_of(response.body), len(response.body))
