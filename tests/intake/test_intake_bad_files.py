"""Fifty and more kinds of bad input files: each gets a clear answer, nothing is lost, nothing is a traceback."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import openpyxl
import pytest

from desireline.intake import import_file, read_recipe, refused_rows
from desireline.storage.lake import Lake
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError

NOW = 1_800_000_000_000
GOOD = "k1,2026-03-01 10:00,a@x.org,5\n"
HEADER = "id,at,mail,amount\n"
RECIPE = """
recipe: bad
source: bad
key: id
interactions:
  - occurred_at: {column: at}
    touchpoint: seen
    handles: [{kind: email, column: mail}]
    value: {column: amount}
"""


@dataclass(frozen=True)
class Kind:
    """One kind of bad file: what it holds, and the answer it must get."""

    name: str
    content: bytes | Callable[[Path], bytes]
    file: str = "bad.csv"
    made: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    error: str = ""
    notes: tuple[str, ...] = ()
    recipe: str = RECIPE


def csv(*lines: str) -> bytes:
    return (HEADER + "".join(line if line.endswith(("\n", "\r")) else line + "\n" for line in lines)).encode()


def jsonl(*lines: str) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def at(moment: str) -> bytes:
    return csv(GOOD, f"k2,{moment},b@x.org,6", "k3,2026-03-02 10:00,c@x.org,7")


GOOD_OBJECT = '{"id": "k1", "at": "2026-03-01 10:00", "mail": "a@x.org", "amount": 5}'
LAST_OBJECT = '{"id": "k9", "at": "2026-03-09 10:00", "mail": "z@x.org", "amount": 9}'


def book(*rows: tuple[object, ...], error_at: str = "", second_sheet: bool = False) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (("id", "at", "mail", "amount"), *rows):
        sheet.append(row)
    if error_at:
        sheet[error_at] = "#N/A"
        sheet[error_at].data_type = "e"
    if second_sheet:
        workbook.create_sheet("Other")
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def text_cell_with_equals() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(("id", "at", "mail", "amount"))
    sheet.append(("=k1", "2026-03-01 10:00", "a@x.org", 5))
    sheet["A2"].data_type = "s"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def archive(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(name, HEADER + GOOD)
    return out.getvalue()


def parquet(folder: Path) -> bytes:
    target = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'k1' AS id, 'yesterday' AS at, 'a@x.org' AS mail, 1.5 AS amount)"
            f" TO '{target}' (FORMAT parquet)"
        )
    return target.read_bytes()


NO_MOMENT = "is not a moment"
HUGE = "x" * 10_000_000

KINDS = [
    # nothing there
    Kind("empty file", b"", error="is empty"),
    Kind("only spaces", b" \n\n \n", error="is empty"),
    Kind("only a byte order mark", b"\xef\xbb\xbf", error="is empty"),
    Kind("only zero bytes", b"\x00" * 64, error="is empty"),
    Kind("header only", HEADER.encode()),
    Kind("empty header", b",,,\n1,2,3,4\n", error="empty header"),
    # not an export at all
    Kind("PDF", b"%PDF-1.7 ...", error="PDF document"),
    Kind("web page", b"<!DOCTYPE html><html>login</html>", error="login page"),
    Kind("XML", b'<?xml version="1.0"?><a/>', error="XML document"),
    Kind("picture", b"\x89PNG\r\n\x1a\n0000", error="picture"),
    Kind("SQLite database", b"SQLite format 3\x00" + b"\x01" * 50, error="SQLite database"),
    Kind("ZIP archive", archive("export.csv"), file="bad.zip", error="ZIP archive"),
    Kind("7-Zip archive", b"7z\xbc\xaf\x27\x1c0000", error="7-Zip"),
    Kind("Parquet in name only", csv(GOOD), file="bad.parquet", error="named Parquet but is none"),
    Kind("Parquet cut off", b"PAR1" + b"\x00" * 40, file="bad.parquet", error="cannot be read"),
    Kind("XLSX cut off", book(("k1", "2026-03-01", "a@x.org", 1))[:900], file="bad.xlsx", error="not a spreadsheet"),
    # columns
    Kind("column of the recipe missing", b"id,at,mial,amount\n1,2,3,4\n", error="Did you mean 'mial'?"),
    Kind("two columns missing, both told", b"id,mail\n1,2\n", error="'amount'"),
    Kind(
        "column twice",
        b"id,at,mail,amount,mail\nk1,2026-03-01,a@x.org,5,b@x.org\n",
        made=1,
        notes=("stands there twice",),
    ),
    Kind("another separator than comma", csv(GOOD).replace(b",", b";"), made=1),
    Kind("tabs", csv(GOOD).replace(b",", b"\t"), made=1),
    Kind("sep= line of a spreadsheet", b"sep=;\n" + csv(GOOD).replace(b",", b";"), made=1),
    Kind(
        "title lines above the table",
        b"Report of March\n\n" + csv(GOOD, "k2,2026-03-02,b@x.org,1"),
        made=2,
        notes=("above the header",),
    ),
    # ragged rows and quotes
    Kind("row too short", csv(GOOD, "k2,2026-03-02"), made=1, refused={2: "2 cells where the header has 4"}),
    Kind("row too long", csv(GOOD, "k2,2026-03-02,b@x.org,6,7,8"), made=1, refused={2: "where the header has 4"}),
    Kind(
        "one bad row in five hundred (F17)",
        csv(*(f"k{n},2026-03-01 10:00,a@x.org,5" for n in range(499)), "bad"),
        made=499,
        refused={500: "1 cell where"},
    ),
    Kind("empty cells at the end", csv("k1,2026-03-01,a@x.org,5,,,"), made=1),
    Kind(
        "quote never closed",
        csv(GOOD, 'k2,2026-03-02,"b@x.org,6', "k3,2026-03-03,c@x.org,7"),
        made=2,
        refused={2: "never closed"},
    ),
    Kind(
        "text after a closing quote",
        csv(GOOD, 'k2,2026-03-02,"b@x.org"x,6'),
        made=1,
        refused={2: "after a closing quote"},
    ),
    Kind("line break inside quotes", csv(GOOD, '"k\n2",2026-03-02,b@x.org,6'), made=2),
    Kind("blank lines", csv(GOOD, "\n", "\n", "k2,2026-03-02,b@x.org,6"), made=2),
    Kind("no line end at the end", csv(GOOD)[:-1], made=1),
    Kind(
        "mixed line ends",
        csv("k1,2026-03-01,a@x.org,5\r\n", "k2,2026-03-02,b@x.org,6\r", "k3,2026-03-03,c@x.org,7\n"),
        made=3,
    ),
    Kind("old Macintosh line ends", csv(GOOD, "k2,2026-03-02,b@x.org,6").replace(b"\n", b"\r"), made=2),
    # encodings
    Kind("latin-1", (HEADER + "Größe,2026-03-01,a@x.org,5\n").encode("latin-1"), made=1, notes=("not UTF-8",)),
    Kind("UTF-16", (HEADER + GOOD).encode("utf-16"), made=1),
    Kind("UTF-16 without a mark", (HEADER + GOOD).encode("utf-16-le"), made=1, notes=("UTF-16",)),
    Kind("UTF-8 with a mark", b"\xef\xbb\xbf" + csv(GOOD), made=1),
    Kind(
        "one latin-1 line in UTF-8",
        csv(GOOD, "käse,2026-03-02,b@x.org,6") + "Größe,2026-03-03,c@x.org,7\n".encode("latin-1"),
        made=2,
        refused={3: "does not fit the encoding"},
    ),
    Kind("NUL in a cell", csv(GOOD, "k\x002,2026-03-02,b@x.org,6"), made=2),
    # moments
    Kind("30 February", at("2026-02-30 10:00"), made=2, refused={2: NO_MOMENT}),
    Kind("words for a moment", at("yesterday"), made=2, refused={2: NO_MOMENT}),
    Kind("no moment", at(""), made=2, refused={2: "no time"}),
    Kind("year 0", at("0000-01-01"), made=2, refused={2: "outside the years"}),
    Kind("year 9999", at("9999-12-31"), made=2, refused={2: "outside the years"}),
    Kind("infinity", at("infinity"), made=2, refused={2: NO_MOMENT}),
    Kind("hour 24 (F13)", at("2026-03-01 24:00:00"), made=3),
    Kind("leap second (F13)", at("2026-06-30T23:59:60Z"), made=3),
    Kind("hour 25", at("2026-03-01 25:00:00"), made=2, refused={2: NO_MOMENT}),
    Kind("mixed time zones", at("2026-03-01T10:00:00+05:30"), made=3),
    Kind("unknown time zone", at("2026-03-01 10:00:00 Mars/Olympus"), made=2, refused={2: NO_MOMENT}),
    Kind("moment in the far future", at("2099-01-01"), made=3, notes=("later than this import",)),
    Kind("epoch in a column of dates", at("1767225600"), made=2, refused={2: NO_MOMENT}),
    # values
    Kind("amount in words", csv(GOOD, "k2,2026-03-02,b@x.org,five"), made=1, refused={2: "is not an amount"}),
    Kind(
        "amount beyond all bounds",
        csv(GOOD, f"k2,2026-03-02,b@x.org,{'9' * 40}"),
        made=1,
        refused={2: "is not an amount"},
    ),
    Kind(
        "decimal comma where points are",
        csv(GOOD, 'k2,2026-03-02,b@x.org,"1.234,56"'),
        made=1,
        refused={2: "is not an amount"},
    ),
    Kind("amount not a number", csv(GOOD, "k2,2026-03-02,b@x.org,NaN"), made=1, refused={2: "is not an amount"}),
    Kind("two faults in one row, both told", csv(GOOD, "k2,never,b@x.org,five"), made=1, refused={2: "amount"}),
    Kind("e-mail that is none", csv("k1,2026-03-01,nobody,5"), made=1),
    Kind("cell of ten million characters", csv(GOOD, f"{HUGE},2026-03-02,b@x.org,6"), made=2),
    Kind(
        "row of more than twenty million characters",
        csv(GOOD, f"{HUGE * 2}y,2026-03-02,b@x.org,6", "k3,2026-03-03,c@x.org,7"),
        made=2,
        refused={2: "longer than 20,000,000"},
    ),
    Kind("formula as text", csv("=1+1,2026-03-01,a@x.org,5"), made=1),
    # keys
    Kind("same key, same row", csv(GOOD, GOOD), made=1),
    Kind(
        "same key, another content (F16)",
        csv(GOOD, "k1,2026-03-01 10:00,a@x.org,6"),
        made=1,
        refused={2: "another content"},
    ),
    # JSON
    Kind(
        "JSON line cut off",
        jsonl(GOOD_OBJECT, '{"id": "k2", "at": "2026', LAST_OBJECT),
        file="bad.jsonl",
        made=2,
        refused={2: "not JSON"},
    ),
    Kind("JSON line that is a list", jsonl(GOOD_OBJECT, "[1, 2]"), file="bad.jsonl", made=1, refused={2: "but a list"}),
    Kind("JSON null", jsonl(GOOD_OBJECT, "null"), file="bad.jsonl", made=1, refused={2: "but null"}),
    Kind(
        "lone surrogate",
        jsonl(GOOD_OBJECT, '{"id": "\\ud800", "at": "2026-03-01"}'),
        file="bad.jsonl",
        made=1,
        refused={2: "surrogate"},
    ),
    Kind("deep JSON", jsonl(GOOD_OBJECT, "[" * 5000 + "]" * 5000), file="bad.jsonl", made=1, refused={2: "JSON"}),
    Kind(
        "control character in JSON",
        jsonl(GOOD_OBJECT, '{"id": "a\x01b", "at": "2026-03-01"}'),
        file="bad.jsonl",
        made=1,
        refused={2: ""},
    ),
    Kind(
        "number with five thousand digits",
        jsonl(GOOD_OBJECT, '{"id": "k2", "at": "2026-03-01", "amount": ' + "9" * 5000 + "}"),
        file="bad.jsonl",
        made=1,
        refused={2: "is not an amount"},
    ),
    Kind("JSON list in place of lines", f"[{GOOD_OBJECT},\n{LAST_OBJECT}]".encode(), file="bad.json", made=2),
    Kind("broken JSON list", b'[{"id": 1},\n{"id": 2', file="bad.json", error="broken"),
    Kind("blank JSON lines", jsonl(GOOD_OBJECT, "", LAST_OBJECT), file="bad.jsonl", made=2),
    Kind(
        "bytes that are no text in JSON",
        jsonl(GOOD_OBJECT) + b'{"id": "\xff\xfe"}\n' + jsonl(LAST_OBJECT),
        file="bad.jsonl",
        made=2,
        refused={2: "does not fit"},
    ),
    # packed
    Kind(
        "gzip cut off",
        gzip.compress(csv(GOOD, *(f"n{n},2026-03-01 10:00,a{n}@x.org,{n}" for n in range(20_000))))[:-5_000],
        file="bad.csv.gz",
        notes=("ends early",),
        made=-1,
    ),
    Kind("gzip damaged at the start", b"\x1f\x8b\x08\x00garbage", file="bad.csv.gz", error="damaged gzip"),
    # spreadsheets
    Kind(
        "formula without a value",
        book(("k1", "2026-03-01", "a@x.org", "=1+1"), ("k2", "2026-03-02", "b@x.org", 2)),
        file="bad.xlsx",
        made=1,
        refused={2: "formula without a value"},
    ),
    Kind(
        "error cell",
        book(("k1", "2026-03-01", "a@x.org", 1), ("k2", "2026-03-02", "b@x.org", 2), error_at="D3"),
        file="bad.xlsx",
        made=1,
        refused={3: "#N/A"},
    ),
    Kind("text that starts with =", text_cell_with_equals(), file="bad.xlsx", made=1),
    Kind(
        "sheet that is not there",
        book(),
        file="bad.xlsx",
        recipe=RECIPE + "reading: {sheet: Tickets}\n",
        error="no sheet 'Tickets'",
    ),
    Kind("Parquet with a bad moment", parquet, file="bad.parquet", refused={1: NO_MOMENT}),
]


@pytest.fixture
def store(tmp_path: Path) -> tuple[Lake, State]:
    return Lake(tmp_path / "data" / "lake"), State(tmp_path / "data" / "state.sqlite")


def test_there_are_at_least_fifty_kinds_and_no_two_share_a_name():
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 50


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_bad_file_gets_a_clear_answer_and_nothing_is_lost(kind: Kind, tmp_path: Path, store: tuple[Lake, State]):
    lake, state = store
    path = tmp_path / kind.file
    path.write_bytes(kind.content(tmp_path) if callable(kind.content) else kind.content)
    recipe = read_recipe(kind.recipe, name="bad.yaml")

    def take_in(import_id: str):
        return import_file(lake=lake, state=state, path=path, recipe=recipe, import_id=import_id, received_at=NOW)

    if kind.error:
        with pytest.raises(DesirelineError) as raised:
            take_in("first")
        assert kind.error in str(raised.value)
        assert lake.parts("interactions") == ()
        return
    report = take_in("first")
    waiting = refused_rows(state=state)
    assert {item.row for item in waiting} == set(kind.refused), waiting
    for item in waiting:
        assert kind.refused[item.row] in item.reason
        assert item.raw and item.length >= len(item.raw) - 1
    if kind.made >= 0:
        assert report.made == kind.made
    else:
        assert report.made > 100
    for note in kind.notes:
        assert any(note in said for said in report.notes), report.notes
    accounted = report.made + report.already_known + report.left_out + len(waiting)
    assert accounted == report.rows_read or "blank" in kind.name
    if not kind.refused:
        return
    again = take_in("second")
    assert (again.made, again.newly_refused) == (0, 0)
    assert len(refused_rows(state=state)) == len(waiting)


def test_a_file_that_is_not_there_and_a_folder_are_told_apart(tmp_path: Path, store: tuple[Lake, State]):
    lake, state = store
    for path, said in ((tmp_path / "missing.csv", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(DesirelineError, match=said):
            import_file(
                lake=lake, state=state, path=path, recipe=read_recipe(RECIPE, name="r"), import_id="x", received_at=NOW
            )


def test_the_whole_text_of_a_refused_row_is_kept_up_to_twenty_million_characters(
    tmp_path: Path, store: tuple[Lake, State]
):
    lake, state = store
    path = tmp_path / "big.csv"
    path.write_bytes(csv(f"{'y' * 1_000_000},never,b@x.org,6"))
    import_file(lake=lake, state=state, path=path, recipe=read_recipe(RECIPE, name="r"), import_id="x", received_at=NOW)
    (item,) = refused_rows(state=state)
    assert item.whole
    assert len(json.loads(item.raw)["id"]) == 1_000_000
