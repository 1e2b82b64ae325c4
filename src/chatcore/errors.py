"""Every way in which the chat says no, each with a stable number (E1).

::

    ChatError
    ├── Refusal             this request was refused; nothing changed, go on (E2)
    │   ├── 1xx  the request itself is wrong
    │   ├── 2xx  accounts and sessions
    │   ├── 3xx  messages
    │   ├── 4xx  deletion
    │   └── 5xx  Outage: the server cannot now; most say when to try again
    └── Closed              the session or its link has ended, with a CloseCode

A refusal composes its text once, from fields that programs read by name. The number,
the fields and the text are the same on each transport.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Final

from chatcore.close_codes import CloseCode as CloseCode  # noqa: PLC0414  # its door

_MS_DIGITS: Final = 12
"""Of milliseconds: more than thirty years."""


class ChatError(Exception):
    """Whatever the chat raises on purpose."""


class Refusal(ChatError):
    """A request that was refused and changed nothing.

    Attributes:
        code: the stable number; never used again for something else.
        text: one sentence for people, the same wherever it is read.
        fields: what a program may want of it, by name.
    """

    code: int = 0
    template: ClassVar[str] = "Refused."

    def __init__(self, /, **fields: str | int) -> None:
        self.fields: dict[str, str] = {name: str(it) for name, it in fields.items()}
        # A field that an older peer left out shows as a dash.
        shown = defaultdict(lambda: "-", self.fields)
        self.text = self._template().format_map(shown)
        super().__init__(self.text)

    def _template(self) -> str:
        """What the text is made of, where the fields decide that."""
        return self.template

    @property
    def name(self) -> str:
        """The class's name in capitals, such as ``MAILBOX_FULL``."""
        return capitals(type(self).__name__)

    def __str__(self) -> str:
        return f"[{self.code}] {self.text}"


class Outage(Refusal):
    """A refusal that is the server's state and not the caller's fault."""

    @property
    def retry_after_ms(self) -> int:
        """How long to wait before trying again; 0 where trying soon does not help, or
        where a server has sent what is no number.
        """
        given = self.fields.get("retry_after_ms", "")
        return int(given) if given.isdecimal() and len(given) <= _MS_DIGITS else 0


class MalformedCommand(Refusal):
    """A command's fields have the wrong type, or one is missing."""

    code = 100
    template = "This command cannot be read: {reason}."


class UnknownCommand(Refusal):
    """The server does not know a command of this name or field number (E3)."""

    code = 101
    template = "There is no command {command!r} in this version of the protocol."


class InvalidUsername(Refusal):
    """A username that rule A1 refuses."""

    code = 110
    template = "This cannot be a username: {reason}."


class InvalidPassword(Refusal):
    """A password that rule A2 refuses."""

    code = 111
    template = (
        "A password has {minimum} to {maximum} bytes as UTF-8; this one has {bytes}."
    )


class InvalidBody(Refusal):
    """A message body that rule M6 refuses; its ``bytes`` are ``none`` for what is no
    UTF-8.
    """

    code = 112
    template = "A message has 1 to {maximum} bytes as UTF-8; this one has {bytes}."
    _no_text: ClassVar[str] = (
        "A message is text of 1 to {maximum} bytes as UTF-8; this one is no UTF-8."
    )

    def _template(self) -> str:
        return self._no_text if self.fields.get("bytes") == "none" else self.template


class InvalidPattern(Refusal):
    """A pattern that is too long to search for (L1)."""

    code = 113
    template = "A pattern has at most {maximum} characters; this one has {chars}."


class InvalidKey(Refusal):
    """An idempotency key that is no UUIDv7 (M2)."""

    code = 114
    template = "An idempotency key is the 16 bytes of a UUIDv7: {reason}."


class LimitFixed(Refusal):
    """The operator has changed a limit that holds for as long as the server runs."""

    code = 115
    template = "The limit {limit} cannot change while the server runs: {reason}."


class InvalidProof(Refusal):
    """A proof that is longer than what is looked at."""

    code = 116
    template = "A proof has at most {maximum} bytes as UTF-8; this one has {bytes}."


class LoginRequired(Refusal):
    """A command that needs a session, on a link that has none (S4)."""

    code = 200
    template = "Log in first: {command} is for whoever is logged in."


class AlreadyLoggedIn(Refusal):
    """A login, create or resume on a link that has a session."""

    code = 201
    template = "This connection is logged in as {username}; log out first."


class WrongCredentials(Refusal):
    """No such account, or not its password: the two look alike (A2)."""

    code = 202
    template = "The username or the password is wrong."


class AccountInUse(Refusal):
    """The account's session is attached elsewhere and alive (S1)."""

    code = 203
    template = "{username} is logged in elsewhere; log out there first."


class NameTaken(Refusal):
    """The name of an account that exists (A3)."""

    code = 204
    template = "The name {username} is taken; choose another."


class SessionGone(Refusal):
    """A resume token whose session has ended (S3)."""

    code = 205
    template = "This session has ended; log in again."


class Fenced(Refusal):
    """A command from a link whose session has moved on (S6)."""

    code = 206
    template = "This session has moved to another connection."


class AccountsElsewhere(Refusal):
    """Accounts are those of the application that embeds the chat (A2)."""

    code = 207
    template = "Accounts are kept elsewhere: {command} is not possible here."


class RegistrationClosed(Refusal):
    """Only the operator makes accounts, and a login that may create has no right
    password (A3, A4).
    """

    code = 208
    template = (
        "Accounts are made by the operator here; to log in to one that exists takes "
        "its password."
    )


class InvitationRefused(Refusal):
    """An account takes an invitation, and none that holds is there; for a login as
    ``RegistrationClosed`` (A3, A4).
    """

    code = 210
    template = (
        "To make an account takes an invitation that holds; to log in to one that "
        "exists takes its password."
    )


class NoSuchAccount(Refusal):
    """A name that no account has, for the operator or who has shown to be that."""

    code = 209
    template = "There is no account {username}."


class ProofRequired(Refusal):
    """Nothing shows who asks, and the embedding application cannot be asked."""

    code = 211
    template = "Show a proof of who you are: a {purpose} takes one here."


class ProofRefused(Refusal):
    """A proof that the application does not accept, or does not any more."""

    code = 212
    template = "This proof is not accepted; get a new one, and show that."


class ProofOfAnother(Refusal):
    """A proof that is right, and not of the account that was named."""

    code = 213
    template = "This proof is that of {username}, not of {asked}."


class PasswordsOnly(Refusal):
    """A proof, where accounts have passwords."""

    code = 214
    template = "Accounts have passwords here: proofs are not taken."


class NoSuchRecipient(Refusal):
    """A message to a name that no account has (M6)."""

    code = 300
    template = "There is no account {recipient}."


class MailboxFull(Refusal):
    """The recipient's mailbox holds as many messages as it may (M6)."""

    code = 301
    template = "The mailbox of {recipient} is full; nothing was dropped."


class MailboxClosing(Refusal):
    """The recipient is being deleted (D2)."""

    code = 302
    template = "The mailbox of {recipient} is closing; try again in a moment."


class KeyReused(Refusal):
    """The key of an earlier request, with something else under it (M2, D6)."""

    code = 303
    template = "This idempotency key was used for something else; make a new one."


class KeyExpired(Refusal):
    """A key that is too old to be known for sure (M2)."""

    code = 304
    template = (
        "This idempotency key is older than {days} days, so nobody knows any more "
        "whether it was used; make a new one to send all the same."
    )


class AcknowledgedTooMuch(Refusal):
    """An acknowledgement above what was delivered (M4)."""

    code = 305
    template = "Position {position} was not delivered; the last one was {delivered}."


class MailboxShare(Refusal):
    """The last quarter of a mailbox is for those who hold less than a quarter (B6)."""

    code = 306
    template = (
        "The mailbox of {recipient} is nearly full, and a quarter of it is yours; "
        "nothing was dropped."
    )


class OtherAccount(Refusal):
    """A deletion on a link that is logged in to another account (D1), or another's
    proof for a session.
    """

    code = 400
    template = "This session is that of {username}; log out to act for another account."


class DeletionStalled(Refusal):
    """The requester stopped acknowledging; the account is whole (D2)."""

    code = 401
    template = "Nothing was acknowledged for {seconds} s: the account was not deleted."


class MailboxNotEmpty(Refusal):
    """The operator deletes an account only while nothing waits for it (D2)."""

    code = 402
    template = "The mailbox of {username} holds {queued}: nothing was deleted."


class Busy(Outage):
    """Too many passwords wait to be checked (A2)."""

    code = 500
    template = "The server is busy; try again in {retry_after_ms} ms."


class StoreUnavailable(Outage):
    """The store could not commit, and did not."""

    code = 501
    template = "The store cannot write now ({reason}); nothing was changed."


class OutcomeUnknown(Outage):
    """The store did not say whether it committed (M1): repeat under the same key."""

    code = 502
    template = "It is not known whether this was stored; repeat it with the same key."


class ShuttingDown(Outage):
    """No new sessions while the server stops (W9)."""

    code = 503
    template = "The server is shutting down; try again in {retry_after_ms} ms."


class TooManyOperations(Outage):
    """More lists, deliveries and deletions at once than a link may have."""

    code = 504
    template = "At most {maximum} operations run at once; wait for one to finish."


class TooManyAttempts(Outage):
    """Too many wrong passwords for an account, from here or in all (B4)."""

    code = 505
    template = "Too many wrong passwords; try again in {retry_after_ms} ms."


class RateExceeded(Outage):
    """More of something in a short time than the operator allows (B5)."""

    code = 506
    template = "Too many {what} in a short time; try again in {retry_after_ms} ms."


class ApplicationUnavailable(Outage):
    """The embedding application was asked, and has not answered in time."""

    code = 507
    template = (
        "The application of this chat did not answer; try again in {retry_after_ms} ms."
    )


class InternalError(Outage):
    """A fault of the server itself; its log has the details."""

    code = 599
    template = "The server failed at this command; its log says why."


class Closed(ChatError):
    """The session or its link has ended.

    Attributes:
        code: why; its range says whether to reconnect.
        text: one sentence for people.
    """

    def __init__(self, code: CloseCode, text: str = "") -> None:
        self.code = code
        self.text = text or code.text
        super().__init__(self.text)

    def __str__(self) -> str:
        return f"[{int(self.code)}] {self.text}"


@cache
def capitals(name: str) -> str:
    """``MailboxFull`` as ``MAILBOX_FULL``."""
    return "".join(f"_{c}" if c.isupper() else c for c in name).strip("_").upper()


REFUSALS: Final[Mapping[int, type[Refusal]]] = {
    it.code: it
    for it in list(globals().values())
    if isinstance(it, type) and issubclass(it, Refusal) and it.code
}
"""Each refusal by its number."""


def refusal_from_wire(code: int, text: str, fields: Mapping[str, str]) -> Refusal:
    """The refusal that a server sent, for a client to raise.

    A number that this version does not know becomes a plain ``Refusal`` that keeps
    it, and the server's own text.
    """
    refusal = REFUSALS.get(code, Refusal)(**fields)
    refusal.code = code
    refusal.text = text or refusal.text
    return refusal
