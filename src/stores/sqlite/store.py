"""The ``Store`` port over one SQLite file.

Each method queues work for the ``writer`` and waits for its commit. What walks the
whole file does so in pages, each work of its own, so that others go in between.
"""

from collections.abc import Callable, Sequence
from functools import partial

from chatcore.ids import (
    AccountId,
    AddressHash,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.model import (
    Account,
    CleanUp,
    Deposit,
    FirstAnswer,
    Mail,
    Mailbox,
    OpenedSession,
    StoredSession,
    Survey,
)
from chatcore.store import DepositResult, KeySpan, Room
from stores.sqlite import accounts, cleaning, deletions, mailboxes, sweeping
from stores.sqlite.books import Books
from stores.sqlite.walk import END, START
from stores.sqlite.writer import Writer


class SqliteStore:
    """A store that survives a crash of the process and of the machine."""

    durable = True

    def __init__(self, books: Books) -> None:
        self._books = books
        self._writer = Writer(books)

    @property
    def transactions(self) -> int:
        """How many were committed since it was opened: shows how calls share them."""
        return self._books.ledger.transactions

    async def close(self) -> None:
        """Commit what waits and give the file back."""
        await self._writer.close()

    # accounts

    async def create_account(
        self,
        username: Username,
        password_hash: PasswordHash,
        *,
        key: IdempotencyKey,
        at_ms: int,
    ) -> AccountId | None:
        """Add an account; None when the name exists."""
        return await self._writer.ask(
            lambda books: accounts.create(books, username, password_hash, key, at_ms)
        )

    async def find_account(self, username: Username) -> Account | None:
        """The account that has this name now."""
        return await self._writer.ask(lambda books: accounts.find(books, username))

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
            lambda books: accounts.change_password(
                books, account, token_hash, old=old, new=new
            )
        )

    async def replace_hash(
        self, account: AccountId, old: PasswordHash, new: PasswordHash
    ) -> None:
        """Keep the same password under another hash, unless it was changed since."""
        await self._writer.ask(
            lambda books: accounts.replace_hash(books, account, old, new)
        )

    async def names(
        self, *, prefix: str, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Username]]:
        """A page of names, by code point."""
        return await self._writer.ask(
            lambda books: accounts.names(books, prefix, after, limit)
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
            lambda books: accounts.open_session(
                books, account, token_hash, password_hash, address, at_ms
            )
        )

    async def knows_address(
        self, account: AccountId, address: AddressHash, *, since_ms: int
    ) -> bool:
        """Whether the account was logged in to from there since then."""
        return await self._writer.ask(
            lambda books: accounts.knows_address(books, account, address, since_ms)
        )

    async def resume_session(
        self, token_hash: TokenHash, *, last_seen: Position
    ) -> OpenedSession | None:
        """Raise the epoch of the session with this token, if ``last_seen`` can be."""
        return await self._writer.ask(
            lambda books: accounts.resume_session(books, token_hash, last_seen)
        )

    async def end_session(self, account: AccountId, epoch: Epoch) -> None:
        """Forget the session, unless its epoch is another by now."""
        await self._writer.ask(
            lambda books: accounts.end_session(books, account, epoch)
        )

    async def sessions(self) -> Sequence[StoredSession]:
        """Every session that has not ended, by account."""
        return await self._writer.ask(accounts.sessions)

    # messages

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: Room,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        """Put messages into mailboxes, in this order."""
        return await self._writer.ask(
            lambda books: mailboxes.deposit(books, deposits, room, keys)
        )

    def acknowledge(
        self,
        account: AccountId,
        epoch: Epoch,
        position: Position,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """Remove all mail up to ``position``, with the next transaction."""
        self._writer.tell(
            partial(
                mailboxes.acknowledge, account=account, epoch=epoch, position=position
            ),
            committed,
        )

    async def mailbox(self, account: AccountId) -> Mailbox:
        """What the mailbox holds now."""
        return await self._writer.ask(lambda books: mailboxes.mailbox(books, account))

    async def read(
        self, account: AccountId, *, after: Position, messages: int, body_bytes: int
    ) -> Sequence[Mail]:
        """A page of mail above ``after``."""
        return await self._writer.ask(
            lambda books: mailboxes.read(books, account, after, messages, body_bytes)
        )

    # deletion

    async def survey(self, account: AccountId, *, bounce_messages: int) -> Survey:
        """Count what a deletion would touch.

        The inbox at one moment; the outbox page by page, so that on a store of many
        messages it counts what is there when the walk comes by.
        """
        messages, senders, bounces = await self._writer.ask(
            lambda books: deletions.survey_inbox(books, account, bounce_messages)
        )
        sent = 0
        recipients: set[AccountId] = set()
        place = START
        while place != END:
            place, found = await self._writer.ask(
                partial(deletions.survey_outbox, account=account, after=place)
            )
            recipients.update(recipient for recipient, _ in found)
            sent += sum(count for _, count in found)
        return Survey(
            inbox_messages=messages,
            inbox_senders=senders,
            bounces=bounces,
            outbox_messages=sent,
            outbox_recipients=len(recipients),
        )

    async def close_mailbox(self, account: AccountId) -> None:
        """Decline deposits to it until it is opened, is gone, or the store is."""
        await self._writer.ask(lambda books: books.close_mailbox(account))

    async def open_mailbox(self, account: AccountId) -> None:
        """Take deposits again."""
        await self._writer.ask(lambda books: books.closing.discard(account))

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
    ) -> bool:
        """Decide the deletion, and leave the rest to ``clean_up``."""
        return await self._writer.ask(
            lambda books: deletions.decide(
                books, account, epoch, discard, retract, delivered, key, at_ms
            )
        )

    async def pending_deletions(self) -> Sequence[AccountId]:
        """Deleted accounts whose clean-up is not finished, oldest decision first."""
        return await self._writer.ask(deletions.pending)

    async def clean_up(
        self, account: AccountId, *, rows: int, bounce_messages: int, at_ms: int
    ) -> CleanUp:
        """Do the next at most ``rows`` messages of a clean-up."""
        return await self._writer.ask(
            lambda books: cleaning.clean_up(
                books, account, rows, bounce_messages, at_ms
            )
        )

    async def first_answer(self, key: IdempotencyKey) -> FirstAnswer | None:
        """What the ``create`` or ``delete`` under this key did."""
        return await self._writer.ask(lambda books: deletions.first_answer(books, key))

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        """Drop the keys below ``oldest_key``, and what only they kept."""
        ask = self._writer.ask
        await ask(lambda books: sweeping.forget_keys(books, oldest_key))
        while await ask(sweeping.sweep_keys):
            pass
        unnamed = set(await ask(sweeping.tombstones))
        place = START
        while unnamed and place != END:
            place, named = await ask(partial(sweeping.senders, after=place))
            unnamed.difference_update(named)
        if unnamed:
            await ask(lambda books: sweeping.bury(books, unnamed))

    async def horizon(self) -> IdempotencyKey:
        """The highest key that ``forget`` was given, also by an earlier run."""
        return await self._writer.ask(lambda books: books.known.horizon)

    async def flush(self) -> None:
        """Return once all acknowledgements given so far are committed."""
        await self._writer.ask(lambda _: None)
