"""Fetches the mailboxes of a project until it is killed at one point. Run by the test of F1 for letters.

Arguments: project folder, where it is killed (`fetched`, `stored` or `marked`), at which letter.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from desireline.intake.mail import Reached
from desireline.project import Project
from desireline.project.letters import BookMark, Letters


def main() -> None:
    """Bring letters in; whoever called us waits for our end."""
    point, left = sys.argv[2], [int(sys.argv[3])]

    def passed(here: str) -> None:
        if here == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    take, reach = Letters.take, BookMark.reach

    def deadly_take(self: Letters, source: str, way: Any) -> Callable[[bytes], None]:
        store = take(self, source, way)

        def taken(raw: bytes) -> None:
            passed("fetched")
            store(raw)
            passed("stored")

        return taken

    def deadly_reach(self: BookMark, reached: Reached, *, letters: int) -> None:
        reach(self, reached, letters=letters)
        passed("marked")

    project = Project(Path(sys.argv[1]))
    deadly = patch.object(Letters, "take", deadly_take), patch.object(BookMark, "reach", deadly_reach)
    with deadly[0], deadly[1], project.holding("the test"):
        project.letters.coming_in().start()
        threading.Event().wait(300)


if __name__ == "__main__":
    main()
