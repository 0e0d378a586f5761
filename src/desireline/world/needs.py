"""Journeys of need: questions, complaints, a mistaken transfer, a new account."""

from __future__ import annotations

from desireline.storage.engines import typed_kernel
from desireline.world import kinds, planted
from desireline.world.clock import DAY_MS, HOUR_MS, MINUTE_MS, after_open_days, need_arises
from desireline.world.moments import END_MS
from desireline.world.record import (
    BROKEN,
    COMPLAINTS_BEGIN,
    FORBIDDEN,
    KEPT,
    MOST_COMPLAINTS,
    NEVER,
    NO_BREACH,
    NOW_ADOPTED,
    NOW_COMPLAINTS,
    NOW_SALES,
    POWER,
    SALES_BEGIN,
    SCORE,
    STAFF,
    SUBJECT,
    VALUE,
    WAITING,
    WITHDRAWN,
    WITHOUT_CONSENT,
    WRONG_CHANNEL,
    WRONG_HANDS,
    Life,
    as_channel_tells,
    begin_case,
    begin_order,
    chances,
    note,
    plant,
    plant_breach_at_due,
    plant_deadline,
    replant,
    seen,
    verdict_of,
    write,
    write_part,
)
from desireline.world.service import (
    IN_TIME,
    NO_ANSWER,
    STAFF_MEMBERS,
    TOO_LATE,
    answer,
    answer_due,
    answered_at,
    contact,
    perhaps_buys,
    reach_out,
    sell,
    within,
)
from desireline.world.streams import Stream, between, draw, happens

QUESTION, COMPLAINT, TRANSFER, NEW_ACCOUNT = 3, 4, 5, 6
CALLS_PERMILLE, CALLS_AMBIGUOUS_PERMILLE, CALLS_CLEAR_PERMILLE = 500, 570, 355
"""Chance that a question becomes a call: before digital use, and after it for ambiguous (+14 %) and clear (-29 %)."""
AMBIGUOUS_SUBJECTS, SUBJECTS = 4, 8


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, boolean)")
def question_channel(life: Life, chance: Stream, asked: int, ambiguous: bool) -> int:
    """Where a question is asked; -1 when the help page answers it. Adopters read the help page first."""
    adopted = asked >= life[NOW_ADOPTED]
    calls = CALLS_PERMILLE
    if adopted:
        calls = CALLS_AMBIGUOUS_PERMILLE if ambiguous else CALLS_CLEAR_PERMILLE
        row = write(life, asked - between(chance, 5, 60, 900) * 1000, kinds.HELP_READ, kinds.WEB)
        note(life, row, SUBJECT, 1 if ambiguous else 1 + AMBIGUOUS_SUBJECTS)
    if happens(chance, 6, calls):
        return kinds.PHONE
    if adopted and not ambiguous and happens(chance, 7, 400):
        return NEVER
    roll = between(chance, 8, 0, 100)
    if roll < 36:
        return kinds.EMAIL
    if roll < 66:
        return kinds.CHAT
    if roll < 76:
        return kinds.APP
    if roll < 84:
        return kinds.SOCIAL
    return kinds.BRANCH if roll < 94 else kinds.WEB


@typed_kernel("int64(UniTuple(int64, 2), int64, int64)")
def how_answered(chance: Stream, place: int, channel: int) -> int:
    """Whether this question is answered in time, too late or not at all; who asks plays no part in it."""
    kept = 960
    if channel == kinds.PHONE:
        kept = 905
    elif channel == kinds.CHAT:
        kept = 935
    elif channel == kinds.EMAIL:
        kept = 890
    elif channel == kinds.SOCIAL:
        kept = 915
    roll = between(chance, place, 0, 1000)
    if roll < kept:
        return IN_TIME
    return TOO_LATE if roll < kept + (1000 - kept) * 6 // 10 else NO_ANSWER


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64)")
def ask_again(life: Life, chance: Stream, asked: int, subject: int) -> int:
    """Who got no answer often calls within two days about the same case; when the answer came, -1 never."""
    if not happens(chance, 20, 600):
        return NEVER
    again = asked + between(chance, 21, 3_600, 2 * 86_400) * 1000
    opening = write(life, again, kinds.QUESTION_ASKED, kinds.PHONE)
    note(life, opening, SUBJECT, subject)
    due = answer_due(life, again, kinds.PHONE)
    answered = answered_at(chance, 23, again, kinds.PHONE, due, how_answered(chance, 22, kinds.PHONE))
    answer(life, chance, 24, answered, kinds.PHONE)
    plant_deadline(life, planted.EVERYONE_ANSWERED, opening, due, answered, 0)
    return answered


@typed_kernel("void(int64[::1], int64, int64)")
def question(life: Life, occurrence: int, told_at: int) -> None:
    """Somebody has a question; digital use raises calls when it is ambiguous and lowers them when it is clear.

    `told_at` above 0 tells the story of a public question on social media, answered after 25 minutes.
    """
    chance = chances(life, QUESTION, occurrence)
    begin_case(life)
    asked = told_at if told_at > 0 else need_arises(life, chance, 0)
    ambiguous = happens(chance, 3, 450)
    subject = 1 + between(chance, 4, 0, AMBIGUOUS_SUBJECTS)
    if not ambiguous:
        subject += AMBIGUOUS_SUBJECTS
    channel = kinds.SOCIAL
    if told_at == 0:
        channel = question_channel(life, chance, asked, ambiguous)
    if channel < 0:
        return
    asked = as_channel_tells(channel, asked)
    opening = write(life, asked, kinds.QUESTION_ASKED, channel)
    note(life, opening, SUBJECT, subject)
    due = answer_due(life, asked, channel)
    if told_at > 0:
        answered = asked + 25 * MINUTE_MS
    else:
        answered = answered_at(chance, 11, asked, channel, due, how_answered(chance, 10, channel))
    answer(life, chance, 12, answered, channel)
    if answered < 0:
        answered = ask_again(life, chance, asked, subject)
    plant_deadline(life, planted.EVERYONE_ANSWERED, opening, due, answered, 0)


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64)")
def reply(life: Life, chance: Stream, opened: int, ticket: int) -> int:
    """The first reply, within two working days, by someone who may refund; its moment."""
    due = after_open_days(life, opened, 2)
    roll = between(chance, 10, 0, 1000)
    if roll >= 985:
        plant_deadline(life, planted.REPLIED_BY_WHO_MAY_DECIDE, ticket, due, NEVER, 0)
        return NEVER
    power = kinds.MAY_REFUND
    moment = within(chance, 11, opened + 5 * MINUTE_MS, due)
    if 890 <= roll < 950:
        power = kinds.MAY_LISTEN
    elif roll >= 950:
        moment = within(chance, 11, due + HOUR_MS, due + 2 * DAY_MS)
    row = write_part(life, moment, kinds.COMPLAINT_REPLIED, kinds.EMAIL, 1)
    note(life, row, POWER, power)
    note(life, row, STAFF, 1 + draw(chance, 12) % STAFF_MEMBERS)
    if power == kinds.MAY_LISTEN and seen(moment):
        plant_breach_at_due(life, planted.REPLIED_BY_WHO_MAY_DECIDE, ticket, due, WRONG_HANDS, 0)
    else:
        settled = moment if power == kinds.MAY_REFUND else NEVER
        plant_deadline(life, planted.REPLIED_BY_WHO_MAY_DECIDE, ticket, due, settled, 0)
    return moment


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, boolean)")
def rate(life: Life, chance: Stream, solved: int, kept: bool) -> None:
    """Half of the customers rate how it was solved: from 1 to 5, lower when it took too long."""
    if happens(chance, 30, 500):
        moment = solved + between(chance, 31, 86_400, 5 * 86_400) * 1000
        row = write_part(life, moment, kinds.COMPLAINT_RATED, kinds.EMAIL, 3)
        note(life, row, SCORE, between(chance, 32, 3, 6) if kept else between(chance, 32, 1, 4))


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64, int64)")
def solve(life: Life, chance: Stream, opened: int, ticket: int, replied: int) -> int:
    """The complaint is solved within five working days, unless it is withdrawn: a step that burns."""
    due = after_open_days(life, opened, 5)
    roll = between(chance, 20, 0, 1000)
    kept, solved = roll < 660, NEVER
    withdrawn = NEVER
    if roll < 60:
        withdrawn = as_channel_tells(kinds.EMAIL, opened + between(chance, 21, 7_200, 40 * 3_600) * 1000)
    elif kept:
        solved = within(chance, 21, max(replied, opened) + HOUR_MS // 2, due)
    elif roll < 920:
        solved = within(chance, 21, due + HOUR_MS, due + 22 * DAY_MS)
    if solved > 0:
        row = write_part(life, solved, kinds.COMPLAINT_SOLVED, kinds.EMAIL, 2)
        note(life, row, STAFF, 1 + draw(chance, 22) % STAFF_MEMBERS)
        rate(life, chance, solved, kept)
    if withdrawn > 0:
        write(life, withdrawn, kinds.COMPLAINT_WITHDRAWN, kinds.EMAIL)
        verdict = WITHDRAWN if seen(withdrawn) else WAITING
        return plant(life, planted.COMPLAINT_SOLVED, ticket, verdict, NO_BREACH, 0)
    good = 0
    if not kept and happens(chance, 23, 350):
        paid = within(chance, 24, due + HOUR_MS, due + 9 * DAY_MS)
        good = 1 if seen(paid) else 0
        row = write(life, paid, kinds.GOODWILL_PAID, kinds.BACKOFFICE)
        note(life, row, VALUE, between(chance, 25, 1_000, 8_000))
    return plant_deadline(life, planted.COMPLAINT_SOLVED, ticket, due, solved, good)


@typed_kernel("void(int64[::1], int64)")
def complaint(life: Life, occurrence: int) -> None:
    """A complaint: replied to by someone who may decide, solved in a working week, and nothing sold meanwhile."""
    chance = chances(life, COMPLAINT, occurrence)
    begin_case(life)
    opened = need_arises(life, chance, 0)
    roll = between(chance, 3, 0, 100)
    channel = kinds.WEB if roll < 40 else kinds.EMAIL if roll < 65 else kinds.PHONE if roll < 90 else kinds.BRANCH
    ticket = write(life, opened, kinds.COMPLAINT_OPENED, channel)
    note(life, ticket, VALUE, between(chance, 4, 1_500, 90_000))
    if ticket >= 0 and life[NOW_COMPLAINTS] < MOST_COMPLAINTS:
        life[COMPLAINTS_BEGIN + 2 * life[NOW_COMPLAINTS]] = opened
        nothing_sold = plant(life, planted.NOTHING_SOLD, ticket, WAITING, NO_BREACH, 0)
        life[COMPLAINTS_BEGIN + 2 * life[NOW_COMPLAINTS] + 1] = nothing_sold
        life[NOW_COMPLAINTS] += 1
    replied = reply(life, chance, opened, ticket)
    solved = solve(life, chance, opened, ticket, replied)
    perhaps_buys(life, chance, 6, opened, verdict_of(life, solved), planted.LOST_AFTER_COMPLAINT)


@typed_kernel("void(int64[::1])")
def judge_sales(life: Life) -> None:
    """Plant for each complaint whether something was sold to the customer within 14 days of it."""
    for number in range(life[NOW_COMPLAINTS]):
        opened = int(life[COMPLAINTS_BEGIN + 2 * number])
        place = int(life[COMPLAINTS_BEGIN + 2 * number + 1])
        due = opened + 14 * DAY_MS
        verdict = KEPT if due <= END_MS else WAITING
        for sale in range(life[NOW_SALES]):
            if opened <= life[SALES_BEGIN + sale] <= due:
                verdict = BROKEN
        replant(life, place, verdict, FORBIDDEN if verdict == BROKEN else NO_BREACH)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64)")
def write_decision(life: Life, chance: Stream, moment: int, power: int) -> None:
    """The decision about a transfer, with who took it and what they may do."""
    row = write(life, moment, kinds.TRANSFER_DECIDED, kinds.BACKOFFICE)
    note(life, row, POWER, power)
    note(life, row, STAFF, 1 + draw(chance, 25) % STAFF_MEMBERS)


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64, boolean)")
def decide_transfer(life: Life, chance: Stream, reported: int, report: int, story: bool) -> int:
    """Someone decides about the mistaken transfer, with the power to undo it or without."""
    due = reported + HOUR_MS
    roll = 0 if story else between(chance, 20, 0, 1000)
    promptly = reported + 10 * MINUTE_MS if story else within(chance, 21, reported + 2 * MINUTE_MS, due)
    tardily = within(chance, 22, due + 1_000, due + 2 * DAY_MS)
    undone = promptly if roll < 925 else NEVER
    if 925 <= roll < 960:
        write_decision(life, chance, promptly, kinds.MUST_ASK)
        undone = tardily if happens(chance, 23, 500) else NEVER
    elif 960 <= roll < 990:
        undone = tardily
    if undone > 0:
        write_decision(life, chance, undone, kinds.MAY_UNDO)
        write(life, undone + between(chance, 24, 3_600, 3 * 86_400) * 1000, kinds.TRANSFER_RETURNED, kinds.BACKOFFICE)
    if 925 <= roll < 960 and seen(promptly):
        return plant_breach_at_due(life, planted.UNDONE_BY_WHO_ANSWERS, report, due, WRONG_HANDS, 0)
    return plant_deadline(life, planted.UNDONE_BY_WHO_ANSWERS, report, due, undone, 0)


@typed_kernel("void(int64[::1], int64, int64)")
def transfer_mistake(life: Life, occurrence: int, told_at: int) -> None:
    """A wrong amount is transferred; whoever answers may undo it within the hour, unless it shall stay.

    `told_at` above 0 tells the story: 2,000 instead of 200, a call, undone in ten minutes.
    """
    chance = chances(life, TRANSFER, occurrence)
    begin_case(life)
    story = told_at > 0
    made = told_at if story else need_arises(life, chance, 0)
    amount = 200_000 if story else between(chance, 3, 50, 4_000) * 1_000
    note(life, write(life, made, kinds.TRANSFER_MADE, kinds.BACKOFFICE), VALUE, amount)
    reported = made + (20 * MINUTE_MS if story else between(chance, 4, 300, 2 * 86_400) * 1000)
    roll = 0 if story else between(chance, 5, 0, 100)
    channel = kinds.PHONE if roll < 70 else kinds.CHAT if roll < 85 else kinds.BRANCH
    report = contact(life, chance, 6, reported, kinds.TRANSFER_MISTAKE_REPORTED, channel)
    note(life, report, VALUE, amount)
    if not story and happens(chance, 8, 50):
        stays = reported + between(chance, 9, 120, 3_000) * 1000
        write(life, stays, kinds.TRANSFER_KEPT, kinds.APP)
        verdict = WITHDRAWN if seen(stays) else WAITING
        plant(life, planted.UNDONE_BY_WHO_ANSWERS, report, verdict, NO_BREACH, 0)
        return
    decided = decide_transfer(life, chance, reported, report, story)
    perhaps_buys(life, chance, 10, reported, verdict_of(life, decided), planted.LOST_AFTER_TRANSFER)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64)")
def welcome(life: Life, chance: Stream, opened: int, account: int) -> None:
    """The new customer is welcomed by voice, in chat or face to face within five working days."""
    due = after_open_days(life, opened, 5)
    roll = between(chance, 20, 0, 1000)
    promptly = within(chance, 21, opened + HOUR_MS, due)
    tardily = within(chance, 22, due + HOUR_MS, due + 12 * DAY_MS)
    choice = between(chance, 23, 0, 100)
    voice = kinds.PHONE if choice < 60 else kinds.CHAT if choice < 80 else kinds.BRANCH
    moment = promptly if roll < 900 else tardily if 950 <= roll < 985 else NEVER
    by_mail = as_channel_tells(kinds.EMAIL, promptly)
    if 900 <= roll < 950:
        reach_out(life, chance, 24, by_mail, kinds.WELCOME_CONTACTED, kinds.EMAIL)
        moment = tardily if happens(chance, 25, 500) else NEVER
    if moment > 0:
        reach_out(life, chance, 26, moment, kinds.WELCOME_CONTACTED, voice)
    if 900 <= roll < 950 and seen(by_mail):
        welcomed = plant_breach_at_due(life, planted.WELCOMED_IN_PERSON, account, due, WRONG_CHANNEL, 0)
    else:
        welcomed = plant_deadline(life, planted.WELCOMED_IN_PERSON, account, due, moment, 0)
    perhaps_buys(life, chance, 27, opened, verdict_of(life, welcomed), planted.LOST_AFTER_WELCOME)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64, boolean)")
def offer(life: Life, chance: Stream, opened: int, account: int, consented: bool) -> None:
    """A personal offer within 30 days, but only while the customer's consent stands."""
    due = opened + 30 * DAY_MS
    withdrawn = NEVER
    if consented and happens(chance, 40, 90):
        withdrawn = opened + between(chance, 41, 86_400, 25 * 86_400) * 1000
        write(life, withdrawn, kinds.CONSENT_WITHDRAWN, kinds.WEB)
    roll = between(chance, 42, 0, 1000)
    sent = as_channel_tells(kinds.EMAIL, within(chance, 43, opened + 2 * DAY_MS, due))
    standing = consented and not 0 < withdrawn <= sent
    if standing and roll >= 955:
        late = as_channel_tells(kinds.EMAIL, within(chance, 43, due + DAY_MS, due + 20 * DAY_MS))
        sent = late if roll < 980 and withdrawn < 0 else NEVER
    elif not standing and roll >= 70:
        sent = NEVER
    if sent > 0:
        sell(life, sent, kinds.OFFER_SENT, 0)
    if standing and withdrawn < 0:
        plant_deadline(life, planted.OFFER_WITH_CONSENT, account, due, sent, 0)
    elif standing and seen(sent):
        plant(life, planted.OFFER_WITH_CONSENT, account, KEPT, NO_BREACH, 0)
    elif not standing and seen(sent):
        plant(life, planted.OFFER_WITH_CONSENT, account, BROKEN, WITHOUT_CONSENT, 0)
    else:
        verdict = WITHDRAWN if due <= END_MS else WAITING
        plant(life, planted.OFFER_WITH_CONSENT, account, verdict, NO_BREACH, 0)


@typed_kernel("void(int64[::1])")
def new_account(life: Life) -> None:
    """A new account: open in three working days, welcomed by a person, an offer only with consent."""
    chance = chances(life, NEW_ACCOUNT, 0)
    begin_order(life)
    started = need_arises(life, chance, 0)
    write(life, started, kinds.APPLICATION_STARTED, kinds.WEB if happens(chance, 3, 800) else kinds.BRANCH)
    consented = happens(chance, 4, 700)
    if consented:
        write(life, started + 60_000, kinds.CONSENT_GIVEN, kinds.WEB)
    complete = started + between(chance, 5, 600, 3 * 86_400) * 1000
    application = write(life, complete, kinds.APPLICATION_COMPLETE, kinds.BACKOFFICE)
    due = after_open_days(life, complete, 3)
    roll = between(chance, 6, 0, 1000)
    opened = NEVER
    if roll < 950:
        opened = within(chance, 7, complete + HOUR_MS, due)
    elif roll < 985:
        opened = within(chance, 7, due + HOUR_MS, due + 6 * DAY_MS)
    plant_deadline(life, planted.OPEN_IN_THREE_DAYS, application, due, opened, 0)
    if opened > 0:
        account = write(life, opened, kinds.ACCOUNT_OPENED, kinds.BACKOFFICE)
        welcome(life, chance, opened, account)
        offer(life, chance, opened, account, consented)
