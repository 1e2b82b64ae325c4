"""The store of a chat, as a protocol documented by its guarantees.

Adapters do not inherit from it; a type checker holds them to it. All methods are called
from one thread (the event loop's); an adapter with threads of its own hands its results
back there.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeAlias

from chatcore.ids import (
    NO_INVITATION,
    AccountId,
    AddressHash,
    Epoch,
    IdempotencyKey,
    InvitationHash,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.model import (
    Account,
    AccountRecord,
    CleanUp,
    Deposit,
    FirstAnswer,
    LoggedErasure,
    LogMark,
    Mail,
    Mailbox,
    MailboxContents,
    OpenedSession,
    Place,
    SentPage,
    StoredInvitation,
    StoredSession,
    Survey,
)


class Stored(NamedTuple):
    """The deposit is in the mailbox, from now (``new``) or from an earlier repeat."""

    recipient_id: AccountId
    position: Position
    sent_at_ms: int
    new: bool


class Declined(IntEnum):
    """Why a deposit was not stored; nothing of it was."""

    NO_SUCH_ACCOUNT = 1
    MAILBOX_FULL = 2
    MAILBOX_CLOSING = 3
    OTHER_BODY = 4
    KEY_EXPIRED = 5
    FENCED = 6
    KEY_AHEAD = 7
    MAILBOX_SHARE = 8


DepositResult: TypeAlias = Stored | Declined


class MailboxRoom(NamedTuple):
    """How much a mailbox takes (M6, B6), in messages.

    From ``crowded`` messages on it takes only those of senders that have fewer than
    ``share`` in it, and from ``full`` on none.
    """

    full: int
    crowded: int
    share: int


class KeySpan(NamedTuple):
    """Which idempotency keys may be stored (M2, B7): neither below nor above.

    The horizon of a store never goes back: below it nothing is stored either.
    """

    oldest: IdempotencyKey
    newest: IdempotencyKey


class Store(Protocol):
    """Accounts, mailboxes, idempotency keys and sessions, as rows.

    Guarantees, for every method:

    - What a coroutine returned from is committed, and on a ``durable`` store survives
      a crash of the process and of the machine.
    - Commits are seen in one order, the same by all callers.
    - ``chatcore.errors.StoreUnavailable`` means that nothing was changed;
      ``OutcomeUnknown`` that the store cannot tell. It raises nothing else on purpose.
    - A coroutine that is cancelled may or may not have committed.

    A store that counts what it does has a ``chatcore.counters.StoreCounters`` as its
    ``counters`` as well; nothing but metrics asks for it. One whose ``deposit``
    looks at no task of an event loop before it first waits (``asyncio.timeout`` does)
    may say ``starts_at_once = True``: a lone message then has a task only if it waits.
    """

    durable: bool

    # accounts

    async def create_account(
        self,
        username: Username,
        password_hash: PasswordHash,
        *,
        key: IdempotencyKey,
        at_ms: int,
        invitation: InvitationHash = NO_INVITATION,
    ) -> AccountId | None:
        """Add an account with an id never used before; None when the name exists.

        A key that is not empty is kept with the account's id for ``first_answer``. An
        ``invitation`` that is not empty is spent once in the same commit; None, and
        nothing is changed, when it allows no account at ``at_ms``.
        """
        ...

    async def add_invitation(
        self, invitation: InvitationHash, *, uses: int, expires_at_ms: int
    ) -> None:
        """Have a code allow so many accounts, until then; ``forget`` drops it later."""
        ...

    async def allows(self, invitation: InvitationHash, *, at_ms: int) -> bool:
        """Whether the code is known, not spent, and not expired at ``at_ms``."""
        ...

    async def invitations(
        self, *, after: InvitationHash, limit: int, at_ms: int
    ) -> Sequence[StoredInvitation]:
        """At most so many that allow an account at ``at_ms``, in the order of their
        hashes, from above ``after`` on; none at the end.
        """
        ...

    async def revoke_invitation(self, invitation: InvitationHash) -> bool:
        """Have a code allow nothing any more; whether it was known."""
        ...

    async def find_account(self, username: Username) -> Account | None:
        """The account that has this name now."""
        ...

    async def change_password(
        self,
        account: AccountId,
        token_hash: TokenHash,
        *,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Epoch | None:
        """Replace a password and the session's token, and raise the epoch, in one
        commit (A6); None, and nothing is changed, when the account is gone or has
        another password hash than ``old`` by now.

        From then on no earlier token resumes anything, and what carries an older epoch
        is fenced. An account without a session gets none.
        """
        ...

    async def replace_hash(
        self, account: AccountId, old: PasswordHash, new: PasswordHash
    ) -> None:
        """Keep the same password under another hash, unless it was changed since."""
        ...

    async def names(
        self, *, prefix: str, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Username]]:
        """At most ``limit`` accounts whose names start with ``prefix`` and sort after
        ``after``, by code point; fewer only at the end. Walks an index.
        """
        ...

    # sessions (S6)

    async def open_session(
        self,
        account: AccountId,
        token_hash: TokenHash,
        *,
        password_hash: PasswordHash,
        address: AddressHash,
        at_ms: int,
    ) -> OpenedSession | None:
        """Replace the account's session and raise its epoch; None, and nothing is
        changed, when it is gone or has another password hash than this by now (A6).

        In the same commit it keeps that ``address`` logged in at ``at_ms`` (B4), where
        it is not empty; at least the latest ``KNOWN_ADDRESSES`` of an account are kept.
        """
        ...

    async def knows_address(
        self, account: AccountId, address: AddressHash, *, since_ms: int
    ) -> bool:
        """Whether the account was logged in to from there since then (B4)."""
        ...

    async def resume_session(
        self, token_hash: TokenHash, *, last_seen: Position
    ) -> OpenedSession | None:
        """Raise the epoch of the session with this token; None when there is none.

        Where ``last_seen`` is above the mailbox's head nothing changes (E2): the epoch
        and the mailbox are answered as they are.
        """
        ...

    async def end_session(self, account: AccountId, epoch: Epoch) -> None:
        """Forget the session, unless its epoch is another by now."""
        ...

    async def sessions(self) -> Sequence[StoredSession]:
        """Every session that has not ended."""
        ...

    # messages

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: MailboxRoom,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        """Put messages into mailboxes, in this order, in one transaction.

        Each is judged by itself, those before it included, in this order:

        - ``FENCED``: ``epoch`` is not the sender's, or the sender is gone;
        - under a key that this sender used with this recipient's *name*: the first
          result again with ``new=False`` when the body is the same, also when the
          mailbox is full or gone by now; ``OTHER_BODY`` when it is not;
        - ``KEY_EXPIRED``: an unknown key below ``keys.oldest`` or below the horizon;
        - ``KEY_AHEAD``: an unknown key above ``keys.newest``;
        - ``NO_SUCH_ACCOUNT``, ``MAILBOX_CLOSING``;
        - ``MAILBOX_FULL``, ``MAILBOX_SHARE``: see ``MailboxRoom``; what counts are
          messages that are not acknowledged (bounces are not counted).

        A key that is not empty is kept until ``forget`` drops it. Positions count up by
        one with the account's id, are never used again, and become visible in order:
        whoever has read up to n never finds one at or below n later. Results are handed
        out in the order of commits.
        """
        ...

    def acknowledge(
        self,
        account: AccountId,
        epoch: Epoch,
        position: Position,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """Remove all mail up to ``position``, soon: returns at once (M4).

        It is committed with the next transaction, at the latest within 1 s, and in
        order with this store's other calls: every later one finds it done. An older
        epoch, or a lower position than before, changes nothing. ``committed`` is called
        once it is committed; not when it changed nothing or could not be.
        """
        ...

    async def mailbox(self, account: AccountId) -> Mailbox:
        """What the mailbox holds now; empty for an account that is gone."""
        ...

    async def mailbox_contents(self, account: AccountId) -> MailboxContents:
        """The same in numbers, for the operator: it walks the mail, not the bodies."""
        ...

    async def read(
        self, account: AccountId, *, after: Position, messages: int, body_bytes: int
    ) -> Sequence[Mail]:
        """Mail above ``after``, ascending: at most ``messages`` pieces, and no more
        after those that reach ``body_bytes`` in sum; at least one when there is any.

        Leaves out what a deletion has retracted, from its commit on.
        """
        ...

    # for the operator

    async def account_record(self, account: AccountId) -> AccountRecord | None:
        """What is kept about a live account."""
        ...

    async def sent(
        self, account: AccountId, *, after: Place, messages: int
    ) -> SentPage:
        """What a live account has in others' mailboxes, from there on: a bounded part
        of the walk, which may have found none, and at most so many ``messages``.

        Ascending by recipient's id and position. What is sent or acknowledged while
        the walk goes on may be in it or not.
        """
        ...

    # deletion (D1 to D6)

    async def survey(self, account: AccountId, *, bounce_messages: int) -> Survey:
        """Count what a deletion would touch now, ``bounce_messages`` a bounce."""
        ...

    async def close_mailbox(self, account: AccountId) -> None:
        """Decline deposits to it as ``MAILBOX_CLOSING``, until it is opened, is gone,
        or the store is opened anew.
        """
        ...

    async def open_mailbox(self, account: AccountId) -> None:
        """Take deposits again."""
        ...

    async def delete_account(
        self,
        account: AccountId,
        epoch: Epoch,
        *,
        discard: bool,
        retract: bool,
        delivered: int,
        key: IdempotencyKey,
        at_ms: int,
        mark: LogMark | None = None,
    ) -> bool:
        """Decide the deletion, in one commit, and leave the rest to ``clean_up``.

        From then on the name is free, the session is gone, deposits of older epochs are
        fenced, the account's messages elsewhere show a deleted sender, or with
        ``retract`` are not read any more (those acknowledged by then are not touched).
        Without ``discard`` it does nothing and returns False while a message or bounce
        waits in the mailbox; so it does when the epoch is not the account's.
        ``delivered`` is kept for the receipt. When it is decided, ``mark`` is from that
        commit on the store's.
        """
        ...

    async def identity(self) -> bytes:
        """Random bytes that tell this store, and copies of it, from all others."""
        ...

    async def log_mark(self) -> LogMark:
        """Where the erasure log was with the last deletion that the store has."""
        ...

    async def erase_again(self, logged: LoggedErasure) -> None:
        """Carry out what the erasure log has, and take its mark, in one commit.

        A live account is deleted whatever its epoch; with ``discard`` what waits is
        bounced, and without it is dropped, since it had been delivered. The id of an
        account that is not there is never given to another. Repeating it changes
        nothing.
        """
        ...

    async def pending_deletions(self) -> Sequence[AccountId]:
        """Deleted accounts whose clean-up is not finished."""
        ...

    async def clean_up(
        self, account: AccountId, *, rows: int, bounce_messages: int, at_ms: int
    ) -> CleanUp:
        """Do the next at most ``rows`` messages of a deleted account's clean-up.

        In one commit it takes discarded messages out and puts bounces for them into
        their senders' mailboxes (none for the account itself or for a deleted sender;
        at most ``bounce_messages`` positions each; never declined, not counted against
        the mailbox), or takes out retracted messages. Receipts count from the decision
        on; ``finished`` comes with the last. Repeating a finished one changes nothing.
        """
        ...

    async def first_answer(self, key: IdempotencyKey) -> FirstAnswer | None:
        """What the ``create`` or ``delete`` under this key did; None when unknown."""
        ...

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        """Drop the keys below ``oldest_key``, and what only they kept (tombstones of
        deleted accounts that nothing names any more). It becomes the horizon, where
        that is not higher already. Invitations that had expired by the time in
        ``oldest_key`` are dropped too.
        """
        ...

    async def horizon(self) -> IdempotencyKey:
        """The highest key that ``forget`` was given, also by an earlier run; empty
        when there was none.
        """
        ...

    async def flush(self) -> None:
        """Return once all acknowledgements given so far are committed."""
        ...
