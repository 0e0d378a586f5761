"""The demo's ledger beside the truth: which planted breaches were found, and why each other one was not.

A difference is explained by trial, not by guess: the true interactions of the people concerned are judged
again with one cause at work (only the refused rows left out, only the mistyped handles mistyped, and so on).
The cause that alone turns the planted verdict into the ledger's is its cause.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from desireline import intake
from desireline.project import upkeep
from desireline.project.maps import MapSet
from desireline.project.project import Project, copy_files
from desireline.promises import judge
from desireline.storage.journey_store import JourneyStore
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.handles import normalise
from desireline.vocabulary.table import Table
from desireline.world import BANK

Progress = Callable[[float, str], None]
Instance = tuple[str, str, int]
"""An instance of a promise: map, promise, id of its opening."""
Verdict = tuple[str, str, bool]
"""Verdict, kind of breach, whether it was made good; `NO_VERDICT` where there is no such instance."""

NO_VERDICT: Verdict = ("", "", False)

TRUTH_FILES = ("interactions.parquet", "rows.parquet", "promises.csv", "handles.csv")
CAUSES: Mapping[str, str] = {
    "refused": "a row cannot be read and lies in quarantine",
    "withheld": "a row names nobody, such as a call with its number withheld; nobody's question opens nothing",
    "shared": "a row names an address that many share, such as noreply@; it is nobody's and opens nothing",
    "mistyped": "a row's handle was mistyped and is nobody's",
    "stranger": "a row's handle was mistyped and is another customer's",
    "only_weak": "a row has only a weak handle, such as a cookie, never seen with a strong one",
    "parted": "a customer's strong handles were never seen together, so one person became two",
    "joined": "two customers became one person",
    "twice": "a row without a key of its own was exported twice and counts twice",
    "time": "a moment was read otherwise than it was",
    "field": "a field was read otherwise than it was",
}
FAULTS: Mapping[str, str] = {
    "lost": "a row is neither in the lake nor in quarantine",
    "from_nowhere": "a row of the lake is in no export",
    "unexplained": "none of these",
}
"""What must never happen: if it does, Desireline is at fault and not the files."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One instance that the ledger judges otherwise than it was planted, and the cause."""

    instance: Instance
    source: str
    source_key: str
    planted: Verdict
    found: Verdict
    cause: str


@dataclass(frozen=True, slots=True)
class PlantedCheck:
    """The ledger beside the truth. Precision and recall are those of broken promises.

    promises: counts for each promise. causes: every difference by its cause. people: how well handles were
    told apart, and handles that must join nobody. differences: each one. `faults` must be 0.
    """

    promises: Table
    causes: Table
    people: Table
    strangers: Table
    differences: tuple[Difference, ...]
    planted_broken: int
    found_broken: int
    both_broken: int
    instances: int

    @property
    def precision(self) -> float | None:
        """Of the promises the ledger calls broken, the share that was planted broken; `None` without any."""
        return self.both_broken / self.found_broken if self.found_broken else None

    @property
    def recall(self) -> float | None:
        """Of the promises planted broken, the share the ledger calls broken; `None` without any."""
        return self.both_broken / self.planted_broken if self.planted_broken else None

    @property
    def faults(self) -> int:
        """How many differences the files do not explain."""
        return sum(1 for each in self.differences if each.cause in FAULTS)

    def lines(self) -> list[str]:
        """In words."""
        if self.precision is None or self.recall is None:
            return ["No broken promise was planted or found: make a larger world."]
        return [
            f"{self.planted_broken:,} broken promises were planted; the ledger has {self.found_broken:,}, "
            f"{self.both_broken:,} of them the same.",
            f"Precision {self.precision:.4f}, recall {self.recall:.4f}. Of {self.instances:,} instances "
            f"{len(self.differences):,} differ in verdict, breach or making good; {self.faults} unexplained.",
        ]

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        figures = ("planted_broken", "found_broken", "both_broken", "precision", "recall", "instances", "faults")
        tables = ("promises", "causes", "people", "strangers")
        return {name: getattr(self, name) for name in figures} | {
            name: list(getattr(self, name).rows()) for name in tables
        }


def project_of_truth(folder: Path, world: Path) -> Project:
    """A new project on the world's own interactions and identities, judged by the bank's maps."""
    _refuse_without_truth(world)
    folder.mkdir(parents=True)
    copy_files([BANK.project], folder)
    copy_files(BANK.maps, folder / "maps")
    project = Project(folder)
    with project.writing("desireline world-check"), project.lake.connection() as connection:
        source = connection.read_parquet(str(world / "truth" / "interactions.parquet"))
        project.lake.write_part("interactions", "world", source, connection)
        upkeep.follow(project, added=["world"], progress=lambda share, what: None)
        project.record.mark_applied()
    return project


def compare_with_truth(project: Project, world: Path, *, progress: Progress = lambda share, what: None) -> PlantedCheck:
    """The ledger of a project that took in a world's exports, beside what was planted in that world.

    world: the folder `make_world` wrote to, with the folder `truth` in it.
    """
    _refuse_without_truth(world)
    with project.lake.connection() as connection:
        progress(0.1, "reading the truth")
        _lay_out(connection, project, world / "truth")
        verdicts = connection.execute(_sql("planted_verdicts")).fetchall()
        wrong = [row for row in verdicts if row[5:8] != row[8:11]]
        causes = _causes_of(connection, project, wrong, progress)
        people = _people(connection)
        strangers = _table(connection, "planted_strangers", says="Handles that are no customer's own.", counted=_JOINED)
    progress(1.0, "done")
    differences = tuple(
        Difference(row[:3], row[3], row[4], row[5:8], row[8:11], causes[row[:3]]) for row in sorted(wrong)
    )
    return PlantedCheck(
        promises=_promises(verdicts),
        causes=_causes(differences),
        people=people,
        strangers=strangers,
        differences=differences,
        planted_broken=sum(row[5] == "broken" for row in verdicts),
        found_broken=sum(row[8] == "broken" for row in verdicts),
        both_broken=sum(row[5] == row[8] == "broken" for row in verdicts),
        instances=len(verdicts),
    )


def _refuse_without_truth(world: Path) -> None:
    missing = [name for name in TRUTH_FILES if not (world / "truth" / name).exists()]
    if missing:
        raise DesirelineError(
            Mistake(
                f"no truth is here: {', '.join(missing)} missing.",
                where=str(world / "truth"),
                do="Make a demo with 'desireline demo', or a world with 'desireline world --to FOLDER'.",
            )
        )


def _lay_out(connection: duckdb.DuckDBPyConnection, project: Project, truth: Path) -> None:
    """Views of the truth, and tables of what became of each interaction on its way through the files."""
    connection.read_parquet(str(truth / "interactions.parquet")).create_view("true_interactions")
    connection.read_parquet(str(truth / "rows.parquet")).create_view("true_rows")
    connection.read_csv(str(truth / "promises.csv"), header=True).create_view("true_promises")
    _fill(connection, "true_handles (customer BIGINT, handle VARCHAR)", _true_handles(truth / "handles.csv"))
    refused = {(each.file, each.row) for each in intake.refused_rows(state=project.state, status=None)}
    _fill(connection, "refused (file VARCHAR, row BIGINT)", sorted(refused))
    connection.execute(f"CREATE TEMP TABLE pairs AS {_sql('planted_pairs')}")
    connection.execute(f"CREATE TEMP TABLE homes AS {_sql('planted_persons')}")
    words = {name: name for name in (*CAUSES, "lost", "from_nowhere")}
    connection.execute(f"CREATE TEMP TABLE changed AS {_sql('planted_causes')}", words)


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute(f"CREATE TEMP TABLE {table}")
    name, columns = table.split(maxsplit=1)
    arrays = {f"c{place}": [row[place] for row in rows] for place in range(columns.count(",") + 1)}
    connection.execute(f"INSERT INTO {name} SELECT {', '.join(f'unnest(${column})' for column in arrays)}", arrays)


def _true_handles(file: Path) -> list[tuple[int, str]]:
    """Every customer's handles in the one spelling the lake has."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [(int(row["person"]), row["kind"], row["value"]) for row in csv.DictReader(lines)]
    spelled = [
        (person, normalise(kind, f"murmur/{value}" if kind == "social" else value, country_code="49"))
        for person, kind, value in rows
    ]
    return [(person, handle) for person, handle in spelled if handle]


def _causes_of(
    connection: duckdb.DuckDBPyConnection, project: Project, wrong: Sequence[tuple[Any, ...]], progress: Progress
) -> dict[Instance, str]:
    """The cause of each difference, found by judging the same people again with one cause at work."""
    if not wrong:
        return {}
    connection.execute("SET VARIABLE openings = ?", [sorted({row[2] for row in wrong})])
    connection.execute(f"CREATE TEMP TABLE looked_at AS {_sql('planted_looked_at')}")
    there = {row[0] for row in connection.execute("SELECT DISTINCT cause FROM changed").fetchall()}
    at_work = [cause for cause in (*CAUSES, *FAULTS) if cause in there]
    trials: dict[tuple[str, ...], dict[Instance, Verdict]] = {}
    choices = [(), *((cause,) for cause in at_work), tuple(at_work)]
    choices += [tuple(other for other in at_work if other != cause) for cause in at_work]
    wanted = {row[:3] for row in wrong}
    maps, as_of = project.map_set(), project.as_of()
    for number, choice in enumerate(choices):
        progress(0.2 + 0.7 * number / len(choices), "judging again with one cause at work")
        if choice not in trials:
            found = _judged(connection, choice, maps=maps, as_of=as_of)
            trials[choice] = {instance: found[instance] for instance in wanted & found.keys()}
    return {row[:3]: _cause(row, trials, at_work) for row in wrong}


def _cause(row: tuple[Any, ...], trials: Mapping[tuple[str, ...], dict[Instance, Verdict]], at_work: list[str]) -> str:
    instance, planted, found = row[:3], row[5:8], row[8:11]
    everything = tuple(at_work)
    if trials[()].get(instance, NO_VERDICT) != planted or trials[everything].get(instance, NO_VERDICT) != found:
        return "unexplained"
    alone = [cause for cause in at_work if trials[(cause,)].get(instance, NO_VERDICT) == found]
    if alone:
        return alone[0]
    needed = [
        cause
        for cause in at_work
        if trials[tuple(other for other in at_work if other != cause)].get(instance, NO_VERDICT) != found
    ]
    return " and ".join(needed) if needed else "unexplained"


def _judged(
    connection: duckdb.DuckDBPyConnection, causes: Sequence[str], *, maps: MapSet, as_of: int
) -> dict[Instance, Verdict]:
    """Verdicts of the people looked at, were only these causes at work."""
    connection.execute("SET VARIABLE causes = ?", [list(causes)])
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        lake.write_part("interactions", "trial", connection.sql(_sql("planted_world")), connection)
        store = JourneyStore(Path(folder) / "store", lake)
        judged = judge(store.snapshot(), maps.versions, as_of, calendars=maps.calendars)
    return {
        (row["map"], row["promise"], row["opening_id"]): (
            row["verdict"],
            row["breach"] or "",
            row["made_good_at"] is not None,
        )
        for row in judged.rows()
    }


def _promises(verdicts: Iterable[tuple[Any, ...]]) -> Table:
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in verdicts:
        counts[(row[0], row[1], "planted")] += row[5] == "broken"
        counts[(row[0], row[1], "found")] += row[8] == "broken"
        counts[(row[0], row[1], "both")] += row[5] == row[8] == "broken"
    names = sorted({key[:2] for key in counts})
    columns: dict[str, list[Any]] = {"map": [n[0] for n in names], "promise": [n[1] for n in names]}
    for what in ("planted", "found", "both"):
        columns[what] = [counts[(*name, what)] for name in names]
    return Table(
        says="Broken promises, planted and found.",
        columns=columns,
        counted="instances with the verdict broken: in the truth, in the ledger, in both",
    )


def _causes(differences: Sequence[Difference]) -> Table:
    counts = Counter((each.cause, _kind(each)) for each in differences)
    causes = sorted({cause for cause, _ in counts}, key=lambda cause: (-_total(counts, cause), cause))
    columns: dict[str, list[Any]] = {"cause": causes, "says": [_says(cause) for cause in causes]}
    for kind in ("missed", "invented", "other"):
        columns[kind] = [counts[(cause, kind)] for cause in causes]
    return Table(
        says=f"{len(differences):,} differences between the ledger and the truth, by cause.",
        columns=columns,
        counted=(
            "missed: planted broken, not broken in the ledger; invented: the other way round; other: another verdict, "
            "kind of breach or making good. A cause is named when the true interactions, changed by it alone, are "
            "judged as in the ledger"
        ),
    )


def _total(counts: Counter[tuple[str, str]], cause: str) -> int:
    return sum(count for (name, _), count in counts.items() if name == cause)


def _says(cause: str) -> str:
    words = {**CAUSES, **FAULTS}
    return "; and ".join(words[each] for each in cause.split(" and "))


def _kind(difference: Difference) -> str:
    planted, found = difference.planted[0] == "broken", difference.found[0] == "broken"
    return "other" if planted == found else "missed" if planted else "invented"


_JOINED = "handles of the lake that are in no customer's list, and how many of them lie with a customer's person"


def _people(connection: duckdb.DuckDBPyConnection) -> Table:
    table = _table(
        connection,
        "planted_people",
        says="How well people were told apart.",
        counted="pairs of handles of one customer that are one person in the lake; precision = right / found, recall = "
        "right / true",
    )
    columns = dict(table.columns)
    for name, of in (("precision", "found_pairs"), ("recall", "true_pairs")):
        columns[name] = [
            right / whole if whole else None for right, whole in zip(columns["right_pairs"], columns[of], strict=True)
        ]
    return Table(says=table.says, columns=columns, counted=table.counted)


def _table(connection: duckdb.DuckDBPyConnection, question: str, *, says: str, counted: str) -> Table:
    found = connection.execute(_sql(question))
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return Table(says=says, columns=columns, counted=counted)


def _sql(question: str) -> str:
    return files("desireline.project").joinpath(f"{question}.sql").read_text(encoding="utf-8")
