"""What the chat needs from outside, besides its store (``chatcore.store``).

Protocols, documented by their guarantees.

Adapters do not inherit from these; a type checker holds them to it. All methods are
called from one thread (the event loop's); an adapter with threads of its own hands its
results back there.
"""

from collections.abc import Coroutine, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from chatcore.claims import Claim, Identity
from chatcore.commands import Send
from chatcore.errors import Refusal
from chatcore.ids import (
    PasswordHash,
    Username,
)
from chatcore.message_events import MessageEvent
from chatcore.model import AuditEvent, Erasure, LoggedErasure, LogMark

_T = TypeVar("_T")


class Passwords(Protocol):
    """Hashing, away from the event loop, in a bounded queue (A2).

    Addresses take turns: what waits for one is not held up by how much waits for
    another (B4). ``hash`` and ``verify`` raise ``chatcore.errors.Busy`` when there is
    no room in the queue for this address.
    """

    async def hash(self, password: str, *, address: str) -> PasswordHash:
        """Hash a password for keeping."""
        ...

    async def verify(
        self, password_hash: PasswordHash | None, password: str, *, address: str
    ) -> bool:
        """Whether it matches; None (no such user) costs as long, and is False."""
        ...

    def is_outdated(self, password_hash: PasswordHash) -> bool:
        """Whether it was made with another cost than hashes are made with now."""
        ...


class Names(Protocol):
    """Preparation of usernames (RFC 8265, UsernameCaseMapped), and who may be new."""

    def prepare(self, text: str, *, max_chars: int) -> str:
        """The prepared form, of at most ``max_chars`` characters.

        Raises ``ValueError`` with a reason for people. Its time rises with the length
        of the text, not faster, and what is too long is refused at little cost (B2).
        """
        ...

    def objection(self, name: str) -> str:
        """Why nobody may take this prepared name anew, for people; empty: they may.

        It mixes scripts (Unicode TS 39, section 5.2, moderately restrictive). Who has
        such a name already keeps it: only creating asks.
        """
        ...

    def plain_lookalike(self, name: str) -> str:
        """The plain ASCII name that a prepared one looks like, such as "admin" for
        one with a dotless i; empty when there is none, or it is plain itself (Unicode
        TS 39, section 4).
        """
        ...


class Latch(Protocol):
    """Opens once and stays open: how the chat waits without an event loop."""

    def open(self) -> None:
        """Let everyone through, now and later."""
        ...

    async def wait(self, timeout_s: float) -> bool:
        """Whether it opened within ``timeout_s``."""
        ...


class Clock(Protocol):
    """Time: a wall clock for what is told, a monotonic one for what is waited."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go back."""
        ...

    def latch(self) -> Latch:
        """A new latch, closed."""
        ...

    async def within(self, timeout_s: float, work: Coroutine[object, None, _T]) -> _T:
        """What ``work`` returns or raises; ``TimeoutError`` when it has not in time.

        Then it is cancelled and, whatever it makes of that, not waited for.
        """
        ...


class Entropy(Protocol):
    """Secrets."""

    def token(self) -> bytes:
        """Thirty-two bytes that nobody can guess."""
        ...


class Observer(Protocol):
    """Is told what becomes of accounts, for the operator's records.

    Never on the way of a message. It returns at once, and raises nothing.
    """

    def audit(self, event: AuditEvent) -> None:
        """Take note of what was done, once it is committed, or was refused."""
        ...


class NoObserver:
    """Takes no note of anything; see ``Observer``."""

    def audit(self, event: AuditEvent) -> None:
        """See ``Observer``."""


NO_OBSERVER: Final = NoObserver()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """All that the chat asks of the machine, besides its store."""

    clock: Clock
    entropy: Entropy
    passwords: Passwords
    names: Names
    observer: Observer = NO_OBSERVER


class SendPolicy(Protocol):
    """A say of the embedding application before messages are stored."""

    async def judge(
        self, sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        """For each send, a refusal, or None to let it pass; same length and order."""
        ...


class ListPolicy(Protocol):
    """A say of the embedding application about whom its users find by ``list`` (L1)."""

    async def visible(
        self, asker: Username, names: Sequence[Username]
    ) -> Sequence[bool]:
        """For each name whether ``asker`` may see it; same length and order.

        It is asked about some names at a time, of those that match what was asked for.
        May raise a refusal, with which the list ends.
        """
        ...


class MessageHandlers(Protocol):
    """Is told what becomes of messages, after the commit, for the application.

    What it is told is lost with the process: each event is told once at the most.
    ``chatsystem.handlers.Handlers`` is one, and calls functions.
    """

    @property
    def wanted(self) -> AbstractSet[type[MessageEvent]]:
        """The kinds of events that are told; of others nothing is made. It is asked
        once.
        """
        ...

    @property
    def dropped(self) -> int:
        """How many events were told and handled by nobody, since there were too many
        of them.
        """
        ...

    def tell(self, events: Sequence[MessageEvent]) -> None:
        """Take events of one kind, at least one, in order: all of one batch.

        It returns at once, and raises nothing.
        """
        ...

    async def run(self) -> None:
        """Handle what is told until this is cancelled, when the chat is served no
        more.
        """
        ...

    async def finish(self) -> None:
        """Return once all that was told is handled, or soon, when that takes long."""
        ...


class Identities(Protocol):
    """The embedding application's own users, in place of the chat's passwords (A2).

    It is asked at each login, resume and deletion, and when a user shows a new proof
    because the one before expires: from many links at once, ``Limits.identity_checks``
    at the most, and has ``Limits.application_within_s`` for an answer.
    """

    async def identify(self, claim: Claim) -> Identity | None:
        """Who that is; None for a claim that is wrong, or not right any more.

        That the claim names somebody else than its proof is for the chat to see. May
        raise ``chatcore.errors.Busy``, or another refusal that the user is told.
        """
        ...


class Credentials(Protocol):
    """``Identities`` of an application whose users have passwords, and nothing else."""

    async def check(self, username: Username, password: str) -> bool:
        """Whether this is the password of that user.

        An unknown user should cost as long as a wrong password. May raise
        ``chatcore.errors.Busy``.
        """
        ...


class ErasureLog(Protocol):
    """Where deletions are written down besides the store, so that an older copy of the
    store does not bring back who was erased.

    Records have numbers without gaps, and each is chained to the one before. What a
    coroutine returned from is on the disk. ``chatcore.errors.StoreUnavailable`` means
    that nothing was appended. One call at a time.
    """

    async def after(self, identity: bytes, mark: LogMark) -> Sequence[LoggedErasure]:
        """All that comes after ``mark``, which the store of this identity has.

        What was withdrawn has no erasure. Called once, before anything is appended: a
        log that does not go on from ``mark`` is refused, with what the adapter raises.
        """
        ...

    async def append(self, erasure: Erasure) -> LogMark:
        """Write one more record; where it is."""
        ...

    async def withdraw(self, mark: LogMark) -> LogMark:
        """Write that the deletion at ``mark`` was not carried out; where that is."""
        ...


class ConnectionSink(Protocol):
    """The driver's end of a connection, as the chat sees it."""

    @property
    def held_bytes(self) -> int:
        """What is held for the peer now, as far as that is known (B1)."""
        ...

    def wake(self) -> None:
        """Events wait in the outbox, or mail in the store for the window's room."""
        ...

    def wake_later(self) -> None:
        """Events wait in the outbox that may wait for others: some ms at the most."""
        ...

    async def drained(self) -> bool:
        """Return once the outbox is written; False when the link is lost instead."""
        ...

    async def give_way(self) -> None:
        """Let all others have a turn (B2)."""
        ...

    def report(self, error: Exception) -> None:
        """Have the operator told of a fault of ours, or of the application's."""
        ...

    def start(self, operation: Coroutine[object, None, None]) -> None:
        """Run the rest of a list or delete beside the other commands.

        It is never cancelled: it ends by itself soon after the link is lost.
        """
        ...
