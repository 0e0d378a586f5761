"""The kernel of the world: three years of one customer after another."""

from __future__ import annotations

from desireline.storage.engines import typed_kernel
from desireline.world import kinds, moments
from desireline.world.cards import fraud_alert, lost_card
from desireline.world.clock import HOUR_MS, need_arises
from desireline.world.moments import END_MS, START_MS
from desireline.world.needs import complaint, judge_sales, new_account, question, transfer_mistake
from desireline.world.record import (
    CAMPAIGN,
    COMPLAINTS_BEGIN,
    NOW_ACTIVITY,
    NOW_ADOPTED,
    NOW_COMPLAINTS,
    NOW_PERSON,
    NOW_SUBSCRIBES,
    VALUE,
    Life,
    as_channel_tells,
    begin_nothing,
    begin_person,
    chances,
    note,
    write,
)
from desireline.world.service import DAY_SECONDS, reach_out, sell
from desireline.world.streams import between, draw, happens

PERSONALITY, HOW_OFTEN, WEB_VISIT, APP_VISIT, NEWSLETTER, NOTICE, BRANCH_VISIT, MENTION, PROFILE = range(10, 19)
FORTNIGHT_MS = 14 * DAY_SECONDS * 1000


@typed_kernel("void(int64[::1])")
def describe(life: Life) -> None:
    """What drives the customer: how active, from when on digital, and whether they take the newsletter."""
    chance = chances(life, PERSONALITY, 0)
    roll = between(chance, 0, 0, 1000)
    life[NOW_ACTIVITY] = (
        550 if roll < 400 else 900 if roll < 750 else 1500 if roll < 930 else 2200 if roll < 990 else 5000
    )
    life[NOW_ADOPTED] = START_MS + between(chance, 1, 0, 2 * 1096) * DAY_SECONDS * 1000
    life[NOW_SUBSCRIBES] = 1 if happens(chance, 2, 600) else 0


@typed_kernel("int64(int64[::1], int64, int64)")
def how_many(life: Life, mechanism: int, mean_permille: int) -> int:
    """How often something happens to a customer in the three years, around a mean in thousandths."""
    chance = chances(life, HOW_OFTEN, mechanism)
    return (mean_permille * between(chance, 0, 300, 1700) // 1000 + between(chance, 1, 0, 1000)) // 1000


@typed_kernel("void(int64[::1])")
def stories(life: Life) -> None:
    """The stories of the named customers, told as they are told in the manual."""
    if life[NOW_PERSON] == moments.TRANSFER_PERSON:
        transfer_mistake(life, 900, moments.TRANSFER_MOMENT)
    elif life[NOW_PERSON] == moments.FRAUD_PERSON:
        fraud_alert(life, 900, moments.FRAUD_MOMENT)
    elif life[NOW_PERSON] in (moments.QUIET_PERSON, moments.LOUD_PERSON):
        question(life, 900, moments.SOCIAL_MOMENT)


@typed_kernel("void(int64[::1])")
def needs(life: Life) -> None:
    """Every need of a customer and the journey it starts."""
    for number in range(how_many(life, 3, 7 * life[NOW_ACTIVITY])):
        question(life, number, 0)
    for number in range(how_many(life, 4, 380 * life[NOW_ACTIVITY] // 1000)):
        complaint(life, number)
    for number in range(how_many(life, 1, 330 * life[NOW_ACTIVITY] // 1000)):
        lost_card(life, number)
    for number in range(how_many(life, 2, 280 * life[NOW_ACTIVITY] // 1000)):
        fraud_alert(life, number, 0)
    for number in range(how_many(life, 5, 170 * life[NOW_ACTIVITY] // 1000)):
        transfer_mistake(life, number, 0)
    if how_many(life, 6, 420) > 0:
        new_account(life)
    stories(life)


@typed_kernel("void(int64[::1])")
def visits(life: Life) -> None:
    """Visits to the web site, a few pages each, and to the app."""
    for number in range(how_many(life, WEB_VISIT, 7 * life[NOW_ACTIVITY])):
        chance = chances(life, WEB_VISIT, number)
        moment = need_arises(life, chance, 0) + between(chance, 3, 0, 1000)
        if happens(chance, 4, 350):
            write(life, moment, kinds.WEB_LOGIN, kinds.WEB)
        for page in range(between(chance, 5, 1, 6)):
            moment += between(chance, 6 + page, 4_000, 240_000)
            kind = kinds.PAGE_SEARCHED if draw(chance, 12 + page) % 8 == 0 else kinds.PAGE_VIEWED
            write(life, moment, kind, kinds.WEB)
    if START_MS <= life[NOW_ADOPTED] <= END_MS:
        write(life, life[NOW_ADOPTED] + 10 * HOUR_MS, kinds.PORTAL_ADOPTED, kinds.WEB)
    for number in range(how_many(life, APP_VISIT, 21 * life[NOW_ACTIVITY])):
        chance = chances(life, APP_VISIT, number)
        moment = need_arises(life, chance, 0)
        write(life, moment, kinds.APP_LOGIN, kinds.APP)
        if happens(chance, 3, 300):
            write(life, moment + between(chance, 4, 5, 90) * 1000, kinds.APP_BALANCE, kinds.APP)


@typed_kernel("boolean(int64[::1], int64)")
def held_back(life: Life, moment: int) -> bool:
    """Whether the customer complained within the 14 days before this moment."""
    for number in range(life[NOW_COMPLAINTS]):
        if 0 <= moment - life[COMPLAINTS_BEGIN + 2 * number] <= FORTNIGHT_MS:
            return True
    return False


@typed_kernel("void(int64[::1])")
def messages(life: Life) -> None:
    """Newsletters to those who take them, mostly not while they wait on a complaint, and notices by text."""
    for number in range(how_many(life, NEWSLETTER, 14_000) * life[NOW_SUBSCRIBES]):
        chance = chances(life, NEWSLETTER, number)
        moment = need_arises(life, chance, 0)
        if held_back(life, moment) and happens(chance, 3, 900):
            continue
        campaign = 1 + (moment - START_MS) // FORTNIGHT_MS
        sell(life, moment, kinds.NEWSLETTER_SENT, campaign)
        if happens(chance, 4, 300):
            opened = as_channel_tells(kinds.EMAIL, moment + between(chance, 5, 120, 86_400) * 1000)
            note(life, write(life, opened, kinds.NEWSLETTER_OPENED, kinds.EMAIL), CAMPAIGN, campaign)
    for number in range(how_many(life, NOTICE, 8 * life[NOW_ACTIVITY])):
        chance = chances(life, NOTICE, number)
        reach_out(life, chance, 3, need_arises(life, chance, 0), kinds.NOTICE_SENT, kinds.SMS)


@typed_kernel("void(int64[::1])")
def everyday(life: Life) -> None:
    """What belongs to no case: visits, logins, newsletters, notices, branch errands, a word in public."""
    visits(life)
    messages(life)
    for number in range(how_many(life, BRANCH_VISIT, 2 * life[NOW_ACTIVITY])):
        chance = chances(life, BRANCH_VISIT, number)
        row = write(life, need_arises(life, chance, 0), kinds.BRANCH_VISITED, kinds.BRANCH)
        note(life, row, VALUE, between(chance, 3, 10, 900) * 500)
    for number in range(how_many(life, MENTION, 700 * life[NOW_ACTIVITY] // 1000)):
        chance = chances(life, MENTION, number)
        write(life, need_arises(life, chance, 0), kinds.BANK_MENTIONED, kinds.SOCIAL)
    for number in range(1 + how_many(life, PROFILE, 300)):
        chance = chances(life, PROFILE, number)
        write(life, need_arises(life, chance, 0), kinds.PROFILE_UPDATED, kinds.BACKOFFICE)


@typed_kernel("void(int64[::1], int64, int64, int64)")
def lives(life: Life, seed: int, first: int, after_last: int) -> None:
    """Live the three years of every customer from `first` up to, not including, `after_last`."""
    for person in range(first, after_last):
        begin_person(life, seed, person)
        describe(life)
        needs(life)
        begin_nothing(life)
        everyday(life)
        judge_sales(life)
        if person == 1:
            write(life, END_MS, kinds.APP_LOGIN, kinds.APP)
