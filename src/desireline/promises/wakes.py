"""When time alone, with nothing else happening, changes what the ledger says of an instance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.openings import O_OPENING, O_PROMISE, O_SETTLING, O_VERDICT, Ints, Longs, Spans, lasting
from desireline.promises.terms import T_COUNT, T_NEVER, T_THEN, T_WINDOW
from desireline.promises.verdicts import BROKEN, WAITING, passes_at
from desireline.storage.engines import kernel


@kernel
def ends_of(
    lines: Ints, dues: Longs, time: Longs, table: Longs, durations: Longs, spans: Spans, as_of: int
) -> NDArray[np.int64]:
    """(2, instances) int64: when time alone next changes each instance, after `as_of`; and when its window ends.

    `NONE` where there is none. With the interactions known, an instance changes at most once more: an open answer
    at its due, whatever else already broke it; one that only has to last, when its last part has passed.
    """
    ends = np.empty((2, len(dues)), dtype=np.int64)
    for i in range(len(dues)):
        q, verdict, due = lines[O_PROMISE, i], lines[O_VERDICT, i], dues[i]
        counted, answer = table[q, T_COUNT] >= 0, table[q, T_THEN] != 0
        window = lasting(time[lines[O_OPENING, i]], table[q, T_WINDOW], durations, spans) if counted else NONE
        ends[0, i], ends[1, i] = NONE, window
        if answer and lines[O_SETTLING, i] < 0:
            if verdict in (WAITING, BROKEN) and due != NONE and due > as_of:
                ends[0, i] = due
        elif verdict == WAITING and not (counted and window == NONE):
            only_due = table[q, T_NEVER] != 0 and not answer
            passes = passes_at(due, window, table, q)
            if not (only_due and due == NONE) and passes != NONE and passes > as_of:
                ends[0, i] = passes
    return ends
