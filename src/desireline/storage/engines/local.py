"""One machine: kernels compiled by Numba, run bucket by bucket on a few threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import numba

from desireline.storage.engines.kernel_cache import keep_by_source

P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B")

keep_by_source()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a plain loop over arrays: compiled at its first call, kept in a cache keyed by its source.

    Runs without the interpreter lock, so buckets run side by side. With `NUMBA_DISABLE_JIT=1` the
    same function runs as plain Python, which is how coverage is measured.
    """
    made = numba.njit(cache=True, nogil=True, no_cfunc_wrapper=True)(function)
    if compiled():
        made.get_call_template = _of_any_constant(made.get_call_template)
    return made  # type: ignore[no-any-return]


def _of_any_constant(template_of: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel once for all constants that other kernels call it with, instead of once for each."""

    def of_plain_types(given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        plain = {name: numba.types.unliteral(each) for name, each in named.items()}
        return template_of(tuple(numba.types.unliteral(each) for each in given), plain)

    return of_plain_types


def typed_kernel(takes: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A kernel compiled once, for the types given as `answer(arguments)`, whatever constants it is called with.

    A plain `kernel` that other kernels call is compiled again for every constant they pass to it. This one is
    compiled (or taken from the cache) where it is defined.
    """

    def marked(function: Callable[P, R]) -> Callable[P, R]:
        return numba.njit(takes, cache=True, nogil=True, no_cfunc_wrapper=True)(function)  # type: ignore[no-any-return]

    return marked


def borrowing_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel for use inside others, that makes no arrays and only borrows those it is given.

    Nobody counts references to borrowed arrays, so that small steps called millions of times cost what they do.
    """
    return numba.njit(cache=True, nogil=True, _nrt=False)(function)  # type: ignore[no-any-return]


def compiled() -> bool:
    """Whether kernels are compiled in this process (they are not while coverage is measured)."""
    return not numba.config.DISABLE_JIT


def threads() -> int:
    """How many threads work side by side: `DESIRELINE_THREADS`, else the machine's cores."""
    return max(1, int(os.environ.get("DESIRELINE_THREADS", "0")) or os.cpu_count() or 1)


def run(work: Callable[[B], R], buckets: Iterable[B]) -> Sequence[R]:
    """Run a piece of work on every bucket and return the partial results in the buckets' order."""
    items = list(buckets)
    if threads() == 1 or len(items) < 2:
        return [work(bucket) for bucket in items]
    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(work, items))
