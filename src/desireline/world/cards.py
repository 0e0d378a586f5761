"""Journeys of alarm: a lost card, and a fraud alert with its proof and the promised note."""

from __future__ import annotations

from desireline.storage.engines import typed_kernel
from desireline.world import kinds, planted
from desireline.world.clock import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    after_open_days,
    after_open_hours,
    need_arises,
    next_summary,
)
from desireline.world.moments import END_MS
from desireline.world.record import (
    BROKEN,
    FORBIDDEN,
    KEPT,
    NEVER,
    NO_BREACH,
    REPEATED,
    VALUE,
    WAITING,
    WITHDRAWN,
    WRONG_CHANNEL,
    Life,
    as_channel_tells,
    begin_case,
    chances,
    note,
    plant,
    plant_breach_at_due,
    plant_deadline,
    seen,
    verdict_of,
    write,
)
from desireline.world.service import contact, perhaps_buys, reach_out, within
from desireline.world.streams import Stream, between, happens

LOST_CARD, FRAUD_ALERT = 1, 2


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64)")
def block_card(life: Life, chance: Stream, lost: int, report: int) -> None:
    """The card is blocked within five minutes, nearly always."""
    due = lost + 5 * MINUTE_MS
    roll = between(chance, 30, 0, 1000)
    blocked = NEVER
    if roll < 992:
        blocked = within(chance, 31, lost + 5_000, due)
    elif roll < 997:
        blocked = within(chance, 31, due + 1_000, due + 3 * HOUR_MS)
    if blocked > 0:
        write(life, blocked, kinds.CARD_BLOCKED, kinds.BACKOFFICE)
    plant_deadline(life, planted.BLOCKED_AT_ONCE, report, due, blocked, 0)


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64)")
def replace_card(life: Life, chance: Stream, lost: int, report: int) -> int:
    """A new card within five working days, unless the customer does not want one."""
    due = after_open_days(life, lost, 5)
    if happens(chance, 40, 60):
        declined = lost + between(chance, 41, 3_600, 20 * 3_600) * 1000
        write(life, declined, kinds.CARD_REPLACEMENT_DECLINED, kinds.APP)
        verdict = WITHDRAWN if seen(declined) else WAITING
        return plant(life, planted.NEW_CARD_IN_DAYS, report, verdict, NO_BREACH, 0)
    roll = between(chance, 42, 0, 1000)
    delivered = NEVER
    if roll < 930:
        delivered = within(chance, 43, lost + DAY_MS, due)
    elif roll < 990:
        delivered = within(chance, 43, due + HOUR_MS, due + 10 * DAY_MS)
    if delivered > 0:
        write(life, delivered, kinds.CARD_DELIVERED, kinds.BACKOFFICE)
        write(life, delivered + between(chance, 44, 3_600, 20 * 86_400) * 1000, kinds.CARD_FIRST_USE, kinds.BACKOFFICE)
    return plant_deadline(life, planted.NEW_CARD_IN_DAYS, report, due, delivered, 0)


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64, int64)")
def made_good(life: Life, chance: Stream, broken: int, open_days: int) -> int:
    """A manager calls about the breach, two times in five, by the close of so many open days; 1 when seen."""
    latest = after_open_days(life, broken, open_days)
    called = within(chance, 61, broken + 10 * MINUTE_MS, latest)
    if not happens(chance, 60, 400):
        return 0
    reach_out(life, chance, 62, called, kinds.MANAGER_CALLED, kinds.PHONE)
    return 1 if seen(called) else 0


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64)")
def confirm_fraud(life: Life, chance: Stream, fraud: int) -> int:
    """Fraud is confirmed: a person must explain it by phone or face to face within eight working hours."""
    confirmed = write(life, fraud, kinds.FRAUD_CONFIRMED, kinds.BACKOFFICE)
    note(life, confirmed, VALUE, between(chance, 50, 5_000, 240_000))
    due = after_open_hours(life, fraud, 8 * HOUR_MS)
    roll = between(chance, 51, 0, 1000)
    person = kinds.PHONE if happens(chance, 52, 800) else kinds.BRANCH
    promptly = within(chance, 53, fraud + 2 * MINUTE_MS, due)
    tardily = within(chance, 54, due + HOUR_MS, due + 4 * DAY_MS)
    if roll < 690:
        reach_out(life, chance, 55, promptly, kinds.FRAUD_EXPLAINED, person)
        return plant_deadline(life, planted.TOLD_BY_A_PERSON, confirmed, due, promptly, 0)
    if roll < 820:
        message = kinds.SMS if happens(chance, 56, 600) else kinds.EMAIL
        told = as_channel_tells(message, promptly)
        reach_out(life, chance, 55, told, kinds.FRAUD_EXPLAINED, message)
        if happens(chance, 57, 400):
            reach_out(life, chance, 58, tardily, kinds.FRAUD_EXPLAINED, person)
        if not seen(told):
            return plant_deadline(life, planted.TOLD_BY_A_PERSON, confirmed, due, NEVER, 0)
        good = made_good(life, chance, told, 1)
        return plant(life, planted.TOLD_BY_A_PERSON, confirmed, BROKEN, FORBIDDEN, good)
    if roll < 890:
        screen = kinds.CHAT if happens(chance, 56, 500) else kinds.APP
        reach_out(life, chance, 55, promptly, kinds.FRAUD_EXPLAINED, screen)
        if happens(chance, 57, 500):
            reach_out(life, chance, 58, tardily, kinds.FRAUD_EXPLAINED, person)
        good = made_good(life, chance, due, 1)
        return plant_breach_at_due(life, planted.TOLD_BY_A_PERSON, confirmed, due, WRONG_CHANNEL, good)
    if roll < 960:
        reach_out(life, chance, 58, tardily, kinds.FRAUD_EXPLAINED, person)
        good = made_good(life, chance, due, 1)
        return plant_deadline(life, planted.TOLD_BY_A_PERSON, confirmed, due, tardily, good)
    good = made_good(life, chance, due, 1)
    return plant_deadline(life, planted.TOLD_BY_A_PERSON, confirmed, due, NEVER, good)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64)")
def dispute(life: Life, chance: Stream, opened: int) -> None:
    """The customer disputes a payment and should not have to tell us again within a week."""
    roll = between(chance, 70, 0, 100)
    channel = kinds.APP if roll < 50 else kinds.PHONE if roll < 80 else kinds.WEB
    opening = contact(life, chance, 71, opened, kinds.DISPUTE_OPENED, channel)
    week = opened + 7 * DAY_MS
    roll = between(chance, 73, 0, 1000)
    chased = NEVER
    if roll < 110:
        chased = within(chance, 74, opened + HOUR_MS, week)
    elif roll < 200:
        chased = within(chance, 74, week + HOUR_MS, week + 6 * DAY_MS)
    if chased > 0:
        contact(life, chance, 75, chased, kinds.DISPUTE_CHASED, kinds.PHONE if happens(chance, 77, 700) else kinds.APP)
    write(life, opened + between(chance, 78, 14 * 86_400, 40 * 86_400) * 1000, kinds.DISPUTE_CLOSED, kinds.BACKOFFICE)
    if seen(chased) and chased <= week:
        plant(life, planted.ONCE_IS_ENOUGH, opening, BROKEN, REPEATED, 0)
    else:
        plant(life, planted.ONCE_IS_ENOUGH, opening, KEPT if week <= END_MS else WAITING, NO_BREACH, 0)


@typed_kernel("void(int64[::1], int64)")
def lost_card(life: Life, occurrence: int) -> None:
    """Somebody loses a card: blocked at once, told by a person, a new card in days, told once."""
    chance = chances(life, LOST_CARD, occurrence)
    begin_case(life)
    lost = need_arises(life, chance, 0)
    roll = between(chance, 3, 0, 100)
    channel = kinds.APP if roll < 45 else kinds.PHONE if roll < 80 else kinds.WEB if roll < 92 else kinds.BRANCH
    report = contact(life, chance, 4, lost, kinds.CARD_REPORTED_LOST, channel)
    block_card(life, chance, lost, report)
    replaced = replace_card(life, chance, lost, report)
    if happens(chance, 20, 400):
        fraud = lost + between(chance, 21, 3_600, 6 * 3_600) * 1000
        explained = confirm_fraud(life, chance, fraud)
        dispute(life, chance, fraud + between(chance, 22, 86_400, 3 * 86_400) * 1000)
        perhaps_buys(life, chance, 23, lost, verdict_of(life, explained), planted.LOST_AFTER_TOLD)
    else:
        perhaps_buys(life, chance, 23, lost, verdict_of(life, replaced), planted.LOST_AFTER_NEW_CARD)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64, boolean)")
def call_about_alert(life: Life, chance: Stream, alerted: int, alert: int, story: bool) -> None:
    """An agent calls within fifteen minutes of the alert."""
    due = alerted + 15 * MINUTE_MS
    roll = 0 if story else between(chance, 10, 0, 1000)
    called = NEVER
    if roll < 945:
        called = within(chance, 11, alerted + MINUTE_MS, due)
    elif roll < 980:
        called = within(chance, 11, due + 1_000, due + 3 * HOUR_MS)
    if called > 0:
        reach_out(life, chance, 12, called, kinds.FRAUD_CALLED, kinds.PHONE)
    plant_deadline(life, planted.CALLED_AT_ONCE, alert, due, called, 0)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64, boolean)")
def remind(life: Life, chance: Stream, alerted: int, alert: int, story: bool) -> None:
    """At most two reminders in two weeks."""
    roll = 0 if story else between(chance, 20, 0, 1000)
    reminders = 0 if roll < 500 else 1 if roll < 800 else 2 if roll < 970 else 3
    sent = 0
    for number in range(reminders):
        moment = alerted + (2 * number + 1) * DAY_MS + between(chance, 21 + number, 0, 43_200) * 1000
        if reach_out(life, chance, 25 + number, moment, kinds.FRAUD_REMINDER, kinds.SMS) >= 0:
            sent += 1
    if sent > 2:
        plant(life, planted.NOT_PESTERED, alert, BROKEN, REPEATED, 0)
    else:
        done = alerted + 14 * DAY_MS <= END_MS
        plant(life, planted.NOT_PESTERED, alert, KEPT if done else WAITING, NO_BREACH, 0)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, int64, boolean)")
def summarise(life: Life, chance: Stream, settled: int, sent: int, story: bool) -> None:
    """The next quarter's summary mentions the settled case."""
    due = settled + 100 * DAY_MS
    summary = NEVER
    if story or happens(chance, 40, 965):
        summary = next_summary(life, settled)
    if summary > 0:
        reach_out(life, chance, 41, summary, kinds.SUMMARY_SENT, kinds.EMAIL)
    plant_deadline(life, planted.IN_THE_SUMMARY, sent, due, summary, 0)


@typed_kernel("void(int64[::1], UniTuple(int64, 2), int64, boolean)")
def settle_alert(life: Life, chance: Stream, proved: int, story: bool) -> None:
    """The customer sends a picture as proof; the note that all is settled is promised within 14 days."""
    proof = write(life, proved, kinds.FRAUD_PROOF_RECEIVED, kinds.APP)
    due = proved + 14 * DAY_MS
    roll = 0 if story else between(chance, 30, 0, 1000)
    settled = NEVER
    if roll < 580:
        settled = as_channel_tells(kinds.EMAIL, within(chance, 31, proved + 10 * DAY_MS, due))
    elif roll < 880:
        settled = as_channel_tells(kinds.EMAIL, within(chance, 31, due + HOUR_MS, due + 20 * DAY_MS))
    good = 0
    if roll >= 580:
        good = made_good(life, chance, due, 3)
    planted_note = plant_deadline(life, planted.TOLD_WHEN_SETTLED, proof, due, settled, good)
    perhaps_buys(life, chance, 32, proved, verdict_of(life, planted_note), planted.LOST_AFTER_SETTLED)
    if settled > 0:
        sent = reach_out(life, chance, 35, settled, kinds.FRAUD_SETTLED_NOTE, kinds.EMAIL)
        summarise(life, chance, settled, sent, story)


@typed_kernel("void(int64[::1], int64, int64)")
def fraud_alert(life: Life, occurrence: int, told_at: int) -> None:
    """An alert by text, a call, a proof by picture, and two weeks later the promised note.

    `told_at` above 0 tells the story at that moment with every promise kept.
    """
    chance = chances(life, FRAUD_ALERT, occurrence)
    begin_case(life)
    alerted = told_at if told_at > 0 else need_arises(life, chance, 0)
    alert = reach_out(life, chance, 3, alerted, kinds.FRAUD_ALERT_SENT, kinds.SMS)
    note(life, alert, VALUE, between(chance, 4, 8_000, 300_000))
    call_about_alert(life, chance, alerted, alert, told_at > 0)
    remind(life, chance, alerted, alert, told_at > 0)
    if told_at > 0 or happens(chance, 5, 850):
        settle_alert(life, chance, within(chance, 6, alerted + HOUR_MS, alerted + 5 * DAY_MS), told_at > 0)
