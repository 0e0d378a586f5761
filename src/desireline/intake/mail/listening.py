"""Letters handed in by a mail server on this machine, taken for as long as they are wanted."""

from __future__ import annotations

import errno
import logging
import threading

from desireline.intake.mail.condition import Around, Condition, Keep, keep_safely, pause_seconds
from desireline.intake.mail.mail_faults import Fault
from desireline.intake.mail.receiver import MailReceiver, Take
from desireline.intake.mail.ways import LOOPBACK, Receiving
from desireline.vocabulary.errors import DesirelineError

TELL_EVERY_SECONDS = 5.0
"""So often at most it is written down how many letters came."""


class Listening:
    """Takes letters over SMTP or LMTP (`run`, in a thread of its own); one that is not stored is answered `451`."""

    def __init__(self, condition: Condition, receiving: Receiving, take: Take, *, around: Around, keep: Keep) -> None:
        self.way = receiving
        self.condition = condition
        self._take, self._keep, self._around = take, keep, around
        self._told = condition
        self._turn = threading.Lock()
        self._bell = threading.Event()
        self._ending = threading.Event()

    def run(self) -> None:
        """Listen until stopped."""
        while not self._ending.is_set():
            receiver = MailReceiver(
                self._took,
                host=LOOPBACK,
                port=self.way.port,
                accepts=self.way.accepts,
                lmtp=self.way.protocol == "lmtp",
            )
            try:
                receiver.start()
            except Exception as error:
                self._rest_after(self._fault_of(error))
                continue
            self._listen(receiver)

    def look_now(self) -> None:
        """Try to listen now, also while a fault is waited out. From any thread."""
        self._bell.set()

    def stop(self) -> None:
        """Take no more. From any thread."""
        self._ending.set()
        self._bell.set()

    def cut(self) -> None:
        """There is nobody to hang up on: senders are told at once."""

    def hangs(self) -> bool:
        """Whether somebody keeps us waiting; senders never do."""
        return False

    def _listen(self, receiver: MailReceiver) -> None:
        with self._turn:
            self.condition = self.condition.looked(self._around.now())
        try:
            while not self._ending.is_set():
                self._tell()
                self._bell.wait(TELL_EVERY_SECONDS)
                self._bell.clear()
        finally:
            receiver.stop()
            self._tell()

    def _took(self, raw: bytes) -> None:
        try:
            self._take(raw)
        except Exception as error:
            with self._turn:
                self.condition = self.condition.failed(self._fault_of(error), self._around.now())
            raise
        now = self._around.now()
        with self._turn:
            well = self.condition.looked(now) if self.condition.tries else self.condition
            self.condition = well.took(1, now)

    def _tell(self) -> None:
        with self._turn:
            condition = self.condition
        if condition != self._told:
            self._told = condition
            keep_safely(self._keep, condition)

    def _rest_after(self, fault: Fault) -> None:
        was_failing = self.condition.is_failing
        self.condition = self.condition.failed(fault, self._around.now())
        self._tell()
        if self.condition.is_failing and not was_failing:
            says = "letters cannot be taken, which is tried again: see /ready"
            logging.getLogger("desireline.mail").warning(says, extra={"source": self.condition.source})
        self._bell.wait(pause_seconds(self.condition.tries, passes=True, chance=self._around.chance()))
        self._bell.clear()

    def _fault_of(self, error: Exception) -> Fault:
        port = self.way.port
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return Fault(
                f"another program listens at port {port}", "end that program, or name another port", passes=False
            )
        if isinstance(error, PermissionError):
            return Fault(f"we may not listen at port {port}", "name one above 1023, such as 2525", passes=False)
        if isinstance(error, DesirelineError):
            return Fault("; ".join(each.what.rstrip(".") for each in error.mistakes), error.mistakes[0].do.rstrip("."))
        return Fault(f"letters cannot be taken at port {port} ({type(error).__name__})", "look at the server's output")
