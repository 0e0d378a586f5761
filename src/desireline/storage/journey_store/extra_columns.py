"""Columns read from the lake only when somebody asks for them, such as one property of the interactions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from desireline.storage.engines import run
from desireline.storage.journey_store.columns import ORIGIN, PROPERTY, Column, column, known
from desireline.storage.journey_store.dictionary import Dictionary, write_words
from desireline.storage.journey_store.files import write_arrays
from desireline.storage.journey_store.lake_reader import LakeReader, part_of, row_of
from desireline.storage.journey_store.manifest import Manifest
from desireline.storage.journey_store.numbering import files_held, numbers_of
from desireline.storage.journey_store.opened import OpenedStore
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.interaction import BY_NAME
from desireline.vocabulary.tables import INTERACTIONS

_GONE = -(2**62)


def add_columns(store: OpenedStore, lake: Lake, names: Sequence[str]) -> Manifest:
    """Add columns to every bucket, each value found by the part and row its interaction came from."""
    unknown = [name for name in names if not known(name)]
    if unknown:
        raise DesirelineError(
            [Mistake(f"there is no field '{name}'.", do=nearest(name, list(BY_NAME))) for name in unknown]
        )
    files = files_held(store.manifest, lake, INTERACTIONS.name)
    dictionaries: dict[str, Dictionary] = {}
    reader = LakeReader(lake, files, dictionaries)
    try:
        numbers = numbers_of(store.manifest, files, reader.part_rows)
        columns = [_typed(reader, name) for name in names]
        reader.learn(columns)
        chunks = list(reader.chunks(columns, [0] * len(files)))
    finally:
        reader.close()
    values = {each.name: np.concatenate([np.empty(0, each.dtype), *(c[each.name] for c in chunks)]) for each in columns}
    begins = np.full(len(store.manifest.parts), _GONE, np.int64)
    begins[numbers[::-1]] = np.cumsum([0, *reader.part_rows[:-1]])[: len(numbers)][::-1]

    def write(number: int) -> None:
        origin = store.read(number, ORIGIN)
        place = begins[part_of(origin)] + row_of(origin) if len(begins) else origin
        for each in columns:
            target = each.empties(len(origin)).copy()
            target[place >= 0] = values[each.name][place[place >= 0]]
            path = store.files.column(number, each.name)
            path.unlink(missing_ok=True)
            write_arrays(path, [target])

    run(write, range(len(store.directories)))
    words = dict(store.manifest.words)
    for each in columns:
        if each.coded:
            dictionary = dictionaries.get(each.name, Dictionary(each))
            words[each.name] = len(dictionary.words)
            store.files.words(each.name).unlink(missing_ok=True)
            write_words(store.files.words(each.name), dictionary.words, 0)
    kinds = store.manifest.kinds | {each.name: each.kind for each in columns}
    return store.manifest.next(kinds=kinds, words=words)


def _typed(reader: LakeReader, name: str) -> Column:
    numeric = name.startswith(PROPERTY) and reader.rows > 0 and reader.numeric(name)
    return column(name, "score") if numeric else column(name)
