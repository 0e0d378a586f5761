"""How fast handles become persons: `python -m bench.people [--pairs 10M]`.

Four and a half handles a person on average, a heavy tail of cookies, and two poisons: a kiosk cookie
seen with 100,000 people and an address of the company seen with as many.
Prints the full build, and adding one hundredth of it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from bench.harness import finish, note, size_of, worker
from bench.section import Line, Section

from desireline.people.resolve import Handles, Links, build, grow, resolution, warm

POISONED = 100_000
REPEATS = 3


def made(pairs: int, *, seed: int = 7) -> tuple[Handles, Links]:
    """So many different pairs of handles, as the rows of a bank have them.

    Each person has a CRM id and an e-mail address, every other one a phone seen with both, and
    cookies (two on average, a few people hundreds), each seen with the CRM id and the address.
    """
    chance = np.random.default_rng(seed)
    people = pairs // 6
    person = np.arange(people)
    owner = (chance.pareto(1.2, 2 * people) * people / 20).astype(np.int64) % people
    crm, email, phone = person, people + person, 2 * people + person[::2]
    cookie = 3 * people + np.arange(2 * people)
    crowd = person[:POISONED]
    a = np.concatenate([crm, crm[::2], email[::2], crm[owner], email[owner], crowd, crowd])
    b = np.concatenate(
        [email, phone, phone, cookie, cookie, np.full(len(crowd), 5 * people), np.full(len(crowd), 5 * people + 1)]
    )
    order = chance.permutation(len(a))
    a, b = a[order], b[order]
    rank = np.repeat(np.array([0, 2, 3, 7, 7, 7, 2], np.int8), [people] * 5 + [1, 1])
    handle = chance.integers(1, 2**63 - 1, len(rank) + 1000)
    handle = np.unique(handle)[: len(rank)]
    handle = chance.permutation(handle)
    used = np.union1d(a, b)
    handles = Handles(handle[used], rank[used], np.zeros(len(used), np.bool_))
    return handles, Links(handle[a], handle[b], np.ones(len(a), np.int64)).gathered()


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds a piece of work took, and what it made."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def bench(pairs: int) -> None:
    """The full build, and adding one hundredth of it; both must end alike."""
    cold, _ = timed(warm)
    handles, links = made(pairs)
    full = statistics.median(timed(lambda: build(handles, links))[0] for _ in range(REPEATS))
    late = np.zeros(len(links.seen), np.bool_)
    late[np.random.default_rng(8).permutation(len(late))[: len(late) // 100]] = True
    before = Links(links.handle_a[~late], links.handle_b[~late], links.seen[~late])
    day = Links(links.handle_a[late], links.handle_b[late], links.seen[late])
    nobody = Handles(handles.handle[:0], handles.rank[:0], handles.known_value[:0])
    times = []
    for _ in range(REPEATS):
        directory = build(handles, before)
        seconds, grown = timed(lambda directory=directory: grow(directory, nobody, day))
        times.append(seconds)
    afresh, again = resolution(build(handles, links)), resolution(grown.directory)
    assert np.array_equal(afresh.person, again.person), "adding must end as building afresh"
    note("pairs", len(links.seen))
    note("handles", len(handles.handle))
    note("persons", afresh.persons)
    note("first use, compiling or reading the cache", cold)
    note("build", full)
    note("add 1 %", statistics.median(times))
    finish()


def section(pairs: int) -> Section:
    """The figures of people, measured in a process of their own."""
    report = worker("bench.people", "people", ["--pairs", str(pairs)])
    told = report.notes
    text = [f"{name}: {value:,.3f} s" for name, value in told.items() if name not in ("pairs", "handles", "persons")]
    counts = [f"{told[name]:,.0f} {name}" for name in ("pairs", "handles", "persons") if name in told]
    text = [", ".join(counts), *text, *([f"stopped: {report.why}"] if report.why else [])]
    build_seconds, added = told.get("build"), told.get("add 1 %")
    lines = [
        Line("pairs of handles to persons", build_seconds, "s", 2 * pairs / 1e7),
        Line("add 1 % of the pairs", 100 * added / build_seconds if build_seconds and added else None, "%", 5),
    ]
    return Section("People", "\n".join(text), not report.why, lines, dict(told))


def main() -> int:
    """Read the number of pairs and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", default="10M", help="pairs of handles, such as 1M or 10M")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        bench(size_of(given.pairs))
        return 0
    found = section(size_of(given.pairs))
    print(found.text, *(" ".join(line.cells()) for line in found.lines), sep="\n")
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
