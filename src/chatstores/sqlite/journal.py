"""The journal: what commits have brought in, a row each, until the tables have it.

A message is acknowledged soon, mostly. One that is so before the journal is applied
never becomes a row, and a mailbox's many acknowledgements become one.
"""

from itertools import islice
from typing import Final, NamedTuple, TypeAlias

import apsw
import msgspec

from chatcore.ids import AccountId, IdempotencyKey, Position, Username
from chatstores.sqlite.values import Row

JOURNAL_SINCE: Final = 6
"""The first schema that has one."""

ENTRIES: Final = 512
"""The journal is applied when it has so many entries, or eight times as many as the
last commit has brought: it takes a millisecond or two, in which nothing else is
committed."""

COMMITS: Final = 8

BYTES: Final = 1024 * 1024
"""It is also applied when it has so many: large bodies are not to be written twice."""

DepositRow: TypeAlias = tuple[
    AccountId, Position, AccountId, int, str, Username, IdempotencyKey, bytes, bool
]
"""Recipient, position, sender, time, body; then the recipient's name, the key, the
body's digest and whether the key is ahead, which say nothing where the key is empty.
A plain tuple: there is one for each message."""


class KeyResult(NamedTuple):
    """What the first send under a key was answered."""

    digest: bytes
    recipient_id: AccountId
    position: Position
    sent_at_ms: int


KeyName: TypeAlias = tuple[IdempotencyKey, AccountId, Username]
"""A key, its sender, and the recipient's name."""


class Entries:
    """Deposits in their order, and acknowledgements.

    Attributes:
        acknowledged: the position, and how much mail was let go of with it.
    """

    __slots__ = ("_indexed", "_keys", "acknowledged", "deposits")

    def __init__(
        self,
        deposits: list[DepositRow] | None = None,
        acknowledged: dict[AccountId, tuple[Position, int]] | None = None,
    ) -> None:
        self.deposits = deposits or []
        self.acknowledged = acknowledged or {}
        self._keys: dict[KeyName, KeyResult] = {}
        self._indexed = 0

    def __len__(self) -> int:
        return len(self.deposits) + len(self.acknowledged)

    def acknowledge(self, account: AccountId, position: Position, mails: int) -> None:
        """Note that ``mails`` more are let go of, up to ``position``."""
        before = self.acknowledged.get(account)
        if before is not None:
            mails += before[1]
        self.acknowledged[account] = position, mails

    def extend(self, later: "Entries") -> None:
        """Add what came after these."""
        self.deposits += later.deposits
        for account, (position, mails) in later.acknowledged.items():
            self.acknowledge(account, position, mails)

    def result(self, name: KeyName) -> KeyResult | None:
        """What the deposit under this key was answered, if it is one of these.

        Most commits are never asked: keys are indexed when one is.
        """
        for it in islice(self.deposits, self._indexed, None):
            account, position, sender, sent_at_ms, _, recipient, key, digest, _ = it
            if key:
                result = KeyResult(digest, account, position, sent_at_ms)
                self._keys[key, sender, recipient] = result
        self._indexed = len(self.deposits)
        return self._keys.get(name)

    def messages(self, *, kept: bool) -> list[Row]:
        """Rows of ``message``; with ``kept`` also those that are acknowledged."""
        acknowledged = {} if kept else self.acknowledged
        if not acknowledged:
            return [it[:5] for it in self.deposits]
        nothing = (0, 0)
        return [
            it[:5]
            for it in self.deposits
            if it[1] > acknowledged.get(it[0], nothing)[0]
        ]

    def keys(self) -> list[Row]:
        """Rows of ``send_key``."""
        return [
            (key, sender, recipient, digest, account, position, sent_at_ms, ahead)
            for (
                account,
                position,
                sender,
                sent_at_ms,
                _,
                recipient,
                key,
                digest,
                ahead,
            ) in self.deposits
            if key
        ]

    @property
    def waiting(self) -> int:
        """By how much they change the number of mails that wait."""
        return len(self.deposits) - sum(it[1] for it in self.acknowledged.values())


_Written: TypeAlias = tuple[list[DepositRow], dict[AccountId, tuple[Position, int]]]
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Written).decode


class Journal:
    """The table, and what is in it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.entries = Entries()
        self._bytes = 0

    def read(self) -> None:
        """Take what the table has."""
        self.entries = Entries()
        self._bytes = 0
        for (encoded,) in self._connection.execute(
            "SELECT entries FROM journal ORDER BY number"
        ):
            self.entries.extend(decode_entries(encoded))
            self._bytes += len(encoded)

    def write(self, entries: Entries, *, is_empty: bool) -> bool:
        """Write a row, unless the journal gets too long; whether it did.

        With ``is_empty`` this transaction has applied what was in it. The row counts
        from ``add`` on. Raises ``msgspec.ValidationError`` for what no table would
        take: it must fail the transaction that brings it, not one that applies it.
        """
        encoded = _encode((entries.deposits, entries.acknowledged))
        _decode(encoded)
        size = len(entries) + (0 if is_empty else len(self.entries))
        self._size = len(encoded) + (0 if is_empty else self._bytes)
        if size > max(ENTRIES, COMMITS * len(entries)) or self._size > BYTES:
            return False
        self._connection.execute("INSERT INTO journal (entries) VALUES (?)", (encoded,))
        return True

    def add(self, entries: Entries) -> None:
        """What was written is committed."""
        self.entries.extend(entries)
        self._bytes = self._size

    def clear(self) -> None:
        """That it was applied is committed."""
        self.entries = Entries()
        self._bytes = 0


def decode_entries(encoded: bytes) -> Entries:
    """What a row of the table holds; raises ``msgspec.MsgspecError``."""
    return Entries(*_decode(encoded))
