"""E-mail: letters become interactions, whichever way they come in - a mailbox file, a server's mailbox, by hand."""

from desireline.intake.mail.interactions import interactions_of, interactions_of_mail
from desireline.intake.mail.letting_in import let_in
from desireline.intake.mail.parts import slim
from desireline.intake.mail.reading import mail_of

__all__ = ["interactions_of", "interactions_of_mail", "let_in", "mail_of", "slim"]
