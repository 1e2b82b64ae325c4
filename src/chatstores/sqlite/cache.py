"""The caches over the file: accounts, mailboxes, the highest key of each pair.

Nobody else writes the file, so what was read or written once need not be read again:
which account has a name, an account's epoch, what a mailbox holds, the highest
idempotency key of a pair. Whoever changes the file changes it here too; a transaction
that is rolled back makes all of it forgotten.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

from chatcore.ids import AccountId, Epoch, IdempotencyKey, Position, Username
from chatstores.sender_counts import SenderCounts
from chatstores.sqlite.values import Value
from chatstores.sqlite.write_batch import WriteBatch

K = TypeVar("K")
V = TypeVar("V")

CACHED: Final = 65_536
"""A cache that has as many entries is emptied, and fills again with what is in use."""

_BELOW_ALL_KEYS: Final = IdempotencyKey(b"")

_HIDDEN: Final = "SELECT account FROM deletion WHERE finished = 0 AND retract = 1"

VISIBLE: Final = f"(bounced = 1 OR sender NOT IN ({_HIDDEN}))"
"""Holds for rows of ``message`` that no retraction has hidden (it is decided at once,
and takes them out later)."""


@dataclass(slots=True)
class CachedAccount:
    """An account that is not deleted."""

    username: Username
    epoch: Epoch


@dataclass(slots=True)
class MailboxRow:
    """The mailbox of a live account: what waits in it, and is visible.

    ``sender_counts`` says whose the messages are, while it is known.
    """

    acknowledged: Position
    head: Position
    messages: int
    bounces: int
    sender_counts: SenderCounts | None = None


@dataclass(slots=True)
class CachedPair:
    """All that a deposit needs: who sends, and the mailbox of a live recipient.

    No key of the pair is above ``highest``.
    """

    sender: CachedAccount
    recipient_id: AccountId
    box: MailboxRow
    highest: IdempotencyKey


class Cache:
    """The caches over one ``WriteBatch``, each filled when it is asked."""

    def __init__(self, batch: WriteBatch) -> None:
        self._batch = batch
        self._accounts: dict[AccountId, CachedAccount] = {}
        self._ids: dict[Username, AccountId] = {}
        self._boxes: dict[AccountId, MailboxRow] = {}
        self._pairs: dict[tuple[AccountId, Username], CachedPair] = {}
        self._counted = 0  # senders in all `sender_counts`, at the most
        self._latest_key = _BELOW_ALL_KEYS
        self._has_keys_ahead = False
        self.horizon = _BELOW_ALL_KEYS
        self.forget_all()

    def forget_all(self) -> None:
        """Drop everything, and read anew what is held whole."""
        self._accounts.clear()
        self._ids.clear()
        self._boxes.clear()
        self._pairs.clear()
        self.horizon = IdempotencyKey(self._batch.row("SELECT key FROM horizon")[0])
        self._latest_key = self._find_key(
            "SELECT key FROM send_key WHERE ahead = 0 ORDER BY key DESC LIMIT 1"
        )
        self._has_keys_ahead = bool(
            self._batch.row("SELECT 1 FROM send_key WHERE ahead = 1 LIMIT 1")
        )

    def account(self, account: AccountId) -> CachedAccount | None:
        """The live account with this id."""
        known = self._accounts.get(account)
        if known is None:
            row = self._batch.row(
                "SELECT username, epoch FROM account WHERE id = ? AND deleted = 0",
                account,
            )
            if not row:
                return None
            known = self._keep(self._accounts, account, CachedAccount(*row))
        return known

    def account_id(self, username: Username) -> AccountId | None:
        """The id of the live account with this name."""
        known = self._ids.get(username)
        if known is None:
            row = self._batch.row(
                "SELECT id FROM account WHERE username = ? AND deleted = 0", username
            )
            if not row:
                return None
            known = self._keep(self._ids, username, AccountId(row[0]))
        return known

    def forget_account(self, account: AccountId, username: Username) -> None:
        """It is deleted."""
        self._accounts.pop(account, None)
        self._ids.pop(username, None)
        self._boxes.pop(account, None)
        self._pairs.clear()

    def box(self, account: AccountId) -> MailboxRow:
        """The mailbox of a live account; what the caller changes in it holds."""
        known = self._boxes.get(account)
        if known is None:
            acknowledged, removed = self._batch.row(
                "SELECT acknowledged, removed FROM mailbox WHERE account = ?", account
            )
            top, messages, bounces = self._batch.row(
                # What is hidden has positions all the same.
                "SELECT max(position), count(*) FILTER (WHERE bounced = 0 "  # noqa: S608 (a constant)
                f"AND {VISIBLE}), count(*) FILTER (WHERE bounced = 1) "
                "FROM message WHERE account = ?",
                account,
            )
            head = Position(max(acknowledged, removed, top or 0))
            box = MailboxRow(Position(acknowledged), head, messages, bounces)
            known = self._keep(self._boxes, account, box)
        return known

    def sender_counts(self, account: AccountId, box: MailboxRow) -> SenderCounts:
        """Whose the messages in this mailbox are; what the caller changes in it holds.

        To be kept in step, or dropped from the box, with each message that goes.
        """
        if box.sender_counts is None:
            rows = self._batch.rows(
                "SELECT sender, count(*) FROM message "  # noqa: S608 (a constant)
                f"WHERE account = ? AND bounced = 0 AND {VISIBLE} GROUP BY sender",
                account,
            )
            self._counted += len(rows)
            if self._counted > CACHED:
                for other in self._boxes.values():
                    other.sender_counts = None
                self._counted = len(rows)
            box.sender_counts = SenderCounts(rows)
        return box.sender_counts

    def forget_boxes(self) -> None:
        """A retraction was decided: any count may be another now."""
        self._boxes.clear()
        self._pairs.clear()

    def pair(self, sender: AccountId, recipient: Username) -> CachedPair | None:
        """Two live accounts; what the caller changes in it holds."""
        known = self._pairs.get((sender, recipient))
        if known is None:
            account, recipient_id = self.account(sender), self.account_id(recipient)
            if account is None or recipient_id is None:
                return None
            box = self.box(recipient_id)
            highest = self.highest_key(sender, recipient)
            known = CachedPair(account, recipient_id, box, highest)
            self._keep(self._pairs, (sender, recipient), known)
        return known

    def highest_key(self, sender: AccountId, recipient: Username) -> IdempotencyKey:
        """A key that no key of this pair is above.

        Of a pair that was not seen before it is the latest of all that are not ahead of
        their time: the pair's next keys are made later than that. Nobody's key that is
        ahead makes those of others be looked up.
        """
        pair = self._pairs.get((sender, recipient))
        if pair is not None:
            return pair.highest
        highest = self._latest_key
        if self._has_keys_ahead:
            ahead = self._find_key(
                "SELECT key FROM send_key WHERE ahead = 1 AND sender = ? "
                "AND recipient = ? ORDER BY key DESC LIMIT 1",
                sender,
                recipient,
            )
            highest = max(highest, ahead)
        return highest

    def raise_highest_key(
        self, pair: CachedPair, key: IdempotencyKey, *, ahead: bool
    ) -> None:
        """The pair has a key that is above its highest."""
        pair.highest = key
        if ahead:
            self._has_keys_ahead = True
        elif key > self._latest_key:
            self._latest_key = key

    def _find_key(self, sql: str, *bindings: Value) -> IdempotencyKey:
        row = self._batch.row(sql, *bindings)
        return IdempotencyKey(row[0]) if row else _BELOW_ALL_KEYS

    def _keep(self, cache: dict[K, V], key: K, value: V) -> V:
        if len(cache) >= CACHED:
            cache.clear()
            # They hold what the others have.
            self._pairs.clear()
        cache[key] = value
        return value
