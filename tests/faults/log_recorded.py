"""A run of a log that does everything a log does, on the recording disk; as a process it prints what was recorded."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from desireline.storage.log import Kind, Log, LogLimits, Outcome
from faults.power_cut import Recorder

BATCHES, EACH = 40, 5
MOMENT = 1_760_000_000_000
LIMITS = LogLimits(segment_bytes=12_000, retry_seconds=0.05, ballast_bytes=20_000)


def work(recorder: Recorder, *, batches: int = BATCHES) -> None:
    """Batches of entries through the real writer and sealer, with a restart in the middle."""
    chance = random.Random(1)
    for part in range(2):
        log = Log(recorder.root / "log", now=lambda: MOMENT, limits=LIMITS, disk=recorder)
        for batch in range(batches // 2):
            submit_batch(log, recorder, f"{part}.{batch}", chance)
            if batch % 7 == 3:
                let_seal(log)
        log.close()


def submit_batch(log: Log, recorder: Recorder, name: str, chance: random.Random) -> None:
    """Five entries, told one by one what became of them."""
    told = threading.Semaphore(0)

    def tell(outcomes: Sequence[Outcome]) -> None:
        for each in outcomes:
            assert isinstance(each.token, bytes) and each.error is None
            recorder.acknowledged(each.sequence, each.token)
            told.release()

    for each in range(EACH):
        body = f"{name}.{each}.".encode() + chance.randbytes(chance.choice((0, 30, 700)))
        log.submit(Kind.REQUEST, received_at=0, source="web", meta=b"", body=body, token=body, tell=tell)
    for _ in range(EACH):
        assert told.acquire(timeout=60)


def let_seal(log: Log) -> None:
    """Wait until everything but the newest segment is packed."""
    waiting = threading.Event()
    while log.state.segments - log.state.sealed_segments > 1:
        waiting.wait(0.002)


if __name__ == "__main__":
    recorder = Recorder(Path(sys.argv[1]))
    work(recorder)
    print(json.dumps(recorder.calls))
