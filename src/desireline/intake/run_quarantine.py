"""The quarantine as people use it: look, edit, try again, discard."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.intake.refusals import Refusal
from desireline.storage.import_book import ImportBook
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake


def refused_rows(
    *,
    state: State,
    import_id: str | None = None,
    source: str | None = None,
    status: str | None = "waiting",
    limit: int | None = None,
    offset: int = 0,
) -> tuple[Refusal, ...]:
    """The refused rows in the order they came; `status` None gives replayed and discarded ones too."""
    wanted = {"import_id": import_id, "source": source, "status": status}
    equal = {word: value for word, value in wanted.items() if value is not None}
    return tuple(Refusal.of(entry) for entry in ImportBook(state).refusals(limit=limit, offset=offset, **equal))


def one_refusal(*, state: State, number: int) -> Refusal:
    """One refused row; raises `DesirelineError` when there is none of that number."""
    found = ImportBook(state).refusals(number=number)
    if not found:
        raise DesirelineError(Mistake(f"there is no refused row {number}."))
    return Refusal.of(found[0])


def edit_refused(*, state: State, number: int, raw: str, at: int) -> Refusal:
    """Mend the text of a refused row; it is tried again with `replay`."""
    refusal = _waiting(state, number)
    ImportBook(state).change_refusals([refusal.number], raw=raw, whole=True, length=len(raw), changed_at=at)
    return one_refusal(state=state, number=number)


def discard(*, state: State, numbers: Sequence[int], at: int) -> int:
    """Give refused rows up; they stay listed as discarded and do not come back with the same file."""
    waiting = [_waiting(state, number).number for number in numbers]
    return ImportBook(state).change_refusals(waiting, status="discarded", changed_at=at)


def _waiting(state: State, number: int) -> Refusal:
    refusal = one_refusal(state=state, number=number)
    if refusal.status != "waiting":
        raise DesirelineError(Mistake(f"refused row {number} is {refusal.status} already."))
    return refusal
