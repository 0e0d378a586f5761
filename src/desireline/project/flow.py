"""The order of work: every step says which tables it reads and writes, and that alone orders them."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.vocabulary.step import Step


def in_order(steps: Sequence[Step]) -> list[Step]:
    """The steps so that each table is written before it is read; ties keep the given order.

    Raises `ValueError` when two steps write one table, or when steps wait for one another in a circle.
    """
    writer: dict[str, Step] = {}
    for step in steps:
        for table in step.writes:
            if table in writer:
                raise ValueError(f"'{table}' is written by {writer[table].name} and by {step.name}")
            writer[table] = step
    done: list[Step] = []
    waiting = list(steps)
    while waiting:
        ready = [
            step for step in waiting if not any(_other(writer.get(table), step) in waiting for table in step.reads)
        ]
        if not ready:
            raise ValueError(f"these steps wait for one another: {', '.join(step.name for step in waiting)}")
        done.append(ready[0])
        waiting.remove(ready[0])
    return done


def flow_text(steps: Sequence[Step]) -> str:
    """The flow as a Markdown table, in order of work."""
    lines = ["| step | reads | writes |", "|---|---|---|"]
    lines += [f"| {s.name} | {', '.join(s.reads) or '-'} | {', '.join(s.writes)} |" for s in in_order(steps)]
    return "\n".join(lines)


def _other(writer: Step | None, step: Step) -> Step | None:
    return writer if writer is not step else None
