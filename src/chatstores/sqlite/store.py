"""The ``Store`` port over one SQLite file.

Each method queues work for the ``writer`` and waits for its commit. What walks the
whole file does so in pages, each work of its own, so that others go in between.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from chatcore.ids import BEFORE_FIRST, AccountId, Epoch, IdempotencyKey, Position
from chatcore.model import Deposit, Mail
from chatcore.store import DepositResult, KeySpan, MailboxRoom
from chatstores.sqlite import accounts, deletions, mailboxes, retention
from chatstores.sqlite import clean_up as clean_ups
from chatstores.sqlite import invitations as codes
from chatstores.sqlite.copies import SYNC_EVERY_S, Copy, CopyReport
from chatstores.sqlite.database import Database
from chatstores.sqlite.disk_monitor import DiskMonitor
from chatstores.sqlite.outbox import SqliteOutbox
from chatstores.sqlite.pagination import END, START
from chatstores.sqlite.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")


def by_writer(
    work: Callable[Concatenate[Database, P], T],
) -> Callable[Concatenate["SqliteStore", P], Coroutine[Any, Any, T]]:
    """The method of the port that has the writer do ``work``."""

    async def method(self: "SqliteStore", /, *given: P.args, **named: P.kwargs) -> T:
        return await self._writer.ask(lambda database: work(database, *given, **named))

    return method


class SqliteStore:
    """A store that survives a crash of the process and of the machine.

    Most of its methods are functions of the modules that are named in its body.
    """

    durable = True
    starts_at_once = True

    def __init__(self, database: Database, monitor: DiskMonitor) -> None:
        self._database = database
        self._writer = Writer(database, monitor)
        self._told: dict[AccountId, Position] = {}  # acknowledged, perhaps not removed
        self.counters = database.batch.counters
        self.outbox = SqliteOutbox(database, self._writer)

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

    create_account = by_writer(accounts.create_account)
    add_invitation = by_writer(codes.add_invitation)
    allows = by_writer(codes.allows)
    invitations = by_writer(codes.invitations)
    revoke_invitation = by_writer(codes.revoke_invitation)
    find_account = by_writer(accounts.find_account)
    change_password = by_writer(accounts.change_password)
    replace_hash = by_writer(accounts.replace_hash)
    names = by_writer(accounts.names)
    account_record = by_writer(accounts.account_record)

    # sessions

    open_session = by_writer(accounts.open_session)
    knows_address = by_writer(accounts.knows_address)
    resume_session = by_writer(accounts.resume_session)
    end_session = by_writer(accounts.end_session)
    sessions = by_writer(accounts.sessions)

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

    mailbox = by_writer(mailboxes.mailbox)
    shares = by_writer(mailboxes.shares)
    sent = by_writer(mailboxes.sent)

    # deletion

    delete_account = by_writer(deletions.delete_account)
    identity = by_writer(deletions.identity)
    log_mark = by_writer(deletions.log_mark)
    erase_again = by_writer(deletions.erase_again)
    pending_deletions = by_writer(deletions.pending_deletions)
    left_to_discard = by_writer(clean_ups.left_to_discard)
    discard = by_writer(clean_ups.discard)
    clean_up = by_writer(clean_ups.clean_up)
    first_use = by_writer(deletions.first_use)
    horizon = by_writer(retention.horizon)

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        """Drop the keys below ``oldest_key``, and what only they kept."""
        ask = self._writer.ask
        await ask(lambda database: retention.expire_keys(database, oldest_key))
        await ask(lambda database: codes.forget(database, oldest_key))
        await ask(lambda database: retention.forget_webhooks(database, oldest_key))
        while await ask(retention.delete_expired_keys):
            pass
        unnamed = set(await ask(retention.tombstones))
        cursor = START
        while unnamed and cursor != END:
            cursor, named = await ask(partial(retention.senders, after=cursor))
            unnamed.difference_update(named)
        if unnamed:
            await ask(lambda database: retention.purge(database, unnamed))

    async def flush(self) -> None:
        """Return once all acknowledgements given so far are committed."""
        await self._writer.ask(lambda _: None)
