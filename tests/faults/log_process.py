"""A process that holds a log and takes entries through a pipe, so that it can be killed at any moment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from desireline.storage.log import Kind, Log, LogFull, LogLimits, Outcome

MOMENT = 1_760_000_000_000
LIMITS = LogLimits(segment_bytes=20_000, retry_seconds=0.2, ballast_bytes=0)


def serve(folder: str, pipe: Connection) -> None:
    """Write every id that comes as an entry; answer with (id, sequence) once it is on disk."""
    log = Log(Path(folder), now=lambda: MOMENT, limits=LIMITS)

    def tell(outcomes: Sequence[Outcome]) -> None:
        pipe.send([(each.token, each.sequence) for each in outcomes if each.error is None])

    while True:
        identity: bytes = pipe.recv()
        body = identity + b" " * (len(identity) * 37 % 900)
        log.submit(Kind.REQUEST, received_at=MOMENT, source="web", meta=b"{}", body=body, token=identity, tell=tell)


def answer_lines() -> None:
    """Append each line of the standard input; print its sequence, or why it was refused."""
    log = Log(Path(sys.argv[1]), now=lambda: MOMENT, limits=LIMITS)
    for line in sys.stdin:
        try:
            print("stored", log.append(Kind.REQUEST, received_at=MOMENT, body=line.encode()), flush=True)
        except LogFull as refused:
            print("refused", refused.reason, refused.retry_after_seconds, flush=True)
    print("read", *(frame.sequence for frame in log.read()), flush=True)
    print("state", log.state.segments, log.state.failed_commits, log.state.read_only, flush=True)
    log.close()


if __name__ == "__main__":
    answer_lines()
