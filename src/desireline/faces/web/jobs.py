"""Work that takes longer than a person waits: one at a time, with progress that pages can watch."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from desireline.vocabulary.errors import DesirelineError

Told = Callable[[float, str], None]
MOST_JOBS = 50
"""So many finished jobs are remembered."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work as it stands. `share` is 0 to 1; `lines` say what came of it or what is wrong."""

    id: str
    what: str
    share: float = 0.0
    doing: str = "waiting for its turn"
    state: str = "running"
    lines: tuple[str, ...] = ()
    import_id: str = ""
    refused: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state != "running"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a piece of work says when it is done."""

    lines: Sequence[str]
    import_id: str = ""
    refused: int = 0


@dataclass
class Jobs:
    """The jobs of this server. They run one after another, since one process writes at a time."""

    _jobs: OrderedDict[str, Job] = field(default_factory=OrderedDict)
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, what: str, work: Callable[[Told], Outcome]) -> Job:
        """Begin a piece of work in the background."""
        job = Job(secrets.token_hex(8), what)
        self._keep(job)
        thread = threading.Thread(target=self._run, args=(job.id, work), name=f"job {job.id}", daemon=True)
        self._threads[job.id] = thread
        thread.start()
        return job

    def wait(self, job_id: str, *, seconds: float) -> None:
        """Wait for a job to be over, so long at most."""
        thread = self._threads.get(job_id)
        if thread is not None:
            thread.join(seconds)

    def get(self, job_id: str) -> Job | None:
        """A job as it stands."""
        with self._lock:
            return self._jobs.get(job_id)

    def _run(self, job_id: str, work: Callable[[Told], Outcome]) -> None:
        def told(share: float, doing: str) -> None:
            self._change(job_id, share=min(max(share, 0.0), 1.0), doing=doing)

        with self._turn:
            try:
                outcome = work(told)
            except DesirelineError as error:
                self._change(job_id, state="failed", lines=tuple(str(mistake) for mistake in error.mistakes))
            except Exception as error:
                logging.getLogger("desireline.web").error("a job failed: %s", type(error).__name__)
                says = (
                    f"Something went wrong on our side ({type(error).__name__}). Try it on the command line to see why."
                )
                self._change(job_id, state="failed", lines=(says,))
            else:
                self._change(
                    job_id,
                    state="done",
                    share=1.0,
                    doing="done",
                    lines=tuple(outcome.lines),
                    import_id=outcome.import_id,
                    refused=outcome.refused,
                )

    def _change(self, job_id: str, **values: object) -> None:
        with self._lock:
            if job_id in self._jobs:
                self._jobs[job_id] = replace(self._jobs[job_id], **values)  # type: ignore[arg-type]

    def _keep(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            over = [each.id for each in self._jobs.values() if each.over]
            for old in over[: max(0, len(self._jobs) - MOST_JOBS)]:
                del self._jobs[old]
                self._threads.pop(old, None)
