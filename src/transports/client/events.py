"""What a client's protocol tells those around it, one class for each.

``chatcore.events`` are what the server tells the client; only ``Received`` and
``Expiring`` are passed on as they came.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from chatcore.errors import ChatError
from chatcore.events import Event, Expiring, Received
from transports.client.errors import LinkFailed, ProofFailed
from transports.errors import CannotConnect, LinkClosed

Answer: TypeAlias = Event | ChatError
"""What came of a command: its answer, a refusal, or why there will be neither."""


class CommandAnswered(NamedTuple):
    """This came of a command; nothing else comes for it."""

    command_id: int
    answer: Answer


class PageArrived(NamedTuple):
    """A list has a page to take, or would be asked again where it was cut."""

    command_id: int


@dataclass(frozen=True, slots=True)
class MailArrived:
    """There is mail to take; told once, however much there is."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nobody is logged in any more: no mail comes after what was taken."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """A link is open for commands; after a loss, the session was resumed on it."""

    url: str


@dataclass(frozen=True, slots=True)
class LinkDown:
    """A link that was open for commands is lost, and another is tried."""

    url: str


@dataclass(frozen=True, slots=True)
class LinkRejected:
    """The client has had enough of a link that is still there: it is to be aborted."""

    url: str
    error: LinkFailed


@dataclass(frozen=True, slots=True)
class ClientEnded:
    """There will be no other link, and nothing can be asked any more."""

    failure: ChatError


LinkFailure: TypeAlias = CannotConnect | LinkClosed | ProofFailed
"""Why there is no link, or no longer, or none was tried."""

LinkEvent: TypeAlias = LinkUp | LinkDown

ClientEvent: TypeAlias = (
    CommandAnswered
    | PageArrived
    | MailArrived
    | SessionEnded
    | LinkUp
    | LinkDown
    | LinkRejected
    | ClientEnded
    | Received
    | Expiring
)
