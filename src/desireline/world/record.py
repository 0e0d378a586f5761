"""How the world writes down what happens: rows of interactions and the verdicts planted with them."""

from __future__ import annotations

from typing import NamedTuple

from desireline.storage.engines import kernel
from desireline.world.clock import END_MS, MINUTE_MS, Clock, Numbers
from desireline.world.kinds import EMAIL

PERSON, TIME, KIND, CHANNEL, CASE, ORDER, CAMPAIGN, VALUE, STAFF, POWER, SCORE, SUBJECT, RECORD, PART, JOURNEY = range(
    15
)
ROW_WIDTH = 15
"""Columns of a row. RECORD is the export row it lies in, PART which of that row's interactions it is."""

PROMISE, OPENING, VERDICT, BREACH, MADE_GOOD, PLANT_JOURNEY = range(6)
PLANT_WIDTH = 6
"""Columns of a planted verdict; OPENING is the number of the opening row."""

NOW_ROWS, NOW_PLANTS, NOW_PERSON, NOW_CASE, NOW_ORDER, NOW_JOURNEY, NOW_RECORD, NOW_KEY, NOW_SALES, NOW_COMPLAINTS = (
    range(10)
)
SALES_BEGIN, MOST_SALES = 10, 512
COMPLAINTS_BEGIN, MOST_COMPLAINTS = SALES_BEGIN + MOST_SALES, 64
NOW_WIDTH = COMPLAINTS_BEGIN + 2 * MOST_COMPLAINTS
"""The running state of the kernel: how far it has written, what it is writing about, and the customer's notebook
of selling messages (their moments) and complaints (moment, place of the planted verdict)."""

WAITING, KEPT, BROKEN, WITHDRAWN = range(4)
NO_BREACH = -1
FORBIDDEN, REPEATED, WITHOUT_CONSENT, WRONG_CHANNEL, WRONG_HANDS, LATE, MISSING = range(7)
"""Verdicts and kinds of breach, numbered as in `vocabulary.promise`."""

NEVER = -1
KEYS_A_PERSON = 1024
RECORDS_A_PERSON = 8192


class Life(NamedTuple):
    """Where the kernel writes: rows, planted verdicts, running state, and the person's notebook."""

    clock: Clock
    rows: Numbers
    plants: Numbers
    now: Numbers


class Who(NamedTuple):
    """One customer as the kernel sees them. Followers never reach the code that answers."""

    seed: int
    number: int
    activity_permille: int
    adopted_at: int
    subscriber: int


@kernel
def begin_person(life: Life, person: int) -> None:
    """Turn to the next customer."""
    life.now[NOW_PERSON] = person
    life.now[NOW_KEY] = person * KEYS_A_PERSON
    life.now[NOW_RECORD] = person * RECORDS_A_PERSON
    life.now[NOW_SALES] = 0
    life.now[NOW_COMPLAINTS] = 0
    begin_nothing(life)


@kernel
def begin_nothing(life: Life) -> None:
    """What comes next belongs to no journey, case or order."""
    life.now[NOW_CASE] = 0
    life.now[NOW_ORDER] = 0
    life.now[NOW_JOURNEY] = 0


@kernel
def begin_case(life: Life) -> None:
    """A new journey with a case number of its own."""
    life.now[NOW_KEY] += 1
    life.now[NOW_CASE] = life.now[NOW_KEY]
    life.now[NOW_ORDER] = 0
    life.now[NOW_JOURNEY] = life.now[NOW_KEY]


@kernel
def begin_order(life: Life) -> None:
    """A new journey with an order number of its own."""
    begin_case(life)
    life.now[NOW_ORDER] = life.now[NOW_CASE]
    life.now[NOW_CASE] = 0


@kernel
def write(life: Life, moment: int, kind: int, channel: int) -> int:
    """Write one interaction in an export row of its own; the number of its row, -1 after the world's end."""
    life.now[NOW_RECORD] += 1
    return write_part(life, moment, kind, channel, 0)


@kernel
def write_part(life: Life, moment: int, kind: int, channel: int, part: int) -> int:
    """Write one interaction into the export row begun last."""
    if moment > END_MS:
        return NEVER
    place = int(life.now[NOW_ROWS])
    life.now[NOW_ROWS] = place + 1
    if place < life.rows.shape[0]:
        row = life.rows[place]
        row[PERSON] = life.now[NOW_PERSON]
        row[TIME] = moment
        row[KIND] = kind
        row[CHANNEL] = channel
        row[CASE] = life.now[NOW_CASE]
        row[ORDER] = life.now[NOW_ORDER]
        row[CAMPAIGN] = 0
        row[VALUE] = -1
        row[STAFF] = 0
        row[POWER] = 0
        row[SCORE] = 0
        row[SUBJECT] = 0
        row[RECORD] = life.now[NOW_RECORD]
        row[PART] = part
        row[JOURNEY] = life.now[NOW_JOURNEY]
    return place


@kernel
def note(life: Life, row: int, column: int, value: int) -> None:
    """Add one more fact to a written row."""
    if 0 <= row < life.rows.shape[0]:
        life.rows[row, column] = value


@kernel
def plant(life: Life, promise: int, opening: int, verdict: int, breach: int, made_good: int) -> int:
    """Write down which verdict was planted for an opening; its number, -1 when it never opened."""
    if opening < 0:
        return NEVER
    place = int(life.now[NOW_PLANTS])
    life.now[NOW_PLANTS] = place + 1
    if place < life.plants.shape[0]:
        planted = life.plants[place]
        planted[PROMISE] = promise
        planted[OPENING] = opening
        planted[VERDICT] = verdict
        planted[BREACH] = breach
        planted[MADE_GOOD] = made_good
        planted[PLANT_JOURNEY] = life.now[NOW_JOURNEY]
    return place


@kernel
def seen(moment: int) -> bool:
    """Whether something happened, and within the world's three years."""
    return 0 <= moment <= END_MS


@kernel
def plant_deadline(life: Life, promise: int, opening: int, due: int, settled: int, made_good: int) -> int:
    """Plant the verdict of a plain deadline; `settled` is the answer's moment, -1 for none."""
    if seen(settled) and settled <= due:
        return plant(life, promise, opening, KEPT, NO_BREACH, 0)
    if due > END_MS:
        return plant(life, promise, opening, WAITING, NO_BREACH, 0)
    return plant(life, promise, opening, BROKEN, LATE if seen(settled) else MISSING, made_good)


@kernel
def plant_breach_at_due(life: Life, promise: int, opening: int, due: int, breach: int, made_good: int) -> int:
    """Plant a breach which becomes one when the due passes: the wrong channel or the wrong hands."""
    if due > END_MS:
        return plant(life, promise, opening, WAITING, NO_BREACH, 0)
    return plant(life, promise, opening, BROKEN, breach, made_good)


@kernel
def as_channel_tells(channel: int, moment: int) -> int:
    """The moment as the channel's system knows it: mail is kept to the minute, the rest to the second."""
    if channel == EMAIL:
        return moment - moment % MINUTE_MS
    return moment - moment % 1000


@kernel
def verdict_of(life: Life, place: int) -> int:
    """The verdict planted at a place; waiting when nothing was planted there."""
    if 0 <= place < life.plants.shape[0]:
        return int(life.plants[place, VERDICT])
    return WAITING
