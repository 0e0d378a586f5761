"""`python -m desireline.intake.mail`: lets letters in, also on a machine where there is no project."""

import signal
import sys
import threading

from desireline.intake.mail.letting_in import let_in

if __name__ == "__main__":
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    sys.exit(let_in(sys.argv[1:], over))
