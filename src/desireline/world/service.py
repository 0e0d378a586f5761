"""How the bank serves: contacts on each channel, questions and their answers."""

from __future__ import annotations

from desireline.storage.engines import typed_kernel
from desireline.world import kinds
from desireline.world.clock import HOUR_MS, MINUTE_MS, after_open_hours
from desireline.world.planted import BUYS_PERMILLE
from desireline.world.record import (
    BROKEN,
    CAMPAIGN,
    MOST_SALES,
    NEVER,
    NOW_SALES,
    SALES_BEGIN,
    STAFF,
    VALUE,
    Life,
    as_channel_tells,
    note,
    seen,
    write,
    write_part,
)
from desireline.world.streams import Stream, between, draw, happens

DAY_SECONDS = 86_400
STAFF_MEMBERS = 240
IN_TIME, TOO_LATE, NO_ANSWER = range(3)


@typed_kernel("int64(UniTuple(int64, 2), int64, int64, int64)")
def within(chance: Stream, place: int, begin: int, end: int) -> int:
    """A moment from `begin` up to, not including, `end`, in whole seconds after `begin`."""
    return begin + between(chance, place, 0, max(1, (end - begin) // 1000)) * 1000


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64)")
def pick_up(life: Life, chance: Stream, place: int, answered: int) -> None:
    """Somebody picks up the call begun last, and it ends some minutes later."""
    agent = write_part(life, answered, kinds.CALL_ANSWERED, kinds.PHONE, 1)
    note(life, agent, STAFF, 1 + draw(chance, place) % STAFF_MEMBERS)
    write_part(life, answered + between(chance, place, 60, 900) * 1000, kinds.CALL_ENDED, kinds.PHONE, 2)


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64, int64, int64)")
def contact(life: Life, chance: Stream, place: int, moment: int, kind: int, channel: int) -> int:
    """A customer makes contact; on the phone somebody picks up and the call ends (places +0 and +1)."""
    opening = write(life, moment, kind, channel)
    if channel == kinds.PHONE:
        answered = moment + between(chance, place, 8, 110) * 1000
        pick_up(life, chance, place + 1, answered)
    return opening


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64, int64, int64)")
def reach_out(life: Life, chance: Stream, place: int, moment: int, kind: int, channel: int) -> int:
    """The bank makes contact; a call ends some minutes later."""
    row = write(life, moment, kind, channel)
    note(life, row, STAFF, 1 + draw(chance, place) % STAFF_MEMBERS)
    if channel == kinds.PHONE:
        write_part(life, moment + between(chance, place, 60, 900) * 1000, kinds.CALL_ENDED, kinds.PHONE, 2)
    return row


@typed_kernel("int64(int64[::1], int64, int64)")
def answer_due(life: Life, moment: int, channel: int) -> int:
    """By when a question on this channel is promised an answer; an unlisted channel takes the latest."""
    if channel in (kinds.PHONE, kinds.CHAT):
        return moment + 2 * MINUTE_MS
    hours = 1 if channel == kinds.SOCIAL else 4
    return after_open_hours(life, moment, hours * HOUR_MS)


@typed_kernel("int64(UniTuple(int64, 2), int64, int64, int64, int64, int64)")
def answered_at(chance: Stream, place: int, asked: int, channel: int, due: int, how: int) -> int:
    """When the answer comes: in time, too late, or never."""
    if how == NO_ANSWER:
        return NEVER
    if how == IN_TIME:
        soonest = asked + (5_000 if channel in (kinds.PHONE, kinds.CHAT) else MINUTE_MS)
        return as_channel_tells(channel, within(chance, place, soonest, due))
    if channel in (kinds.PHONE, kinds.CHAT):
        return within(chance, place, due + 1_000, due + 20 * MINUTE_MS)
    return as_channel_tells(channel, within(chance, place, due + 2 * MINUTE_MS, due + 72 * HOUR_MS))


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64, int64)")
def answer(life: Life, chance: Stream, place: int, answered: int, channel: int) -> None:
    """Write the answer where the question's channel keeps it: in the same call or chat, else on its own."""
    if not seen(answered):
        return
    if channel == kinds.PHONE:
        pick_up(life, chance, place, answered)
        return
    if channel == kinds.CHAT:
        row = write_part(life, answered, kinds.CHAT_ANSWERED, channel, 1)
    else:
        row = write(life, answered, kinds.QUESTION_ANSWERED, channel)
    note(life, row, STAFF, 1 + draw(chance, place) % STAFF_MEMBERS)


@typed_kernel("void(int64[::1], int64)")
def remember_sale(life: Life, moment: int) -> None:
    """Note a selling message in the person's notebook: complaints must not see one."""
    if seen(moment) and life[NOW_SALES] < MOST_SALES:
        life[SALES_BEGIN + life[NOW_SALES]] = moment
        life[NOW_SALES] += 1


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64, int64, int64)")
def perhaps_buys(life: Life, chance: Stream, place: int, moment: int, verdict: int, lost_permille: int) -> None:
    """The effect of a moment: within 90 days a customer buys with 30 % chance, less after a broken promise."""
    bought = within(chance, place, moment + 20 * 24 * HOUR_MS, moment + 80 * 24 * HOUR_MS)
    chance_permille = BUYS_PERMILLE - (lost_permille if verdict == BROKEN else 0)
    if happens(chance, place + 1, chance_permille):
        row = write(life, bought, kinds.PRODUCT_BOUGHT, kinds.BACKOFFICE)
        note(life, row, VALUE, between(chance, place + 2, 4_000, 36_000))


@typed_kernel("int64(int64[::1], int64, int64, int64)")
def sell(life: Life, moment: int, kind: int, campaign: int) -> int:
    """Send a selling e-mail and note it."""
    sent = as_channel_tells(kinds.EMAIL, moment)
    row = write(life, sent, kind, kinds.EMAIL)
    note(life, row, CAMPAIGN, campaign)
    remember_sale(life, sent)
    return row
