"""What follows from new or vanished interactions: who is who, the journey store, the ledger - only what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from desireline.journeys import GapRule, write_journeys
from desireline.people import persons_of
from desireline.people import update as update_people
from desireline.project.choosing import gap_days
from desireline.project.leaving import directory_as_left
from desireline.project.rules import MapMasks, columns_of
from desireline.promises import judge_all, judge_changed
from desireline.storage.progress_book import ProgressBook
from desireline.vocabulary.step import Step

if TYPE_CHECKING:
    from desireline.project.applying import Effects
    from desireline.project.maps import MapSet
    from desireline.project.project import Project

Progress = Callable[[float, str], None]


def silent(_share: float, _what: str) -> None:
    """Progress that nobody watches."""


MANY_SHARE = 0.2
"""When more than this share of the people changed, judging everybody is cheaper than choosing."""
TO_JUDGE, JUDGED = "to judge", "judged"
"""The names under which the state store keeps up to which entry of the log people were to be judged, and were."""


def follow(
    project: Project,
    *,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
    touched: set[int] | None = None,
    anew: bool = False,
    everybody: bool = False,
    progress: Progress,
) -> None:
    """Bring people, store and ledger up to date after parts of the lake came or went.

    What lies under a handle that strangers share (a kiosk's cookie, `noreply@`) is nobody's in the store: it must
    not be judged as if one person had done it.

    touched: persons the removed parts spoke of, asked before they were removed. anew: build the store afresh.
    everybody: judge everybody.
    """
    begun = _begin(project)
    persons = bring_up(project, added=added, removed=removed, touched=touched, anew=anew, progress=progress)
    progress(0.7, "judging promises")
    cause = "undone" if removed else None
    judge(project, project.map_set(keep=True), None if anew or everybody else persons, cause=cause)
    _end(project, begun)
    progress(1.0, "done")


def follow_in_turns(project: Project, effects: Effects, *, who: str, progress: Progress) -> None:
    """The same after imports, in several turns with the long work between them, so that live work goes on.

    What fails on the way is left to the next turn of live work, or to the next opening.
    """
    if not effects.changed:
        return
    try:
        with ExitStack() as held:
            with project.writing(who):
                begun = _begin(project)
                progress(0.1, "who is who")
                persons = who_is_who(project, added=effects.added, touched=effects.touched)
                beside = held.enter_context(project.store.growing(effects.added))
            progress(0.3, "journey store")
            if beside is not None:
                beside.build()
            with project.writing(who):
                project.store.add_parts(effects.added, beside)
                project.underway.difference_update(effects.added)
        with project.writing(who):
            if project.store.needs_compaction:
                project.store.compact()
            progress(0.7, "judging promises")
            judge(project, project.map_set(keep=True), persons)
            _end(project, begun)
    except BaseException:
        project.record.leave(effects)
        raise
    finally:
        project.underway.difference_update(effects.added)
    progress(1.0, "done")


def ledger_is_behind(project: Project) -> bool:
    """Whether a crash came between what was taken in or back and judging it."""
    book = ProgressBook(project.state)
    return book.reached(TO_JUDGE) > book.reached(JUDGED)


def _begin(project: Project) -> int:
    """Note that people are to be judged as of what is applied of the log."""
    reached = project.record.reached
    _reach(project, TO_JUDGE, reached)
    return reached


def _end(project: Project, reached: int) -> None:
    _reach(project, JUDGED, reached)


def _reach(project: Project, which: str, sequence: int) -> None:
    book = ProgressBook(project.state)
    if sequence > book.reached(which):
        book.reach(which, sequence)


def bring_up(
    project: Project,
    *,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
    touched: set[int] | None = None,
    anew: bool = False,
    progress: Progress = silent,
) -> set[int]:
    """Bring people and store up to date after parts of the lake came or went; the persons that this touched."""
    progress(0.1, "who is who")
    if anew:
        project.directory = update_people(project.lake, project.directory).directory
        project.store.build()
        return set()
    persons = who_is_who(project, added=added, removed=removed, touched=touched)
    progress(0.3, "journey store")
    project.store.add_parts(added)
    if project.store.needs_compaction:
        project.store.compact()
    return persons


def who_is_who(
    project: Project,
    *,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
    touched: set[int] | None = None,
) -> set[int]:
    """Bring people up to date, and tell the store who belongs to whom; the persons that this touched.

    Parts that long work is bringing in by itself are left to it. The directory is kept only once the store was told:
    after a failure everything is decided afresh and told again.
    """
    directory, project.directory = project.directory, None
    if directory is None and not removed:
        directory = directory_as_left(project)
    updated = update_people(project.lake, directory, leaving=project.underway.difference(added))
    project.store.remove_parts(removed)
    project.store.reassign(updated.handle, updated.person)
    project.directory = updated.directory
    known = [part for part in added if part not in updated.arrived]
    return (touched or set()) | set(updated.touched.tolist()) | people_of(project, known)


def follow_effects(project: Project, effects: Effects, *, progress: Progress) -> None:
    """Bring everything up to date after what was applied of the log."""
    if effects.changed:
        follow(project, added=effects.added, removed=effects.removed, touched=effects.touched, progress=progress)


def judge(
    project: Project, maps: MapSet, touched: set[int] | None, *, cause: str | None = None, as_of: int | None = None
) -> Any:
    """Judge whom something changed for, and whoever waits; everybody when `touched` is `None` or many."""
    if not maps.versions:
        return None
    prepare_columns(project, maps)
    snapshot = project.snapshot()
    as_of = project.as_of() if as_of is None else as_of
    if touched is not None and not maps.notes:
        people = touched | _persons(project, "people_waiting", {})
        if len(people) <= MANY_SHARE * snapshot.people:
            return judge_some(project, maps, people, as_of=as_of, cause=cause)
    change = judge_all(project.lake, snapshot, maps.versions, maps.calendars, as_of=as_of, cause=cause)
    for told in project.judged:
        told(change, None)
    return change


def judge_some(
    project: Project,
    maps: MapSet,
    people: set[int],
    *,
    as_of: int,
    cause: str | None = None,
    keys: Iterable[str] = (),
) -> Any:
    """Judge these people, at the cost of these people; the columns the maps read are there already.

    keys: cases, orders and other keys that just came in, which need not be looked up.
    """
    change = judge_changed(
        project.lake,
        project.snapshot(),
        maps.versions,
        maps.calendars,
        people=people,
        as_of=as_of,
        cause=cause,
        keys=keys,
    )
    for told in project.judged:
        told(change, people)
    return change


def prepare_columns(project: Project, maps: MapSet) -> None:
    """Have every column in the journey store that the maps' patterns read."""
    project.store.ensure_columns(sorted({name for version in maps.versions for name in columns_of(version.map)}))


def write_all_journeys(project: Project) -> dict[str, int]:
    """Write the table `journeys`: by gaps, and by every map that says what begins one."""
    snapshot = project.snapshot()
    rules = [MapMasks(each, snapshot).rule() for each in project.map_set().maps]
    gaps = GapRule(days=gap_days(None, else_text=project.file.journey_gap))
    return write_journeys(project.lake, snapshot, (gaps, *(rule for rule in rules if rule is not None)))


def people_of(project: Project, parts: Sequence[str]) -> set[int]:
    """The persons that some parts of the lake speak of."""
    there = sorted(set(project.lake.parts("interactions")) & set(parts))
    if not there:
        return set()
    if project.directory is not None:
        return persons_of(project.lake, project.directory, there)
    with project.lake.connection() as connection:
        connection.execute(f"CREATE TEMP VIEW arrived AS FROM {project.lake.reading_sql('interactions', there)}")
        return {int(row[0]) for row in connection.execute(_question("people_of_parts")).fetchall()}


def _persons(project: Project, question: str, values: dict[str, Any]) -> set[int]:
    with project.lake.connection() as connection:
        return {int(row[0]) for row in connection.execute(_question(question), values).fetchall()}


def _question(name: str) -> str:
    return files("desireline.project").joinpath(f"{name}.sql").read_text(encoding="utf-8")


KEEP_STORE = Step("keep store", reads=("interactions", "handles"), writes=("journey_store",), run=follow)
