"""A notice: a promise was broken, kept, made good, judged anew, or falls due soon. Told twice it is the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

NoticeKind = Literal[
    "promise.broken", "promise.kept", "promise.made_good", "promise.restated", "promise.due_soon", "listener.test"
]
KINDS: tuple[str, ...] = get_args(NoticeKind)
DUE_SOON: NoticeKind = "promise.due_soon"
SETTLED = ("kept", "broken")


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to one promise made to one person.

    kind: what happened. at: the moment it happened, `due_at` the moment it was promised for; both UTC milliseconds.
    opening_id: the interaction the promise was made at. person: the person's number; nothing else names them.
    key: the case, order, ... it is about. restated: an earlier verdict was put right.
    """

    kind: NoticeKind
    map: str
    promise: str
    person: int
    opening_id: int
    at: int
    key: str = ""
    due_at: int | None = None
    verdict: str = ""
    breach: str = ""
    restated: bool = False

    @property
    def id(self) -> str:
        """The same for the same fact, however often and by whomever it is told.

        >>> notice = Notice("promise.broken", "loan", "answer", person=7, opening_id=12, at=1_000)
        >>> notice.id == Notice("promise.broken", "loan", "answer", person=8, opening_id=12, at=1_000).id
        True
        """
        fact = (self.map, self.promise, str(self.opening_id), self.kind, str(self.at))
        return "notice-" + hashlib.sha256("\x1f".join(fact).encode()).hexdigest()[:32]

    def as_json(self) -> str:
        """As it is kept in the outbox."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def notice_from_json(text: str) -> Notice:
    """A notice as it was kept in the outbox."""
    return Notice(**json.loads(text))


def notices_of(changes: Iterable[Mapping[str, Any]]) -> list[Notice]:
    """What changed in the ledger, as notices in the order of their moments.

    A change is a row of the ledger with the verdict (`verdict_before`) and the making good (`made_good_before`)
    that stood before it, both empty when there was none.
    """
    found = [notice for change in changes for notice in _notices_of_one(change)]
    return sorted(found, key=lambda notice: (notice.at, notice.id))


def due_soon_of(rows: Iterable[Mapping[str, Any]]) -> list[Notice]:
    """Of promises still open, given as rows of the ledger: each falls due soon."""
    return [_notice(DUE_SOON, row, at=row["due_at"]) for row in rows if row["due_at"] is not None]


def breach_moment(row: Mapping[str, Any]) -> int:
    """When a promise was first broken: the earliest of its breaches, the deadline where none bears a moment."""
    moments = [int(each.rpartition(" ")[2]) for each in (row.get("breaches") or "").split(", ") if each]
    return min(moments) if moments else int(row["due_at"] or row["judged_at"])


def _notices_of_one(row: Mapping[str, Any]) -> list[Notice]:
    verdict, before = row["verdict"], row.get("verdict_before") or ""
    if row.get("cause") == "gone":
        verdict = "withdrawn"
    restated = before in SETTLED and before != verdict
    made_good = row.get("made_good_at") is not None and row.get("made_good_before") is None
    told: list[Notice] = []
    if verdict == "broken":
        if before != "broken":
            told.append(_notice("promise.broken", row, at=breach_moment(row), restated=restated))
        if made_good:
            told.append(_notice("promise.made_good", row, at=int(row["made_good_at"])))
    elif restated:
        told.append(_notice("promise.restated", row, at=int(row["judged_at"]), verdict=verdict, restated=True))
    elif verdict == "kept" and before != "kept":
        told.append(_notice("promise.kept", row, at=int(row["settled_at"] or row["judged_at"])))
    return told


def _notice(kind: NoticeKind, row: Mapping[str, Any], *, at: int, verdict: str = "", restated: bool = False) -> Notice:
    return Notice(
        kind=kind,
        map=row["map"],
        promise=row["promise"],
        person=int(row["person"] or 0),
        opening_id=int(row["opening_id"]),
        at=at,
        key=row.get("key") or "",
        due_at=row["due_at"],
        verdict=verdict or row["verdict"],
        breach=(row.get("breach") or "") if kind != "promise.kept" else "",
        restated=restated,
    )
