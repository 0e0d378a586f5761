"""Which bucket a person lies in: people are spread evenly, and the same person always lies in the same one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def buckets_of(person: NDArray[np.int64], bucket_count: int) -> NDArray[np.int64]:
    """The bucket number of each person; `bucket_count` is a power of two.

    Mixes the bits with the finaliser of SplitMix64 (Steele, Lea and Flood 2014), so that ids that
    follow one another are spread as evenly as random ones.
    """
    mixed = person.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed & np.uint64(bucket_count - 1)).astype(np.int64)


def bucket_of(person: int, bucket_count: int) -> int:
    """The bucket number of one person."""
    return int(buckets_of(np.array([person], dtype=np.int64), bucket_count)[0])
