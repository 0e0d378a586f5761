"""Every kind of interaction the bank's world knows, and the words each source system has for it."""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = ("web", "app", "email", "sms", "phone", "chat", "branch", "social", "backoffice")
"""Eight channels customers use, and the back office, where things are booked without a touch."""
WEB, APP, EMAIL, SMS, PHONE, CHAT, BRANCH, SOCIAL, BACKOFFICE = range(9)

SOURCES = (
    "web_analytics",
    "app_events",
    "mail_gateway",
    "sms_gateway",
    "telephone_switch",
    "chat_desk",
    "branch_diary",
    "social_desk",
    "core_banking",
    "complaint_desk",
    "customer_master",
)
"""The source systems; the first eight take what happens on their channel, the rest by kind."""
CORE, COMPLAINTS, MASTER = 8, 9, 10
BY_CHANNEL = -1

SERVICE_POWERS = ("", "may_listen", "must_ask", "may_refund", "may_undo")
NO_POWER, MAY_LISTEN, MUST_ASK, MAY_REFUND, MAY_UNDO = range(5)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of interaction: what it is, which way it goes, and which system writes it down."""

    touchpoint: str
    direction: str
    topic: str = ""
    asks: bool = False
    answers: bool = False
    source: int = BY_CHANNEL


KINDS: tuple[Kind, ...] = (
    Kind("page.viewed", "inbound"),
    Kind("page.searched", "inbound"),
    Kind("web.login", "inbound"),
    Kind("app.login", "inbound"),
    Kind("app.balance", "inbound"),
    Kind("newsletter.sent", "outbound", "marketing"),
    Kind("newsletter.opened", "inbound"),
    Kind("notice.sent", "outbound", "balance"),
    Kind("bank.mentioned", "peer"),
    Kind("branch.visited", "inbound"),
    Kind("profile.updated", "internal", source=MASTER),
    Kind("help.read", "inbound", "help"),
    Kind("portal.adopted", "inbound"),
    Kind("question.asked", "inbound", "question", asks=True),
    Kind("question.answered", "outbound", "question", answers=True),
    Kind("call.answered", "outbound", "call", answers=True),
    Kind("call.ended", "internal"),
    Kind("chat.answered", "outbound", "chat", answers=True),
    Kind("card.reported_lost", "inbound", "card"),
    Kind("card.blocked", "outbound", "card", source=CORE),
    Kind("fraud.confirmed", "internal", "fraud", source=CORE),
    Kind("fraud.explained", "outbound", "fraud"),
    Kind("manager.called", "outbound", "apology"),
    Kind("card.delivered", "outbound", "card", source=CORE),
    Kind("card.replacement_declined", "inbound", "card"),
    Kind("card.first_use", "inbound", "card", source=CORE),
    Kind("dispute.opened", "inbound", "dispute"),
    Kind("dispute.chased", "inbound", "dispute"),
    Kind("dispute.closed", "outbound", "dispute", source=CORE),
    Kind("complaint.opened", "inbound", "complaint", source=COMPLAINTS),
    Kind("complaint.replied", "outbound", "complaint", source=COMPLAINTS),
    Kind("complaint.solved", "outbound", "complaint", source=COMPLAINTS),
    Kind("complaint.rated", "inbound", "complaint", source=COMPLAINTS),
    Kind("complaint.withdrawn", "inbound", "complaint"),
    Kind("goodwill.paid", "outbound", "apology", source=CORE),
    Kind("transfer.made", "inbound", "transfer", source=CORE),
    Kind("transfer.mistake_reported", "inbound", "transfer"),
    Kind("transfer.decided", "outbound", "transfer", source=CORE),
    Kind("transfer.kept", "inbound", "transfer"),
    Kind("transfer.returned", "outbound", "transfer", source=CORE),
    Kind("application.started", "inbound", "account"),
    Kind("application.complete", "inbound", "account", source=CORE),
    Kind("account.opened", "outbound", "account", source=CORE),
    Kind("consent.given", "inbound", "consent"),
    Kind("consent.withdrawn", "inbound", "consent"),
    Kind("welcome.contacted", "outbound", "account"),
    Kind("offer.sent", "outbound", "marketing"),
    Kind("fraud.alert_sent", "outbound", "fraud"),
    Kind("fraud.called", "outbound", "fraud"),
    Kind("fraud.proof_received", "inbound", "fraud"),
    Kind("fraud.reminder", "outbound", "fraud"),
    Kind("fraud.settled_note", "outbound", "fraud"),
    Kind("summary.sent", "outbound", "summary"),
    Kind("product.bought", "inbound", "product", source=CORE),
)

_CODE = {kind.touchpoint: number for number, kind in enumerate(KINDS)}

PAGE_VIEWED = _CODE["page.viewed"]
PAGE_SEARCHED = _CODE["page.searched"]
WEB_LOGIN = _CODE["web.login"]
APP_LOGIN = _CODE["app.login"]
APP_BALANCE = _CODE["app.balance"]
NEWSLETTER_SENT = _CODE["newsletter.sent"]
NEWSLETTER_OPENED = _CODE["newsletter.opened"]
NOTICE_SENT = _CODE["notice.sent"]
BANK_MENTIONED = _CODE["bank.mentioned"]
BRANCH_VISITED = _CODE["branch.visited"]
PROFILE_UPDATED = _CODE["profile.updated"]
HELP_READ = _CODE["help.read"]
PORTAL_ADOPTED = _CODE["portal.adopted"]
QUESTION_ASKED = _CODE["question.asked"]
QUESTION_ANSWERED = _CODE["question.answered"]
CALL_ANSWERED = _CODE["call.answered"]
CALL_ENDED = _CODE["call.ended"]
CHAT_ANSWERED = _CODE["chat.answered"]
CARD_REPORTED_LOST = _CODE["card.reported_lost"]
CARD_BLOCKED = _CODE["card.blocked"]
FRAUD_CONFIRMED = _CODE["fraud.confirmed"]
FRAUD_EXPLAINED = _CODE["fraud.explained"]
MANAGER_CALLED = _CODE["manager.called"]
CARD_DELIVERED = _CODE["card.delivered"]
CARD_REPLACEMENT_DECLINED = _CODE["card.replacement_declined"]
CARD_FIRST_USE = _CODE["card.first_use"]
DISPUTE_OPENED = _CODE["dispute.opened"]
DISPUTE_CHASED = _CODE["dispute.chased"]
DISPUTE_CLOSED = _CODE["dispute.closed"]
COMPLAINT_OPENED = _CODE["complaint.opened"]
COMPLAINT_REPLIED = _CODE["complaint.replied"]
COMPLAINT_SOLVED = _CODE["complaint.solved"]
COMPLAINT_RATED = _CODE["complaint.rated"]
COMPLAINT_WITHDRAWN = _CODE["complaint.withdrawn"]
GOODWILL_PAID = _CODE["goodwill.paid"]
TRANSFER_MADE = _CODE["transfer.made"]
TRANSFER_MISTAKE_REPORTED = _CODE["transfer.mistake_reported"]
TRANSFER_DECIDED = _CODE["transfer.decided"]
TRANSFER_KEPT = _CODE["transfer.kept"]
TRANSFER_RETURNED = _CODE["transfer.returned"]
APPLICATION_STARTED = _CODE["application.started"]
APPLICATION_COMPLETE = _CODE["application.complete"]
ACCOUNT_OPENED = _CODE["account.opened"]
CONSENT_GIVEN = _CODE["consent.given"]
CONSENT_WITHDRAWN = _CODE["consent.withdrawn"]
WELCOME_CONTACTED = _CODE["welcome.contacted"]
OFFER_SENT = _CODE["offer.sent"]
FRAUD_ALERT_SENT = _CODE["fraud.alert_sent"]
FRAUD_CALLED = _CODE["fraud.called"]
FRAUD_PROOF_RECEIVED = _CODE["fraud.proof_received"]
FRAUD_REMINDER = _CODE["fraud.reminder"]
FRAUD_SETTLED_NOTE = _CODE["fraud.settled_note"]
SUMMARY_SENT = _CODE["summary.sent"]
PRODUCT_BOUGHT = _CODE["product.bought"]


def word_of(kind: int, source: int) -> str:
    """What a source system calls a kind of interaction, in that system's own manner.

    >>> word_of(CARD_REPORTED_LOST, 0), word_of(CARD_REPORTED_LOST, 4), word_of(CARD_BLOCKED, CORE)
    ('/card/reported-lost', 'R18', 'BK2190')
    """
    touchpoint = KINDS[kind].touchpoint
    spellings = {
        "web_analytics": "/" + touchpoint.replace(".", "/").replace("_", "-"),
        "app_events": touchpoint.replace(".", "_"),
        "mail_gateway": touchpoint.replace(".", " ").replace("_", " ").capitalize(),
        "sms_gateway": touchpoint.replace(".", "_").upper(),
        "telephone_switch": f"R{kind:02d}",
        "chat_desk": touchpoint.split(".")[0] + "/" + touchpoint.split(".")[1],
        "branch_diary": touchpoint.replace(".", " - ").replace("_", " "),
        "social_desk": touchpoint.split(".")[1].upper(),
        "core_banking": f"BK2{kind:02d}0",
        "complaint_desk": touchpoint,
        "customer_master": touchpoint,
    }
    return spellings[SOURCES[source]]
