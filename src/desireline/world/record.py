"""How the world writes down what happens: rows of interactions and the verdicts planted with them."""

from __future__ import annotations

import numpy as np

from desireline.storage.engines import typed_kernel
from desireline.world.clock import MINUTE_MS, STATE_BEGIN, STATE_WIDTH, Clock, Numbers
from desireline.world.kinds import EMAIL
from desireline.world.moments import END_MS
from desireline.world.streams import Stream, stream

PERSON, TIME, KIND, CHANNEL, CASE, ORDER, CAMPAIGN, VALUE, STAFF, POWER, SCORE, SUBJECT, RECORD, PART, JOURNEY = range(
    15
)
ROW_WIDTH = 15
"""Columns of a row. RECORD is the export row it lies in, PART which of that row's interactions it is."""

PROMISE, OPENING, VERDICT, BREACH, MADE_GOOD, PLANT_JOURNEY = range(6)
PLANT_WIDTH = 6
"""Columns of a planted verdict; OPENING is the number of the opening row."""

(
    NOW_ROWS,
    NOW_PLANTS,
    NOW_PERSON,
    NOW_CASE,
    NOW_ORDER,
    NOW_JOURNEY,
    NOW_RECORD,
    NOW_KEY,
    NOW_SEED,
    NOW_ACTIVITY,
    NOW_ADOPTED,
    NOW_SUBSCRIBES,
    NOW_SALES,
    NOW_COMPLAINTS,
    ROWS_BEGIN,
    ROWS_ROOM,
    PLANTS_BEGIN,
    PLANTS_ROOM,
) = range(STATE_BEGIN, STATE_BEGIN + 18)
SALES_BEGIN, MOST_SALES = STATE_BEGIN + 18, 512
COMPLAINTS_BEGIN, MOST_COMPLAINTS = SALES_BEGIN + MOST_SALES, 64
"""The running state of the kernel: how far it has written, what it is writing about, where rows and plants lie and
how many have room; then the customer's notebook of selling messages (their moments) and complaints (moment, and
number of the planted verdict)."""
assert COMPLAINTS_BEGIN + 2 * MOST_COMPLAINTS == STATE_BEGIN + STATE_WIDTH

WAITING, KEPT, BROKEN, WITHDRAWN = range(4)
NO_BREACH = -1
FORBIDDEN, REPEATED, WITHOUT_CONSENT, WRONG_CHANNEL, WRONG_HANDS, LATE, MISSING = range(7)
"""Verdicts and kinds of breach, numbered as in `vocabulary.promise`."""

NEVER = -1
KEYS_A_PERSON = 1024
RECORDS_A_PERSON = 8192


Life = Numbers
"""The one book the kernel reads and writes, one flat array: the clock, the running state, rows and planted verdicts.
One array, because compiled functions take the longer to compile the more arrays they pass on."""


def new_life(clock: Clock, *, rows: int, plants: int) -> Life:
    """An empty book with room for so many rows and planted verdicts."""
    life = np.zeros(len(clock) + rows * ROW_WIDTH + plants * PLANT_WIDTH, np.int64)
    life[: len(clock)] = clock
    life[ROWS_BEGIN], life[ROWS_ROOM] = len(clock), rows
    life[PLANTS_BEGIN], life[PLANTS_ROOM] = len(clock) + rows * ROW_WIDTH, plants
    return life


def written(life: Life) -> tuple[Numbers, Numbers] | None:
    """The rows and planted verdicts that were written; `None` when the book had too little room."""
    rows, plants = int(life[NOW_ROWS]), int(life[NOW_PLANTS])
    if rows > life[ROWS_ROOM] or plants > life[PLANTS_ROOM]:
        return None
    first_row, first_plant = int(life[ROWS_BEGIN]), int(life[PLANTS_BEGIN])
    return (
        life[first_row : first_row + rows * ROW_WIDTH].reshape(rows, ROW_WIDTH),
        life[first_plant : first_plant + plants * PLANT_WIDTH].reshape(plants, PLANT_WIDTH),
    )


@typed_kernel("void(int64[::1])")
def begin_nothing(life: Life) -> None:
    """What comes next belongs to no journey, case or order."""
    life[NOW_CASE] = 0
    life[NOW_ORDER] = 0
    life[NOW_JOURNEY] = 0


@typed_kernel("void(int64[::1], int64, int64)")
def begin_person(life: Life, seed: int, person: int) -> None:
    """Turn to the next customer."""
    life[NOW_SEED] = seed
    life[NOW_PERSON] = person
    life[NOW_KEY] = person * KEYS_A_PERSON
    life[NOW_RECORD] = person * RECORDS_A_PERSON
    life[NOW_SALES] = 0
    life[NOW_COMPLAINTS] = 0
    begin_nothing(life)


@typed_kernel("UniTuple(int64, 2)(int64[::1], int64, int64)")
def chances(life: Life, mechanism: int, occurrence: int) -> Stream:
    """The stream of chance of the customer's one mechanism, such as the third complaint."""
    return stream(life[NOW_SEED], life[NOW_PERSON], mechanism, occurrence)


@typed_kernel("void(int64[::1])")
def begin_case(life: Life) -> None:
    """A new journey with a case number of its own."""
    life[NOW_KEY] += 1
    life[NOW_CASE] = life[NOW_KEY]
    life[NOW_ORDER] = 0
    life[NOW_JOURNEY] = life[NOW_KEY]


@typed_kernel("void(int64[::1])")
def begin_order(life: Life) -> None:
    """A new journey with an order number of its own."""
    begin_case(life)
    life[NOW_ORDER] = life[NOW_CASE]
    life[NOW_CASE] = 0


@typed_kernel("int64(int64[::1], int64, int64, int64, int64)")
def write_part(life: Life, moment: int, kind: int, channel: int, part: int) -> int:
    """Write one interaction into the export row begun last."""
    if moment > END_MS:
        return NEVER
    place = int(life[NOW_ROWS])
    life[NOW_ROWS] = place + 1
    if place < life[ROWS_ROOM]:
        begin = int(life[ROWS_BEGIN]) + place * ROW_WIDTH
        life[begin + PERSON] = life[NOW_PERSON]
        life[begin + TIME] = moment
        life[begin + KIND] = kind
        life[begin + CHANNEL] = channel
        life[begin + CASE] = life[NOW_CASE]
        life[begin + ORDER] = life[NOW_ORDER]
        life[begin + CAMPAIGN] = 0
        life[begin + VALUE] = -1
        life[begin + STAFF] = 0
        life[begin + POWER] = 0
        life[begin + SCORE] = 0
        life[begin + SUBJECT] = 0
        life[begin + RECORD] = life[NOW_RECORD]
        life[begin + PART] = part
        life[begin + JOURNEY] = life[NOW_JOURNEY]
    return place


@typed_kernel("int64(int64[::1], int64, int64, int64)")
def write(life: Life, moment: int, kind: int, channel: int) -> int:
    """Write one interaction in an export row of its own; the number of its row, -1 after the world's end."""
    life[NOW_RECORD] += 1
    return write_part(life, moment, kind, channel, 0)


@typed_kernel("void(int64[::1], int64, int64, int64)")
def note(life: Life, row: int, column: int, value: int) -> None:
    """Add one more fact to a written row."""
    if 0 <= row < life[ROWS_ROOM]:
        life[life[ROWS_BEGIN] + row * ROW_WIDTH + column] = value


@typed_kernel("int64(int64[::1], int64, int64, int64, int64, int64)")
def plant(life: Life, promise: int, opening: int, verdict: int, breach: int, made_good: int) -> int:
    """Write down which verdict was planted for an opening; its number, -1 when it never opened."""
    if opening < 0:
        return NEVER
    place = int(life[NOW_PLANTS])
    life[NOW_PLANTS] = place + 1
    if place < life[PLANTS_ROOM]:
        begin = int(life[PLANTS_BEGIN]) + place * PLANT_WIDTH
        life[begin + PROMISE] = promise
        life[begin + OPENING] = opening
        life[begin + VERDICT] = verdict
        life[begin + BREACH] = breach
        life[begin + MADE_GOOD] = made_good
        life[begin + PLANT_JOURNEY] = life[NOW_JOURNEY]
    return place


@typed_kernel("boolean(int64)")
def seen(moment: int) -> bool:
    """Whether something happened, and within the world's three years."""
    return 0 <= moment <= END_MS


@typed_kernel("int64(int64[::1], int64, int64, int64, int64, int64)")
def plant_deadline(life: Life, promise: int, opening: int, due: int, settled: int, made_good: int) -> int:
    """Plant the verdict of a plain deadline; `settled` is the answer's moment, -1 for none."""
    if seen(settled) and settled <= due:
        return plant(life, promise, opening, KEPT, NO_BREACH, 0)
    if due > END_MS:
        return plant(life, promise, opening, WAITING, NO_BREACH, 0)
    return plant(life, promise, opening, BROKEN, LATE if seen(settled) else MISSING, made_good)


@typed_kernel("int64(int64[::1], int64, int64, int64, int64, int64)")
def plant_breach_at_due(life: Life, promise: int, opening: int, due: int, breach: int, made_good: int) -> int:
    """Plant a breach which becomes one when the due passes: the wrong channel or the wrong hands."""
    if due > END_MS:
        return plant(life, promise, opening, WAITING, NO_BREACH, 0)
    return plant(life, promise, opening, BROKEN, breach, made_good)


@typed_kernel("int64(int64, int64)")
def as_channel_tells(channel: int, moment: int) -> int:
    """The moment as the channel's system knows it: mail is kept to the minute, the rest to the second."""
    if channel == EMAIL:
        return moment - moment % MINUTE_MS
    return moment - moment % 1000


@typed_kernel("int64(int64[::1], int64)")
def verdict_of(life: Life, place: int) -> int:
    """The verdict planted at a place; waiting when nothing was planted there."""
    if 0 <= place < life[PLANTS_ROOM]:
        return int(life[life[PLANTS_BEGIN] + place * PLANT_WIDTH + VERDICT])
    return WAITING


@typed_kernel("void(int64[::1], int64, int64, int64)")
def replant(life: Life, place: int, verdict: int, breach: int) -> None:
    """Change a planted verdict once more is known about the customer's weeks after it."""
    if 0 <= place < life[PLANTS_ROOM]:
        begin = int(life[PLANTS_BEGIN]) + place * PLANT_WIDTH
        life[begin + VERDICT] = verdict
        life[begin + BREACH] = breach
