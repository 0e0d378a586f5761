"""The promises the bank made, as the world plants them, and what breaking each one costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlantedPromise:
    """One promise of the bank's maps and the true effect of its breach.

    `lost_permille` is how much smaller, in thousandths, the chance becomes that the customer buys
    something in the 90 days after the journey (300 without a breach); 0 means no effect at all.
    """

    map: str
    promise: str
    lost_permille: int


PROMISES: tuple[PlantedPromise, ...] = (
    PlantedPromise("lost-card", "blocked-at-once", 0),
    PlantedPromise("lost-card", "told-by-a-person", 190),
    PlantedPromise("lost-card", "new-card-in-days", 60),
    PlantedPromise("lost-card", "once-is-enough", 0),
    PlantedPromise("questions-and-complaints", "everyone-answered", 0),
    PlantedPromise("questions-and-complaints", "replied-by-someone-who-may-decide", 0),
    PlantedPromise("questions-and-complaints", "complaint-solved", 160),
    PlantedPromise("questions-and-complaints", "nothing-sold-to-the-unhappy", 0),
    PlantedPromise("transfer-mistake", "undone-by-who-answers", 120),
    PlantedPromise("account-opening", "open-in-three-days", 0),
    PlantedPromise("account-opening", "welcomed-in-person", 50),
    PlantedPromise("account-opening", "offer-with-consent", 0),
    PlantedPromise("fraud-alert", "called-at-once", 0),
    PlantedPromise("fraud-alert", "not-pestered", 0),
    PlantedPromise("fraud-alert", "told-when-settled", 140),
    PlantedPromise("fraud-alert", "in-the-summary", 0),
)

(
    BLOCKED_AT_ONCE,
    TOLD_BY_A_PERSON,
    NEW_CARD_IN_DAYS,
    ONCE_IS_ENOUGH,
    EVERYONE_ANSWERED,
    REPLIED_BY_WHO_MAY_DECIDE,
    COMPLAINT_SOLVED,
    NOTHING_SOLD,
    UNDONE_BY_WHO_ANSWERS,
    OPEN_IN_THREE_DAYS,
    WELCOMED_IN_PERSON,
    OFFER_WITH_CONSENT,
    CALLED_AT_ONCE,
    NOT_PESTERED,
    TOLD_WHEN_SETTLED,
    IN_THE_SUMMARY,
) = range(16)

LOST_AFTER_TOLD = PROMISES[TOLD_BY_A_PERSON].lost_permille
LOST_AFTER_NEW_CARD = PROMISES[NEW_CARD_IN_DAYS].lost_permille
LOST_AFTER_COMPLAINT = PROMISES[COMPLAINT_SOLVED].lost_permille
LOST_AFTER_TRANSFER = PROMISES[UNDONE_BY_WHO_ANSWERS].lost_permille
LOST_AFTER_WELCOME = PROMISES[WELCOMED_IN_PERSON].lost_permille
LOST_AFTER_SETTLED = PROMISES[TOLD_WHEN_SETTLED].lost_permille
BUYS_PERMILLE = 300
