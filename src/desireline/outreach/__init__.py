"""Telling whoever listens: a promise was broken, kept or made good, by signed webhook and by e-mail."""

from desireline.outreach.channels.email import Mail, MailServer
from desireline.outreach.channels.webhook import Webhook
from desireline.outreach.cloud_event import cloud_event
from desireline.outreach.deliverer import Deliverer
from desireline.outreach.lane import Condition
from desireline.outreach.listeners import Listener, read_listener
from desireline.outreach.message import Answer, Channel, Message, Surroundings
from desireline.outreach.notices import KINDS, Notice, due_soon_of, notice_from_json, notices_of
from desireline.outreach.policies import POLICIES
from desireline.outreach.retries import Limits
from desireline.outreach.run import CHANGES, Outbox
from desireline.outreach.signing import read_secrets, signed_headers

__all__ = [
    "CHANGES",
    "KINDS",
    "POLICIES",
    "Answer",
    "Channel",
    "Condition",
    "Deliverer",
    "Limits",
    "Listener",
    "Mail",
    "MailServer",
    "Message",
    "Notice",
    "Outbox",
    "Surroundings",
    "Webhook",
    "cloud_event",
    "due_soon_of",
    "notice_from_json",
    "notices_of",
    "read_listener",
    "read_secrets",
    "signed_headers",
]
