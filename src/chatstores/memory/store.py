"""The ``Store`` port over dictionaries.

Each method does its work before it first gives up control: all of them are committed
at once, in one order, and none can be cancelled half-way.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from itertools import islice
from operator import attrgetter, call
from typing import Final

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
    BOUNCE_POSITION_BYTES,
    Account,
    Bounce,
    Deposit,
    Mail,
    Mailbox,
    Message,
    OpenedSession,
    StoredSession,
)
from chatcore.store import Declined, DepositResult, KeySpan, MailboxRoom, Stored
from chatcore.tuples import new_tuple
from chatstores.memory.deletions import StoredDeletions
from chatstores.memory.invitations import StoredInvitations
from chatstores.memory.outbox import MemoryOutbox
from chatstores.memory.retention import Retention
from chatstores.memory.rows import (
    AccountRow,
    KeyedRequest,
    KnownKey,
    MailboxRow,
    Rows,
)
from chatstores.memory.summaries import Summaries

_GONE: Final = MailboxRow()
"""In place of the mailbox of an account that is gone."""


class MemoryStore(StoredInvitations, StoredDeletions, Retention, Summaries):
    """A store that is gone with its process.

    Args:
        call_soon: how ``committed`` of an acknowledgement is called; at once, when
            nothing is given.
    """

    durable = False
    starts_at_once = True

    def __init__(
        self, *, call_soon: Callable[[Callable[[], None]], object] = call
    ) -> None:
        self._rows = Rows()
        self.counters = self._rows.counters
        self.outbox = MemoryOutbox()
        self._call_soon = call_soon

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
        rows = self._rows
        if username in rows.by_name:
            return None
        if invitation:
            if not rows.allows(invitation, at_ms):
                return None
            rows.spend(invitation)
        rows.last_id += 1
        account = AccountId(rows.last_id)
        row = AccountRow(
            id=account,
            username=username,
            password_hash=password_hash,
            created_at_ms=at_ms,
        )
        rows.accounts[account] = rows.by_name[username] = row
        rows.boxes[account] = MailboxRow()
        insort(rows.names, username)
        if key:
            rows.requests.setdefault(key, KeyedRequest(row, is_deletion=False))
        return account

    async def find_account(self, username: Username) -> Account | None:
        """The account that has this name now."""
        row = self._rows.by_name.get(username)
        if row is None:
            return None
        return Account(
            id=row.id, username=row.username, password_hash=row.password_hash
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
        row = self._rows.accounts.get(account)
        if row is None or row.password_hash != old:
            return None
        row.password_hash = new
        if row.token_hash is not None:
            self._keep_session(row, token_hash)
        row.epoch = Epoch(row.epoch + 1)
        return row.epoch

    async def replace_hash(
        self, account: AccountId, old: PasswordHash, new: PasswordHash
    ) -> None:
        """Keep the same password under another hash, unless it was changed since."""
        row = self._rows.accounts.get(account)
        if row is not None and row.password_hash == old:
            row.password_hash = new

    async def names(
        self, *, prefix: str, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Username]]:
        """A page of names, by code point."""
        rows = self._rows
        start = (
            bisect_left(rows.names, prefix)
            if after < prefix
            else bisect_right(rows.names, after)
        )
        return [
            (rows.by_name[name].id, name)
            for name in islice(rows.names, start, start + limit)
            if name.startswith(prefix)
        ]

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
        row = self._rows.accounts.get(account)
        if row is None or row.password_hash != password_hash:
            return None
        self._keep_session(row, token_hash)
        if address:
            row.keep_address(address, at_ms)
        row.epoch = Epoch(row.epoch + 1)
        return self._opened(row)

    async def knows_address(
        self, account: AccountId, address: AddressHash, *, since_ms: int
    ) -> bool:
        """Whether the account was logged in to from there since then."""
        row = self._rows.accounts.get(account)
        at_ms = None if row is None else row.addresses.get(address)
        return at_ms is not None and at_ms >= since_ms

    async def resume_session(
        self, token_hash: TokenHash, *, last_seen: Position
    ) -> OpenedSession | None:
        """Raise the epoch of the session with this token, if ``last_seen`` can be."""
        row = self._rows.by_token.get(token_hash)
        if row is None:
            return None
        if last_seen <= self._rows.boxes[row.id].head:
            row.epoch = Epoch(row.epoch + 1)
        return self._opened(row)

    async def end_session(self, account: AccountId, epoch: Epoch) -> None:
        """Forget the session, unless its epoch is another by now."""
        row = self._rows.accounts.get(account)
        if row is not None and row.epoch == epoch:
            self._drop_session(row)

    async def sessions(self) -> Sequence[StoredSession]:
        """Every session that has not ended, by account."""
        rows = sorted(self._rows.by_token.items(), key=lambda it: it[1].id)
        return [
            StoredSession(
                account=row.id,
                username=row.username,
                epoch=row.epoch,
                token_hash=token_hash,
            )
            for token_hash, row in rows
        ]

    def _keep_session(self, row: AccountRow, token_hash: TokenHash) -> None:
        self._drop_session(row)
        row.token_hash = token_hash
        self._rows.by_token[token_hash] = row

    def _drop_session(self, row: AccountRow) -> None:
        if row.token_hash is not None:
            del self._rows.by_token[row.token_hash]
            row.token_hash = None

    def _opened(self, row: AccountRow) -> OpenedSession:
        return OpenedSession(
            account=row.id,
            username=row.username,
            epoch=row.epoch,
            mailbox=self._mailbox(row.id),
        )

    # messages

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: MailboxRoom,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        """Put messages into mailboxes, in this order."""
        return [self._deposit(it, room, keys) for it in deposits]

    def _deposit(self, it: Deposit, room: MailboxRoom, keys: KeySpan) -> DepositResult:
        """Judge one deposit, and store it when nothing speaks against it."""
        rows = self._rows
        sender_id, epoch, name, body, body_bytes, key, sent_at_ms = it
        sender = rows.accounts.get(sender_id)
        if sender is None or sender.epoch != epoch:
            return Declined.FENCED
        if key:
            of_pair = rows.keys.get((sender_id, name))
            known = of_pair.get(key) if of_pair is not None else None
            if known is not None:
                same = known[:2] == (hash(body), body_bytes)
                return known.repeated() if same else Declined.OTHER_BODY
            expired = key < keys.oldest or key < rows.horizon
            if expired or key > keys.newest:
                return Declined.KEY_EXPIRED if expired else Declined.KEY_AHEAD
        recipient = rows.by_name.get(name)
        if recipient is None:
            return Declined.NO_SUCH_ACCOUNT
        box = rows.boxes[recipient.id]
        if box.messages >= room.crowded or box.messages >= room.full:
            if box.messages >= room.full:
                return Declined.MAILBOX_FULL
            if box.share_of(sender) >= room.share:
                return Declined.MAILBOX_SHARE
        position = box.put(sender, it)
        if self.outbox.targets:
            self.outbox.keep(sender, it, recipient.id, position)
        self.counters.waiting += 1
        stored = new_tuple(Stored, (recipient.id, position, sent_at_ms, True))
        if key:
            known = new_tuple(KnownKey, (hash(body), body_bytes, stored))
            rows.keys.setdefault((sender_id, name), {})[key] = known
        return stored

    def acknowledge(
        self,
        account: AccountId,
        epoch: Epoch,
        position: Position,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """Remove all mail up to ``position``, but not beyond the head, now."""
        row = self._rows.accounts.get(account)
        if row is None or row.epoch != epoch:
            return
        box = self._rows.boxes[account]
        position = min(position, box.head)
        if position <= box.acknowledged:
            return
        before = len(box.mail)
        box.remove_to(position)
        self.counters.waiting -= before - len(box.mail)
        if committed is not None:
            self._call_soon(committed)

    async def mailbox(self, account: AccountId) -> Mailbox:
        """What the mailbox holds now; empty for an account that is gone."""
        return self._mailbox(account)

    def _mailbox(self, account: AccountId) -> Mailbox:
        box = self._rows.boxes.get(account, _GONE)
        return Mailbox(
            acknowledged=box.acknowledged, head=box.head, queued=len(box.mail)
        )

    async def read(
        self, account: AccountId, *, after: Position, messages: int, body_bytes: int
    ) -> Sequence[Mail]:
        """A page of mail above ``after``."""
        mail = self._rows.boxes.get(account, _GONE).mail
        start = bisect_right(mail, after, key=attrgetter("position"))
        page: list[Mail] = []
        for it in islice(mail, start, start + messages):
            if isinstance(it, Bounce):
                page.append(it)
                body_bytes -= BOUNCE_POSITION_BYTES * len(it.positions)
            else:
                position, sender, body, size, at_ms = it
                name, gone = sender.username, sender.deleted
                message = (position, name, sender.id, gone, body, size, at_ms)
                page.append(new_tuple(Message, message))
                body_bytes -= size
            if body_bytes <= 0:
                break
        return page

    async def flush(self) -> None:
        """Nothing waits here."""
