"""Whole generations of the store: built from the lake, or compacted from the generation before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import run
from desireline.storage.journey_store.build import Spool, bucket_count_for, fill, write_bucket, write_buckets
from desireline.storage.journey_store.columns import ALWAYS, ORIGIN, Column, column
from desireline.storage.journey_store.dictionary import Dictionary, write_words
from desireline.storage.journey_store.files import Files, write_arrays
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.lake_reader import LakeReader
from desireline.storage.journey_store.manifest import Manifest
from desireline.storage.journey_store.numbering import number_parts
from desireline.storage.journey_store.opened import OpenedStore
from desireline.storage.journey_store.sorting import PersonRuns, ranks
from desireline.storage.lake import Lake

REQUIRED = (*ALWAYS, "source", "channel", "touchpoint", ORIGIN)
"""Columns a store has even when they hold nothing."""


def build_generation(
    folder: Path, lake: Lake, parts: Sequence[str], identities: Identities | None, *, generation: int
) -> Manifest:
    """Build a generation from parts of the lake, in order; `identities` None takes those of the lake's `handles`."""
    files = Files(folder / f"generation-{generation}")
    files.folder.mkdir(parents=True)
    dictionaries: dict[str, Dictionary] = {}
    reader = LakeReader(lake, parts, dictionaries)
    try:
        known = reader.identities() if identities is None else identities
        columns = columns_for(reader.present())
        reader.learn(columns)
        width = sum(each.dtype.itemsize for each in columns) + 8
        spool = Spool(files.folder / "spool", bucket_count_for(reader.rows), reader.rows * width)
        numbered = number_parts(Manifest(), parts, reader.part_rows)
        as_of = fill(spool, reader.chunks(columns, numbered.origins), known)
    finally:
        reader.close()
    for each in columns:
        if each.coded:
            dictionaries.setdefault(each.name, Dictionary(each))
    tails = write_buckets(files, spool, columns, ranks(dictionaries["source"].words))
    spool.discard()
    for name, dictionary in dictionaries.items():
        write_words(files.words(name), dictionary.words, 0)
    write_arrays(files.identities(0), [known.handle, known.person])
    return Manifest(
        generation=generation,
        engine=duckdb.__version__,
        bucket_count=spool.bucket_count,
        as_of=as_of,
        rows=spool.rows,
        kinds={each.name: each.kind for each in columns},
        words={name: len(dictionary.words) for name, dictionary in dictionaries.items()},
        parts=numbered.parts,
        streams=numbered.streams,
        tails=tails,
        directories=[0] * len(tails),
    )


def columns_for(present: Sequence[str]) -> list[Column]:
    """The columns of a store whose sources give these fields."""
    return [column(name) for name in dict.fromkeys((*REQUIRED, *present))]


def compact_generation(folder: Path, old: OpenedStore, *, generation: int) -> Manifest:
    """Write the same interactions anew, every slot in its place."""
    files = Files(folder / f"generation-{generation}")
    files.folder.mkdir(parents=True)
    columns = old.manifest.columns()

    def rewrite(number: int) -> int:
        directory = old.directories[number]
        start, length = directory.start, directory.length
        order: NDArray[np.int64] = np.arange(old.manifest.tails[number], dtype=np.int64)
        return write_bucket(
            files,
            number,
            columns,
            lambda name: old.read(number, name),
            PersonRuns(directory.person, start, length, order),
        )

    tails = list(run(rewrite, range(old.manifest.bucket_count + 1)))
    for name, dictionary in old.dictionaries.items():
        write_words(files.words(name), dictionary.words, 0)
    identities = old.identities()
    write_arrays(files.identities(0), [identities.handle, identities.person])
    return old.manifest.next(generation=generation, tails=tails, directories=[0] * len(tails), overlay=0)
