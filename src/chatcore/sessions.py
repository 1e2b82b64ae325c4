"""Sessions: one for each account that is logged in, with or without a link (S1 to S6).

A session is *attached* while a connection carries it, *detached* while it waits for a
resume, and *ended* for good. ``Sessions`` finds them by account, token and connection.
"""

from collections import Counter
from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from chatcore.connections import Connection
from chatcore.delivery import Delivery, DeliveryTrigger
from chatcore.ids import AccountId, Epoch, TokenHash, Username
from chatcore.rate_limiter import Buckets, Caller


class SessionState(Enum):
    """Whether a session has a link."""

    ATTACHED = auto()
    DETACHED = auto()
    ENDED = auto()


class SessionTrigger(Enum):
    """What changes a session's state."""

    LINK_LOST = auto()
    RESUMED = auto()
    ENDED = auto()


SESSION_STATES: Final[Mapping[tuple[SessionState, SessionTrigger], SessionState]] = {
    (SessionState.ATTACHED, SessionTrigger.LINK_LOST): SessionState.DETACHED,
    (SessionState.ATTACHED, SessionTrigger.RESUMED): SessionState.ATTACHED,
    (SessionState.ATTACHED, SessionTrigger.ENDED): SessionState.ENDED,
    (SessionState.DETACHED, SessionTrigger.RESUMED): SessionState.ATTACHED,
    (SessionState.DETACHED, SessionTrigger.ENDED): SessionState.ENDED,
}


class Session:
    """One account's session.

    Attributes:
        epoch: fences what older links still bring (S6).
        delivery: how its mail goes out.
        connection: what carries it while attached.
        is_deleting: a deletion holds it (D1).
        is_proving: a proof of its user is being judged.
        expires_s: when what was shown last expires, on the monotonic clock; None where
            it does not.
        buckets: what is left of its rates (B5).
    """

    __slots__ = (
        "account",
        "buckets",
        "connection",
        "delivery",
        "epoch",
        "expires_s",
        "is_deleting",
        "is_proving",
        "state",
        "token_hash",
        "username",
    )

    def __init__(
        self,
        account: AccountId,
        username: Username,
        epoch: Epoch,
        token_hash: TokenHash,
        delivery: Delivery,
    ) -> None:
        self.account = account
        self.username = username
        self.epoch = epoch
        self.token_hash = token_hash
        self.delivery = delivery
        self.connection: Connection | None = None
        self.is_deleting = self.is_proving = False
        self.expires_s: float | None = None
        self.buckets: Buckets = {}
        self.state = SessionState.DETACHED

    def change(self, cause: SessionTrigger) -> None:
        """Follow the table; a pair that is not in it is a fault of ours."""
        self.state = SESSION_STATES[self.state, cause]

    @property
    def is_attached(self) -> bool:
        """Whether a connection carries it."""
        return self.state is SessionState.ATTACHED


class Sessions:
    """Every session of one chat that has not ended.

    Attributes:
        grace_s: how long one without a link can be resumed (S3).
        told_of_mail: accounts of which the application was told that they are offline
            and have mail, since they were online.
    """

    def __init__(self, *, grace_s: float) -> None:
        self.grace_s = grace_s
        self.told_of_mail: dict[AccountId, None] = {}
        self._by_account: dict[AccountId, Session] = {}
        self._by_token: dict[TokenHash, Session] = {}
        self._by_connection: dict[Connection, Session] = {}
        self._by_network: Counter[str] = Counter()
        self._by_transport: Counter[str] = Counter()
        # When each grace began: it is as long for all, so the first detached is due
        # first.
        self._detached: dict[Session, float] = {}

    def of_account(self, account: AccountId) -> Session | None:
        """The account's session, attached or not."""
        return self._by_account.get(account)

    def all(self) -> list[Session]:
        """Every session, as it is at this moment."""
        return list(self._by_account.values())

    def detached_since_s(self, session: Session) -> float:
        """When a detached session has lost its link, or its grace was begun anew."""
        return self._detached[session]

    def of_token(self, token_hash: TokenHash) -> Session | None:
        """The session that a token resumes."""
        return self._by_token.get(token_hash)

    def of_connection(self, connection: Connection) -> Session | None:
        """The session that a connection carries."""
        return self._by_connection.get(connection)

    def add_detached(self, session: Session, now_s: float) -> None:
        """Keep a stored session; its grace starts at ``now_s`` (S6)."""
        self._by_account[session.account] = session
        self._by_token[session.token_hash] = session
        self._detached[session] = now_s

    def attach(self, session: Session, connection: Connection) -> None:
        """Let a connection carry the session; what carried it before no longer does."""
        self._leave(session)
        session.change(SessionTrigger.RESUMED)
        session.connection = connection
        self._by_network[connection.network] += 1
        self._by_transport[connection.origin.transport] += 1
        self._detached.pop(session, None)
        self._by_account[session.account] = session
        self._by_token[session.token_hash] = session
        self._by_connection[connection] = session
        connection.delivery = session.delivery
        self.told_of_mail.pop(session.account, None)

    def detach(self, session: Session, now_s: float) -> None:
        """The link is lost: the grace time starts (S3)."""
        self._release(session)
        session.change(SessionTrigger.LINK_LOST)
        self._detached[session] = now_s

    def end(self, session: Session) -> None:
        """Forget the session."""
        self._release(session)
        session.change(SessionTrigger.ENDED)
        self._detached.pop(session, None)
        self._by_account.pop(session.account, None)
        self._by_token.pop(session.token_hash, None)

    def renew(self, session: Session, token_hash: TokenHash, epoch: Epoch) -> None:
        """Give the session another token, and let the one before resume nothing."""
        self._by_token.pop(session.token_hash, None)
        session.token_hash = token_hash
        session.epoch = epoch
        self._by_token[token_hash] = session

    def source(self, connection: Connection) -> Caller:
        """Who asks on a connection, as rates count it (B5)."""
        session = self._by_connection.get(connection)
        if session is None:
            return Caller(
                buckets=connection.buckets,
                network=connection.network,
                origin=connection.origin,
            )
        return Caller(
            buckets=session.buckets,
            account=session.account,
            network=connection.network,
            origin=connection.origin,
        )

    @property
    def attached(self) -> Mapping[str, int]:
        """How many are attached, by transport."""
        return self._by_transport

    @property
    def detached(self) -> int:
        """How many wait for a resume."""
        return len(self._detached)

    def known_from(self, network: str) -> int:
        """How many connections from a network somebody is logged in on (B3)."""
        return self._by_network[network]

    def overdue(self, now_s: float) -> Session | None:
        """The session that is detached longest, if its grace is over."""
        for session, since_s in self._detached.items():
            return session if since_s + self.grace_s <= now_s else None
        return None

    def _release(self, session: Session) -> None:
        self._leave(session)
        session.delivery.change(DeliveryTrigger.STOPPED)

    def _leave(self, session: Session) -> None:
        """No connection carries it."""
        connection, session.connection = session.connection, None
        if connection is None:
            return
        self._by_connection.pop(connection, None)
        connection.delivery = None
        self._by_transport[connection.origin.transport] -= 1
        self._by_network[connection.network] -= 1
        if not self._by_network[connection.network]:
            del self._by_network[connection.network]
