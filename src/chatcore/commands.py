"""What a client may ask of the chat: a closed union of imperatives.

Fields arrive as the peer sent them: the chat checks them, not the codec. A codec that
could not read one command yields ``Unknown`` or ``Malformed`` in its place, so that
the rest of the frame is not harmed (E3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from chatcore.errors import Refusal, capitals


class DeliveryMode(IntEnum):
    """When queued messages come (S2); the numbers are those of the wire."""

    PUSH = 1
    MANUAL = 2


class InboxAction(IntEnum):
    """What a deletion does with messages that wait for the account (D2)."""

    DELIVER = 1
    DISCARD = 2


class OutboxAction(IntEnum):
    """What a deletion does with what the account has sent (D3)."""

    KEEP = 1
    RETRACT = 2


@dataclass(frozen=True, slots=True)
class Create:
    """Create an account (A3); with a key, a repeat gets the first answer (D6).

    ``invitation`` is a code of the operator's, where registration asks for one.
    """

    username: str
    password: str = field(repr=False)
    key: bytes = b""
    invitation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Open the account's session; ``create`` makes a free name's account first (A4),
    with an ``invitation`` where registration asks for one.

    It has a ``password``, or a ``proof`` that the embedding application gave its user;
    with that the name may be empty.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    create: bool = False
    delivery: DeliveryMode = DeliveryMode.PUSH
    invitation: str = field(default="", repr=False)
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Resume:
    """Attach a session to this link (S3); ``last_seen`` is the last position had.

    Without a ``delivery`` mail comes as it did before; after a restart, by itself. An
    embedding application may ask for a ``proof`` beside the token.
    """

    token: bytes = field(repr=False)
    last_seen: int = 0
    delivery: DeliveryMode | None = None
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Prove:
    """Show a new proof of who is logged in, before the one before expires."""

    proof: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Logout:
    """End the session at once (S4)."""


@dataclass(slots=True, unsafe_hash=True)
class Send:
    """Queue one message (M1); ``key`` is 16 bytes of a UUIDv7, or empty (M2).

    A value as the others, and not frozen only because each message makes one: a frozen
    one takes three times as long to make.
    """

    recipient: str
    body: str = field(repr=False)
    key: bytes = b""


@dataclass(slots=True, unsafe_hash=True)
class Acknowledge:
    """All deliveries up to ``position`` were received (M4); no answer when valid.

    Not frozen, for the reason that ``Send`` is not.
    """

    position: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send what is queued now, and say when all of it is acknowledged (M7)."""


@dataclass(frozen=True, slots=True)
class List:
    """List the accounts that match ``pattern`` (L1), those after ``after`` only."""

    pattern: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete an account (D1 to D6); ``dry_run`` only counts.

    As with ``Login`` it takes a password or a proof, and the name with both.
    """

    username: str
    password: str = field(default="", repr=False)
    inbox: InboxAction = InboxAction.DELIVER
    outbox: OutboxAction = OutboxAction.KEEP
    dry_run: bool = False
    key: bytes = b""
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Replace the password of the account that is logged in (A6)."""

    old: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping: a sign of life, nothing more (S5)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that this version does not know, by its name or field number (E3)."""

    name: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A command whose fields have the wrong type or are missing, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class AlreadyRefused:
    """A command that was refused when it was read, to be answered in its turn (W7)."""

    refusal: Refusal


Command: TypeAlias = (
    Create
    | Login
    | Resume
    | Prove
    | Logout
    | Send
    | Acknowledge
    | Deliver
    | List
    | Delete
    | ChangePassword
    | Pong
    | Unknown
    | Malformed
    | AlreadyRefused
)


class Request(NamedTuple):
    """One command under the number that its client chose (W7)."""

    id: int
    command: Command


def name_of(command: Command) -> str:
    """A command as people know it: ``ChangePassword`` is "change password"."""
    return capitals(type(command).__name__).replace("_", " ").lower()


def run_of_sends(
    requests: Sequence[Request], start: int, most: int
) -> Sequence[Request]:
    """The command at ``start``, or at most so many sends from there on."""
    end = start + 1
    if not start and end == len(requests):
        return requests
    if isinstance(requests[start].command, Send):
        last = min(len(requests), start + most)
        while end < last and isinstance(requests[end].command, Send):
            end += 1
    return requests[start:end]
