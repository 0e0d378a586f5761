"""E-mail: letters become interactions, whichever way they come in - a mailbox file, a server's mailbox, by hand."""

from desireline.intake.mail.condition import Around, Condition
from desireline.intake.mail.imap import Reached
from desireline.intake.mail.interactions import interactions_of, interactions_of_mail
from desireline.intake.mail.letters_in import LettersIn
from desireline.intake.mail.letting_in import let_in
from desireline.intake.mail.parts import slim
from desireline.intake.mail.reading import mail_of
from desireline.intake.mail.ways import Mailbox, Receiving, Way, changed_way, read_way, way_of

__all__ = [
    "Around",
    "Condition",
    "LettersIn",
    "Mailbox",
    "Reached",
    "Receiving",
    "Way",
    "changed_way",
    "interactions_of",
    "interactions_of_mail",
    "let_in",
    "mail_of",
    "read_way",
    "slim",
    "way_of",
]
