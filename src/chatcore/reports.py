"""What the operator is told (``chatcore.admin``)."""

from dataclasses import dataclass, field

from chatcore.ids import AccountId, Username
from chatcore.model import AccountRecord, Mail, MailboxContents


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """A session as it is now.

    Attributes:
        is_attached: a link carries it; without one it waits to be resumed.
        transport: the scheme of the URL that it came over; empty while detached.
        address: the peer's, without a port; empty while detached, or without one.
        since_ms: when that link was opened, or the last one was lost.
        unacknowledged: messages that were delivered and not acknowledged (W8).
        held_bytes: what the server holds for its link (B1).
    """

    username: Username
    account: AccountId
    is_attached: bool
    transport: str
    address: str
    since_ms: int
    unacknowledged: int
    held_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """An account, and whether somebody is logged in to it."""

    username: Username
    account: AccountId
    is_online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMail:
    """What waits for an account.

    Attributes:
        queued: how many pieces of mail wait in all.
        mail: some of them, in order.
    """

    username: Username
    account: AccountId
    queued: int
    mail: tuple[Mail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """An invitation that was made just now."""

    code: str = field(repr=False)
    uses: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationStatus:
    """An invitation that allows accounts; its code is known to nobody here.

    Attributes:
        id: what it is revoked by.
        uses: how many accounts it still allows.
    """

    id: str
    uses: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExport:
    """What is kept about an account; keys of what it sent are known since then (M2)."""

    username: Username
    account: AccountId
    record: AccountRecord
    keys_since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxStatus:
    """What waits for one account."""

    username: Username
    account: AccountId
    contents: MailboxContents
