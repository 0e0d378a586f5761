"""Takes a file that a browser sends straight to disk, piece by piece, with a limit that is stated and kept."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from python_multipart.multipart import MultipartParser, parse_options_header

from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_BYTES = 8 * 2**30
"""A larger file is refused; the command line takes files of any size."""
KEPT_UPLOADS = 20
"""Of files that were looked at and not imported, the oldest go first."""
ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".gz")
_NAME = re.compile(r"[^A-Za-z0-9._ -]+")
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on disk, under an id of ours; its name is only shown and guessed from."""

    id: str
    path: Path

    @property
    def name(self) -> str:
        """The name it came with, made harmless."""
        return self.path.name


def safe_name(given: str) -> str:
    """A file name without folders or strange letters.

    >>> safe_name("../../etc/päss wd.csv"), safe_name("..")
    ('p_ss wd.csv', 'export')
    """
    name = _NAME.sub("_", given.replace("\\", "/").rpartition("/")[2]).strip(" .")
    return name[-120:] or "export"


def find_upload(folder: Path, upload_id: str) -> Upload:
    """An upload by its id; refused when it is gone."""
    if _ID.fullmatch(upload_id) and (folder / upload_id).is_dir():
        for path in (folder / upload_id).iterdir():
            return Upload(upload_id, path)
    raise DesirelineError("This file is not here any more. Choose it again.")


def forget_upload(upload: Upload) -> None:
    """Take a file off the disk."""
    upload.path.unlink(missing_ok=True)
    if upload.path.parent.is_dir():
        upload.path.parent.rmdir()


async def receive_upload(folder: Path, *, content_type: str, content_length: str, body: AsyncIterator[bytes]) -> Upload:
    """Write the first file of a form to disk as it arrives."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise DesirelineError("No file came. Choose a file and press the button again.")
    if not content_length.isdigit() or int(content_length) > MOST_BYTES:
        raise DesirelineError(
            f"The file is larger than {MOST_BYTES // 2**30} GB. Use `desireline import FILE`; it has no limit."
        )
    _make_room(folder)
    receiver = _Receiver(folder)
    parser = MultipartParser(options[b"boundary"], receiver.callbacks())
    try:
        async for piece in body:
            parser.write(piece)
        parser.finalize()
    finally:
        receiver.close()
    if receiver.path is None or not receiver.complete:
        raise DesirelineError("No file came. Choose a file and press the button again.")
    return Upload(receiver.path.parent.name, receiver.path)


class _Receiver:
    """Follows the parts of a form and writes the first file among them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path: Path | None = None
        self.complete = False
        self._file: IO[bytes] | None = None
        self._field = self._value = b""

    def callbacks(self) -> MultipartCallbacks:
        """What the parser calls."""
        return {
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
        }

    def close(self) -> None:
        """Close the file; one that never ended is taken away."""
        if self._file is not None:
            self._file.close()
            self._file = None
            if self.path is not None and not self.complete:
                forget_upload(Upload("", self.path))

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name, value = self._field.lower(), self._value
        self._field = self._value = b""
        if name != b"content-disposition" or self.path is not None:
            return
        _, options = parse_options_header(value)
        given = options.get(b"filename", b"").decode("utf-8", "replace")
        if not given:
            return
        self.path = self.folder / secrets.token_hex(8) / safe_name(given)
        self.path.parent.mkdir(parents=True)
        self._file = self.path.open("wb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])

    def _part_end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self.complete = True


def _make_room(folder: Path) -> None:
    """Keep only the newest files that nobody imported."""
    if not folder.is_dir():
        return
    old = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in old[: max(0, len(old) - KEPT_UPLOADS + 1)]:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
