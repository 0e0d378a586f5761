"""Delivers mails in one process after the other, each killed while it sends, the last one not. Run by the test of F26.

Arguments: state file, port of the mail server, number of kills, seed, moment in UTC milliseconds.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from desireline.outreach import Answer, Deliverer, Limits, Listener, Mail, MailServer, Message, Outbox
from desireline.storage.state import State
from outreach.listening import DAY, HOUR, Clock, deliver

POINTS = ("before it left", "between sent and recorded", "between sent and recorded", "between sent and recorded")


class Deadly:
    """A way out that kills the process at one point of one of its messages; 0: never."""

    def __init__(self, mail: Mail, *, at_message: int, point: str) -> None:
        self.mail = mail
        self.left = at_message
        self.point = point

    async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
        self.left -= 1
        if self.left == 0 and self.point == "before it left":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await self.mail.send(message, listener, now=now)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def deliver_until_killed(path: Path, port: int, *, at_message: int, point: str, now: int) -> None:
    """One process's life: take up what the last one left, then deliver."""
    clock = Clock(now)
    outbox = Outbox(State(path), limits=Limits(singles_a_minute=1_000))
    outbox.take_up_interrupted(now=clock())
    mail = Mail(MailServer("127.0.0.1", "promises@harbour.example", port=port, security="none"), {})
    channel = Deadly(mail, at_message=at_message, point=point)
    end = now + (HOUR if at_message else DAY)
    deliver(Deliverer(outbox, {"email": channel}, now=clock, chance=lambda: 0.5), clock, until=end)


def main() -> None:
    """Kill, and kill again; then let one live."""
    path, port, kills, seed, now = Path(sys.argv[1]), *(int(each) for each in sys.argv[2:])
    chance = random.Random(seed)
    killed = 0
    for life in range(kills + 1):
        at_message = chance.randint(1, 3) if life < kills else 0
        point = chance.choice(POINTS)
        child = os.fork()
        if child == 0:
            deliver_until_killed(path, port, at_message=at_message, point=point, now=now + life * 2 * HOUR)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status) and status != 0:
            sys.exit(f"life {life} failed with {status}")
    sys.stdout.write(str(killed))


if __name__ == "__main__":
    main()
