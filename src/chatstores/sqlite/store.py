"""The ``Store`` port over one SQLite file.

Each method queues work for the ``writer`` and waits for its commit. What walks the
whole file does so in pages, each work of its own, so that others go in between.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from chatcore.ids import (
    BEFORE_FIRST,
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
from chatcore.store import DepositResult, KeySpan, MailboxRoom
from chatstores.sqlite import (
    accounts,
    clean_up,
    deletions,
    invitations,
    mailboxes,
    retention,
)
from chatstores.sqlite.copies import SYNC_EVERY_S, Copy, CopyReport
from chatstores.sqlite.database import Database
from chatstores.sqlite.disk_monitor import DiskMonitor
from chatstores.sqlite.pagination import END, START
from chatstores.sqlite.writer import Writer


class SqliteStore:
    """A store that survives a crash of the process and of the machine."""

    durable = True
    starts_at_once = True

    def __init__(self, database: Database, monitor: DiskMonitor) -> None:
        self._database = database
        self._writer = Writer(database, monitor)
        self._told: dict[AccountId, Position] = {}  # acknowledged, perhaps not removed
        self.counters = database.batch.counters

    @property
    def transactions(self) -> int:
        """How many were committed since it was opened: shows how calls share them."""
        return self._database.batch.transactions

    async def close(self) -> None:
        """Commit what waits and give the file back."""
        await self._writer.close()

    async def backup(self, path: Path, *, replace: bool = False) -> CopyReport:
        """Copy the database to ``path`` while it is used.

        The copy has every commit up to its last step: all that anybody was told of
        before this was called, and some of what came meanwhile. Raises
        ``chatstores.errors.AlreadyThere``, ``CopyFailed``, or ``StoreUnavailable`` when
        the store is closed first. One that is cancelled may yet come to its end.
        """
        copy = Copy(self._database.batch.connection, path, replace=replace)
        copying = self._writer.beside(copy)
        try:
            while not copying.done():
                await asyncio.wait([copying], timeout=SYNC_EVERY_S)
                await asyncio.to_thread(copy.sync)
            copying.result()
        except BaseException:
            copying.cancel()
            copy.stop()
            raise
        return await asyncio.to_thread(copy.finish)

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
        """Add an account; None when the name exists, or the invitation is spent."""
        return await self._writer.ask(
            lambda database: accounts.create(
                database, username, password_hash, key, at_ms, invitation
            )
        )

    async def add_invitation(
        self, invitation: InvitationHash, *, uses: int, expires_at_ms: int
    ) -> None:
        """Have a code allow so many accounts, until then."""
        await self._writer.ask(
            lambda database: invitations.add(database, invitation, uses, expires_at_ms)
        )

    async def allows(self, invitation: InvitationHash, *, at_ms: int) -> bool:
        """Whether the code is known, not spent, and not expired."""
        return await self._writer.ask(
            lambda database: invitations.allows(database, invitation, at_ms)
        )

    async def invitations(
        self, *, after: InvitationHash, limit: int, at_ms: int
    ) -> Sequence[StoredInvitation]:
        """A page of those that allow an account."""
        return await self._writer.ask(
            lambda database: invitations.page(database, after, limit, at_ms)
        )

    async def revoke_invitation(self, invitation: InvitationHash) -> bool:
        """Have a code allow nothing any more; whether it was known."""
        return await self._writer.ask(
            lambda database: invitations.revoke(database, invitation)
        )

    async def find_account(self, username: Username) -> Account | None:
        """The account that has this name now."""
        return await self._writer.ask(
            lambda database: accounts.find(database, username)
        )

    async def change_password(
        self,
        account: AccountId,
        token_hash: TokenHash,
        *,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Epoch | None:
        """Replace a password and the session's token, and raise the epoch."""
        return await self._writer.ask(
            lambda database: accounts.change_password(
                database, account, token_hash, old=old, new=new
            )
        )

    async def replace_hash(
        self, account: AccountId, old: PasswordHash, new: PasswordHash
    ) -> None:
        """Keep the same password under another hash, unless it was changed since."""
        await self._writer.ask(
            lambda database: accounts.replace_hash(database, account, old, new)
        )

    async def names(
        self, *, prefix: str, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Username]]:
        """A page of names, by code point."""
        return await self._writer.ask(
            lambda database: accounts.names(database, prefix, after, limit)
        )

    # sessions

    async def open_session(
        self,
        account: AccountId,
        token_hash: TokenHash,
        *,
        password_hash: PasswordHash,
        address: AddressHash,
        at_ms: int,
    ) -> OpenedSession | None:
        """Replace the account's session, raise its epoch, and know the address."""
        return await self._writer.ask(
            lambda database: accounts.open_session(
                database, account, token_hash, password_hash, address, at_ms
            )
        )

    async def knows_address(
        self, account: AccountId, address: AddressHash, *, since_ms: int
    ) -> bool:
        """Whether the account was logged in to from there since then."""
        return await self._writer.ask(
            lambda database: accounts.knows_address(
                database, account, address, since_ms
            )
        )

    async def resume_session(
        self, token_hash: TokenHash, *, last_seen: Position
    ) -> OpenedSession | None:
        """Raise the epoch of the session with this token, if ``last_seen`` can be."""
        return await self._writer.ask(
            lambda database: accounts.resume_session(database, token_hash, last_seen)
        )

    async def end_session(self, account: AccountId, epoch: Epoch) -> None:
        """Forget the session, unless its epoch is another by now."""
        await self._writer.ask(
            lambda database: accounts.end_session(database, account, epoch)
        )

    async def sessions(self) -> Sequence[StoredSession]:
        """Every session that has not ended, by account."""
        return await self._writer.ask(accounts.sessions)

    # messages

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: MailboxRoom,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        """Put messages into mailboxes, in this order."""
        return await self._writer.ask(
            lambda database: mailboxes.deposit(database, deposits, room, keys)
        )

    def acknowledge(
        self,
        account: AccountId,
        epoch: Epoch,
        position: Position,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """Remove all mail up to ``position``, with the next transaction."""
        told = self._told
        if not self._writer.has_work:
            told.clear()
        if position > told.get(account, BEFORE_FIRST):
            told[account] = position
        self._writer.tell(
            partial(
                mailboxes.acknowledge, account=account, epoch=epoch, position=position
            ),
            committed,
        )

    async def mailbox(self, account: AccountId) -> Mailbox:
        """What the mailbox holds now."""
        return await self._writer.ask(
            lambda database: mailboxes.mailbox(database, account)
        )

    async def shares(self, account: AccountId) -> Sequence[SenderShare]:
        """What the mailbox holds now, summed up for each sender."""
        return await self._writer.ask(
            lambda database: mailboxes.shares(database, account)
        )

    async def read(
        self, account: AccountId, *, after: Position, messages: int, body_bytes: int
    ) -> Sequence[Mail]:
        """A page of mail above ``after``.

        Whoever has been given what was acknowledged does not wait until it is removed.
        """
        is_above = after >= self._told.get(account, BEFORE_FIRST)
        answer = self._writer.look if is_above else self._writer.ask
        return await answer(
            lambda database: mailboxes.read(
                database, account, after, messages, body_bytes
            )
        )

    # for the operator

    async def account_record(self, account: AccountId) -> AccountRecord | None:
        """What is kept about a live account."""
        return await self._writer.ask(
            lambda database: accounts.record(database, account)
        )

    async def sent(
        self, account: AccountId, *, after: Place, messages: int
    ) -> SentPage:
        """Where a live account has messages on a page of others' mailboxes."""
        return await self._writer.ask(
            lambda database: mailboxes.sent(database, account, after, messages)
        )

    # deletion

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
        """Decide the deletion, and leave the rest to ``clean_up``."""

        def decide(database: Database) -> bool:
            is_decided = deletions.decide(
                database, account, epoch, discard, retract, delivered, key, at_ms
            )
            if is_decided and mark is not None:
                deletions.take_mark(database, mark)
            return is_decided

        return await self._writer.ask(decide)

    async def identity(self) -> bytes:
        """What tells this database and its copies from all others."""
        return await self._writer.ask(deletions.identity)

    async def log_mark(self) -> LogMark:
        """Where the erasure log was with the last deletion that is in here."""
        return await self._writer.ask(deletions.log_mark)

    async def erase_again(self, logged: LoggedErasure) -> None:
        """Carry out what the erasure log has, and take its mark."""
        await self._writer.ask(lambda database: deletions.erase_again(database, logged))

    async def pending_deletions(self) -> Sequence[AccountId]:
        """Deleted accounts whose clean-up is not finished, oldest decision first."""
        return await self._writer.ask(deletions.pending)

    async def left_to_discard(
        self, account: AccountId, *, messages: int
    ) -> LeftToDiscard:
        """What is next to be taken out of a deleted account's mailbox."""
        return await self._writer.ask(
            lambda database: clean_up.left_to_discard(database, account, messages)
        )

    async def discard(
        self,
        account: AccountId,
        chunks: Sequence[Chunk],
        *,
        discarded: int,
        at_ms: int,
    ) -> Sequence[NewMail]:
        """Take these messages out, with a bounce for each chunk."""
        return await self._writer.ask(
            lambda database: clean_up.discard(
                database, account, chunks, discarded, at_ms
            )
        )

    async def clean_up(self, account: AccountId, *, rows: int) -> CleanUp:
        """Do the next at most ``rows`` messages of what was retracted."""
        return await self._writer.ask(
            lambda database: clean_up.clean_up(database, account, rows)
        )

    async def first_use(self, key: IdempotencyKey) -> FirstUse | None:
        """What the first ``create`` or ``delete`` under this key was about."""
        return await self._writer.ask(
            lambda database: deletions.first_use(database, key)
        )

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        """Drop the keys below ``oldest_key``, and what only they kept."""
        ask = self._writer.ask
        await ask(lambda database: retention.expire_keys(database, oldest_key))
        await ask(lambda database: invitations.forget(database, oldest_key))
        while await ask(retention.delete_expired_keys):
            pass
        unnamed = set(await ask(retention.tombstones))
        cursor = START
        while unnamed and cursor != END:
            cursor, named = await ask(partial(retention.senders, after=cursor))
            unnamed.difference_update(named)
        if unnamed:
            await ask(lambda database: retention.purge(database, unnamed))

    async def horizon(self) -> IdempotencyKey:
        """The highest key that ``forget`` was given, also by an earlier run."""
        return await self._writer.ask(lambda database: database.cache.horizon)

    async def flush(self) -> None:
        """Return once all acknowledgements given so far are committed."""
        await self._writer.ask(lambda _: None)
