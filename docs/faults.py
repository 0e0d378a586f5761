"""The list of faults with the tests that show each; its state is read from the tests themselves."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
FAULTS: dict[int, str] = {
    1: "the process is killed at any moment",
    2: "power is lost",
    3: "the log is torn or a bit of it flips",
    4: "the disk refuses a write or a sync",
    5: "the disk is full",
    6: "the disk is slow",
    7: "two processes open one project",
    8: "a migration is interrupted",
    9: "a backup is made while something is written",
    10: "derived stores are deleted or spoilt",
    11: "the database restarts or the network is cut",
    12: "the server's clock is wrong or stepped",
    13: "clients' clocks and ways to write a time",
    14: "interactions out of order and weeks late",
    15: "clocks go forward and back",
    16: "repeats, at once and a year later",
    17: "one bad message of many",
    18: "malformed, oversize and hostile bodies",
    19: "a message that makes its reader fail",
    20: "the shape of events changes",
    21: "handles that many strangers share",
    22: "a storm of joins",
    23: "endless names, one person with everything",
    24: "more load than can be taken",
    25: "a slow or dead listener",
    26: "a crash between telling and noting that it was told",
    27: "script in any text that reaches a page",
    28: "formulas in exports",
    29: "injection into SQL and rules",
    30: "requests made to inner addresses",
    31: "paths out of the project",
    32: "guessed passwords",
    33: "forged requests of a browser",
    34: "access to what belongs to others",
    35: "forged and replayed webhooks",
    36: "headers of proxies believed",
    37: "a public write key is abused",
    38: "instructions hidden in data for a guide",
    39: "personal data and secrets in logs",
    40: "default secrets and open doors",
    41: "erasure that forgets something",
}
LATER = {
    21: "people: shared handles are demoted today, see tests/people",
    22: "",
    29: "",
    32: "",
    34: "",
    38: "",
    41: "",
}
_TEST = re.compile(r"^\s*(?:async )?def (test_F(\d+)_\w+)", re.MULTILINE)


def faults() -> str:
    """The page: every fault, its state, and the tests that show it."""
    shown: dict[int, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        for _, number in _TEST.findall(path.read_text(encoding="utf-8")):
            shown[int(number)].add(path.relative_to(TESTS.parent).as_posix())
    lines = [
        "<!-- Made from the code by `make docs`. -->",
        "",
        "# Faults, and the tests that show them",
        "",
        f"{len(shown)} of {len(FAULTS)} faults have tests named by their number; `make test` runs their short forms,",
        "`make faults` the long ones. The others belong to parts that are not built yet.",
        "",
        "| fault | what happens | state | shown by |",
        "|---|---|---|---|",
    ]
    for number, says in FAULTS.items():
        state = "tested" if number in shown else "not yet"
        tests = "<br>".join(f"`{each}`" for each in sorted(shown[number])) or LATER.get(number, "")
        lines.append(f"| F{number} | {says} | {state} | {tests} |")
    return "\n".join(lines) + "\n"
