"""Values that the domain and its stores speak of: accounts, mail, receipts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from chatcore.errors import Refusal
from chatcore.ids import (
    AccountId,
    Epoch,
    IdempotencyKey,
    InvitationHash,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)

KNOWN_ADDRESSES: Final = 16
"""From how many addresses an account's last logins are kept (B4)."""

BOUNCE_POSITION_BYTES: Final = 8
"""What one position of a bounce counts for in a reader's ``body_bytes``."""


class Origin(NamedTuple):
    """Where something was asked from, for the operator's records; nothing is decided
    by it.

    ``connection`` names the connection within its process, ``transport`` is the scheme
    that it came by, ``peer`` its address. They are empty where nobody told.
    """

    connection: str = ""
    transport: str = ""
    peer: str = ""


NOWHERE: Final = Origin()


class AuditAction(Enum):
    """What an audit tells of: whatever takes a password or a proof."""

    CREATE = "create"
    LOGIN = "login"
    PROVE = "prove"
    CHANGE_PASSWORD = "change_password"  # noqa: S105  # it is what was done
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something that was done with an account, or was refused.

    Attributes:
        username: prepared, so it has no control character; empty where a name was given
            that nobody can have.
        account: None where it is not known.
        refusal: why nothing was done; None where it was.
    """

    action: AuditAction
    origin: Origin
    username: Username | None
    account: AccountId | None = None
    refusal: Refusal | None = None


class StoredInvitation(NamedTuple):
    """A code, by its hash: how often it may still be used, and until when."""

    invitation: InvitationHash
    uses: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that can be logged in to."""

    id: AccountId
    username: Username
    password_hash: PasswordHash = field(repr=False)


class Deposit(NamedTuple):
    """One message on its way into a mailbox.

    ``sender_id`` and ``epoch`` fence it (S6); ``body_bytes`` is the length of the body
    in UTF-8; ``key`` is empty when the sender does not repeat.
    """

    sender_id: AccountId
    epoch: Epoch
    recipient: Username
    body: str
    body_bytes: int
    key: IdempotencyKey
    sent_at_ms: int


class Message(NamedTuple):
    """One message in a mailbox, or on its way out of it."""

    position: Position
    sender: Username
    sender_id: AccountId
    sender_deleted: bool
    body: str
    body_bytes: int
    sent_at_ms: int


class Bounce(NamedTuple):
    """A notice in a mailbox: these messages of its owner were discarded (D4).

    ``recipient_id`` is the deleted account's, ``positions`` those that its mailbox gave
    the messages (at most 1,000), as their receipts told.
    """

    position: Position
    recipient: Username
    recipient_id: AccountId
    positions: tuple[Position, ...]
    sent_at_ms: int


Mail: TypeAlias = Message | Bounce


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """What a mailbox holds, at one moment.

    ``acknowledged`` is the highest position that was acknowledged, ``head`` the
    highest that was given, ``queued`` the number of messages and bounces that wait.
    """

    acknowledged: Position
    head: Position
    queued: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxContents:
    """What waits in a mailbox, in numbers.

    ``senders`` counts those of its messages; ``oldest_at_ms`` is when the first of all
    was sent, 0 where there is none.
    """

    messages: int = 0
    bounces: int = 0
    body_bytes: int = 0
    senders: int = 0
    oldest_at_ms: int = 0


class SenderShare(NamedTuple):
    """What waits in a mailbox from one account, or about it.

    ``messages`` and their ``body_bytes`` are what it has sent, ``bounces`` tell of its
    own deletion; ``oldest_at_ms`` is when the first of all was sent.
    """

    sender: AccountId
    sender_deleted: bool
    messages: int
    bounces: int
    body_bytes: int
    oldest_at_ms: int


class Place(NamedTuple):
    """How far a walk over all mailboxes has come: behind this piece of mail."""

    account: AccountId
    position: Position


BEFORE_ALL_MAIL: Final = Place(AccountId(0), Position(0))


class SentMessage(NamedTuple):
    """A message that its recipient has not acknowledged."""

    recipient: Username
    recipient_id: AccountId
    position: Position
    body: str
    sent_at_ms: int


class SentPlace(NamedTuple):
    """Where a message is that its recipient has not acknowledged."""

    recipient: Username
    recipient_id: AccountId
    position: Position


class SentPage(NamedTuple):
    """What a part of a walk has found, and where the next begins; None at the end."""

    places: Sequence[SentPlace]
    after: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """What is kept about an account, beside its mail, its keys and its secrets.

    ``epoch`` counts its logins and resumes (S6); ``logins_at_ms`` are the last ones
    from each address that is known (B4), of which only a hash is kept.
    """

    created_at_ms: int
    epoch: Epoch
    has_session: bool
    logins_at_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A session as the store opened or resumed it."""

    account: AccountId
    username: Username
    epoch: Epoch
    mailbox: Mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session that outlived the server (S6)."""

    account: AccountId
    username: Username
    epoch: Epoch
    token_hash: TokenHash = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionReceipt:
    """What a deletion did, or with ``dry_run`` would do, in messages (D5)."""

    dry_run: bool = False
    delivered: int = 0
    discarded: int = 0
    bounces: int = 0
    kept: int = 0
    retracted: int = 0


class LogMark(NamedTuple):
    """A place in the erasure log: behind the record of this number and digest."""

    sequence: int
    digest: bytes


NO_MARK: Final = LogMark(0, b"")
"""Of a store that no erasure log was ever kept of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A deletion that was decided, as the erasure log keeps it: no name, no mail.

    ``discard`` and ``retract`` are as in ``Store.delete_account``; under ``key``, if
    there is one, a repeat of the request is answered as the first time (D6).
    """

    account: AccountId
    discard: bool
    retract: bool
    key: IdempotencyKey
    at_ms: int


class LoggedErasure(NamedTuple):
    """A record of the erasure log; without an erasure it only moves the mark."""

    mark: LogMark
    erasure: Erasure | None


class Chunk(NamedTuple):
    """Discarded messages of one sender, which one bounce tells of (D4)."""

    sender: AccountId
    positions: tuple[Position, ...]


class LeftToDiscard(NamedTuple):
    """What a deletion has still to take out of the account's own mailbox.

    ``discarded`` is how many messages it has taken out, ``messages`` are the sender and
    the position of the next ones, in the order of both.
    """

    discarded: int
    messages: Sequence[tuple[AccountId, Position]]


class NewMail(NamedTuple):
    """A bounce that was put into a mailbox, whose head it is: whom to wake."""

    account: AccountId
    head: Position


class CleanUp(NamedTuple):
    """How far the work is that a deletion leaves, and what it did so far (D5)."""

    receipt: DeletionReceipt
    finished: bool


class FirstUse(NamedTuple):
    """What a ``create`` or ``delete`` was about that first came under a key (D6).

    The account may be deleted by now; its password hash is kept as long as the key.
    """

    account: AccountId
    username: Username
    password_hash: PasswordHash
    is_deletion: bool

    def __repr__(self) -> str:
        """Without the hash (B8)."""
        return f"FirstUse({self.account}, {self.username!r}, {self.is_deletion})"
