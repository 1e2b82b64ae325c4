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
    Chunk,
    CleanUp,
    Deposit,
    FirstUse,
    LeftToDiscard,
    LoggedErasure,
    LogMark,
    Mail,
    Mailbox,
    NewMail,
    OpenedSession,
    Place,
    SenderShare,
    SentPage,
    StoredInvitation,
    StoredSession,
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
    - Calls take effect in the order in which they were begun, acknowledgements among
      them, each as if alone; their commits are seen in that order by all.
    - ``chatcore.errors.StoreUnavailable`` means that nothing was changed;
      ``OutcomeUnknown`` that the store cannot tell. It raises nothing else on purpose.
      A call that fails or is cancelled takes none along that was made with it.
    - A coroutine that is cancelled may or may not have committed.
    - Of an account that is gone, or never was, there is nothing: reading answers an
      empty list, zeros or None, and whatever else is done to it changes nothing.
    - A list is a whole one of its moment, in the order that its method names.

    A mailbox is a log and a cursor. A deposit is put at its end; ``acknowledge`` moves
    the cursor, and from then on no method shows or counts what is not above it: when
    its rows go is the store's affair. What is above it has gaps where messages were
    retracted. That there is one cursor only ``Mailbox`` and ``acknowledge`` may assume.

    The rows are one process's, which keeps in mind what it was told. Opening a store
    while another has it open is refused (``chatstores.errors.StoreInUse``), or gives
    another store, with rows of its own. A process that was killed keeps nobody out.

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

        Its epoch is 0 and its mailbox empty. A ``key`` that is not empty is kept for
        ``first_use``, unless it was used before: the first use stays, and nothing else
        is another for it. An ``invitation`` that is not empty is spent once in the same
        commit; None, and nothing is changed, when it allows no account at ``at_ms``.
        """
        ...

    async def add_invitation(
        self, invitation: InvitationHash, *, uses: int, expires_at_ms: int
    ) -> None:
        """Have a code allow so many accounts, until then; ``forget`` drops it later.

        One that is there already has these uses and this end from now on.
        """
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
        """Every session that has not ended, by account."""
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
        - ``NO_SUCH_ACCOUNT``;
        - ``MAILBOX_FULL``, ``MAILBOX_SHARE``: see ``MailboxRoom``; what counts are
          messages that are not acknowledged (bounces are not counted). A mailbox
          without any room, ``full`` being 0, takes none, also when it is empty.

        A key that is not empty is kept with the first result that was ``Stored``, until
        ``forget`` drops it; what is declined leaves nothing. Positions count up by
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
        """Move the cursor to ``position``, soon: returns at once (M4).

        A position above the head is the head. It is committed with the next
        transaction, at the latest within 1 s; every later call finds it done. Another
        epoch, or a position that is not above the cursor, changes nothing, so it may be
        repeated. ``committed`` is called once it is committed, from the event loop and
        in the order of commits; not when it changed nothing, or could not be: nobody
        retries it then, since the next one does as much.
        """
        ...

    async def mailbox(self, account: AccountId) -> Mailbox:
        """What the mailbox holds now; empty for an account that is gone."""
        ...

    async def shares(self, account: AccountId) -> Sequence[SenderShare]:
        """What the mailbox holds now, summed up for each account that its mail names
        as sender, by that account's id. It walks the mail, not the bodies.
        """
        ...

    async def read(
        self, account: AccountId, *, after: Position, messages: int, body_bytes: int
    ) -> Sequence[Mail]:
        """Mail above ``after``, ascending: at most ``messages`` pieces, and no more
        after those that reach ``body_bytes`` in sum; at least one when there is any.

        A bounce counts for ``BOUNCE_POSITION_BYTES`` a position. Leaves out what is not
        above the cursor, whatever ``after`` says, and what a deletion has retracted,
        from its commit on. Who was deleted is named as when it lived.
        """
        ...

    # for the operator

    async def account_record(self, account: AccountId) -> AccountRecord | None:
        """What is kept about a live account."""
        ...

    async def sent(
        self, account: AccountId, *, after: Place, messages: int
    ) -> SentPage:
        """Where a live account has messages in others' mailboxes, from there on: a
        bounded part of the walk, which may have found none, and at most so many.

        Ascending by recipient's id and position. What is sent or acknowledged while
        the walk goes on may be in it or not.
        """
        ...

    # deletion (D1 to D6)

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
        """Decide the deletion, in one commit, and leave the rest to be cleaned up.

        From then on the name is free, the session and the mailbox are gone, its
        deposits are fenced, and its messages elsewhere show a deleted sender, or with
        ``retract`` are not shown or counted any more (those acknowledged by then are
        not touched). Without ``discard`` it does nothing and returns False while a
        message or bounce waits in the mailbox; so it does when the epoch is not the
        account's. ``delivered`` is kept for the receipt, ``key`` for ``first_use`` as
        in ``create_account``. When it is decided, ``mark`` is from that commit on the
        store's.
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
        """Deleted accounts whose clean-up is not finished, in order of decision."""
        ...

    async def left_to_discard(
        self, account: AccountId, *, messages: int
    ) -> LeftToDiscard:
        """At most so many of the messages that were in a deleted account's mailbox at
        its decision, and are there, sorted by sender and position; none for a live
        account. What was retracted by a deletion decided before is not among them.
        """
        ...

    async def discard(
        self,
        account: AccountId,
        chunks: Sequence[Chunk],
        *,
        discarded: int,
        at_ms: int,
    ) -> Sequence[NewMail]:
        """Take these messages out, in one commit with a bounce for each chunk (D4).

        They are the next ones that are left; where not as many were ``discarded`` as
        this says, it is done already, and nothing is changed. A bounce goes to the end
        of its sender's mailbox, is never declined, and not counted there. A deleted
        sender gets none, and so neither does the account itself. Answers the bounces,
        in the order of the chunks; the receipt counts messages and bounces.
        """
        ...

    async def clean_up(self, account: AccountId, *, rows: int) -> CleanUp:
        """Work off what a deleted account has sent, in one commit: take at most
        ``rows`` retracted messages out.

        The receipt counts all that it had in others' mailboxes at its decision, as
        ``retracted`` or ``kept``, whatever became of them since; whole once this is
        ``finished``. One that is in a mailbox whose own deletion was decided before is
        counted there. Does nothing while messages are left to discard, and answers a
        finished one again, until it is forgotten. An account that is not deleted, or
        not known, is finished, with an empty receipt.
        """
        ...

    async def first_use(self, key: IdempotencyKey) -> FirstUse | None:
        """What the first ``create`` or ``delete`` under this key was about, while
        ``forget`` has not dropped it; None when there was none.
        """
        ...

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        """Drop the keys below ``oldest_key``, and what only they kept: of a deleted
        account all but its id and, while mail names it, its name, once it is cleaned
        up. It becomes the horizon, where that is not higher already. Invitations that
        had expired by the time in ``oldest_key`` are dropped too.
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
