"""What the chat tells a client, in the past tense, one class for each.

Those with an ``id`` answer the command of that id (W7); the others come by themselves.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from chatcore.errors import CloseCode, Refusal
from chatcore.ids import AccountId, Position, ResumeToken, Username
from chatcore.model import DeletionReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The first event on a link: the server's clock and the limits that bind it.

    ``server_time_ms`` is what keys are made from (M2, B7); ``login_frame_bytes`` is
    the largest frame before a login or resume is answered, 0 from an older server.
    """

    server_time_ms: int
    frame_bytes: int
    body_bytes: int
    pending_commands: int
    window_messages: int
    login_frame_bytes: int


@dataclass(frozen=True, slots=True)
class Created:
    """An account exists now."""

    id: int
    account: AccountId
    username: Username


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """The session is open (S2).

    The first delivery follows position ``acknowledged``; ``grace_ms`` is how long the
    session waits for a resume once its link is lost. What was shown of who it is
    expires after ``expires_in_ms``, with 0 never.
    """

    id: int
    account: AccountId
    username: Username
    token: ResumeToken = field(repr=False)
    queued: int
    acknowledged: Position
    grace_ms: int
    expires_in_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The session is attached to this link; deliveries go on after ``last_seen``.

    ``expires_in_ms`` is as in ``LoggedIn``.
    """

    id: int
    account: AccountId
    username: Username
    queued: int
    last_seen: Position
    expires_in_ms: int = 0


@dataclass(frozen=True, slots=True)
class Proved:
    """The new proof holds for so long; with 0 for ever."""

    id: int
    expires_in_ms: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """What was shown of who is logged in expires after so long, and the link is closed
    then, unless ``Prove`` has shown a new proof.
    """

    expires_in_ms: int


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The session has ended as asked; the link may log in again."""

    id: int


class Accepted(NamedTuple):
    """The receipt of a message: it is stored (M1).

    ``recipient_id`` and ``position`` name the message for ever; ``durable`` says
    whether it survives a crash of the server.
    """

    id: int
    recipient_id: AccountId
    position: Position
    sent_at_ms: int
    durable: bool


class Delivered(NamedTuple):
    """A message for this account; ``follows`` is the position delivered before (M3)."""

    position: Position
    follows: Position
    sender: Username
    sender_id: AccountId
    sender_deleted: bool
    body: str
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class Bounced:
    """These messages of the account were discarded with their recipient (D4)."""

    position: Position
    follows: Position
    recipient: Username
    recipient_id: AccountId
    positions: tuple[Position, ...]
    sent_at_ms: int


@dataclass(slots=True, unsafe_hash=True)
class Received:
    """The recipient acknowledged these messages of the account (M8).

    Not frozen, for the reason that ``commands.Send`` is not.
    """

    recipient: Username
    recipient_id: AccountId
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A list, deliver or delete runs; it ends with an event of the same id (W7)."""

    id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of accounts in code point order (L1); ``complete`` marks the last page.

    ``online[i]`` tells of ``names[i]``. A list that was cut off continues with the last
    name that came as its ``after``.
    """

    id: int
    names: tuple[Username, ...]
    online: tuple[bool, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class DeliveryFinished:
    """All that was queued when ``deliver`` was asked is acknowledged (M7)."""

    id: int
    messages: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """The account is deleted, or with ``dry_run`` would be (D5)."""

    id: int
    receipt: DeletionReceipt


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The new password holds; other sessions and earlier tokens have ended (A6).

    ``token`` resumes this session from now on.
    """

    id: int
    token: ResumeToken = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The command changed nothing, and why (E2)."""

    id: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with ``Pong``: the server has heard nothing for a while (S5)."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The last event of a link, and whether the client may come back by itself."""

    code: CloseCode
    text: str


Event: TypeAlias = (
    Welcome
    | Created
    | LoggedIn
    | Resumed
    | Proved
    | Expiring
    | LoggedOut
    | Accepted
    | Delivered
    | Bounced
    | Received
    | Started
    | Listed
    | DeliveryFinished
    | Deleted
    | PasswordChanged
    | Refused
    | Ping
    | Closing
)
