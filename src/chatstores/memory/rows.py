"""What the memory store keeps: rows that point at each other.

A message holds its sender's row, which therefore lives, deleted or not, for as long as
something names it: the tombstones that a database has to purge are not needed here.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from secrets import token_bytes
from typing import Final, NamedTuple, TypeAlias

from chatcore.counters import StoreCounters
from chatcore.ids import (
    BEFORE_FIRST,
    NO_KEY,
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
    KNOWN_ADDRESSES,
    NO_MARK,
    Bounce,
    DeletionReceipt,
    Deposit,
    LogMark,
)
from chatcore.store import Stored
from chatcore.tuples import new_tuple
from chatstores.sender_counts import SenderCounts

NEVER_OPENED: Final = Epoch(0)


@dataclass(slots=True, kw_only=True, eq=False)
class AccountRow:
    """An account, or what is left of it. ``addresses`` tells when each logged in."""

    id: AccountId
    username: Username
    password_hash: PasswordHash = field(repr=False)
    epoch: Epoch = NEVER_OPENED
    token_hash: TokenHash | None = field(default=None, repr=False)
    created_at_ms: int = 0
    addresses: dict[AddressHash, int] = field(default_factory=dict)
    deleted: bool = False

    def keep_address(self, address: AddressHash, at_ms: int) -> None:
        """Keep the address, and of the others the latest (the smallest of one moment).

        This one stays also where a wrong clock has made the others later.
        """
        others = [it for it in self.addresses.items() if it[0] != address]
        others.sort(key=lambda it: (-it[1], it[0]))
        self.addresses = dict(others[: KNOWN_ADDRESSES - 1])
        self.addresses[address] = at_ms


class StoredMessage(NamedTuple):
    """A message in a mailbox."""

    position: Position
    sender: AccountRow
    body: str
    body_bytes: int
    sent_at_ms: int


@dataclass(slots=True, eq=False)
class MailboxRow:
    """One mailbox: its mail by rising position, and how much of it is messages.

    ``sender_counts`` says whose they are, while it is known.
    """

    mail: deque[StoredMessage | Bounce] = field(default_factory=deque)
    messages: int = 0
    acknowledged: Position = BEFORE_FIRST
    head: Position = BEFORE_FIRST
    sender_counts: SenderCounts | None = None

    def stored(self) -> Iterator[StoredMessage]:
        """Its messages, without the bounces."""
        return (it for it in self.mail if isinstance(it, StoredMessage))

    def share_of(self, sender: AccountRow) -> int:
        """How many of the messages are from ``sender``; counts them at first."""
        if self.sender_counts is None:
            senders = Counter(it.sender.id for it in self.stored())
            self.sender_counts = SenderCounts(senders.items())
        return self.sender_counts.of(sender.id)

    def put(self, sender: AccountRow, deposit: Deposit) -> Position:
        """Append a message; answer its position."""
        self.head = position = Position(self.head + 1)
        _, _, _, body, body_bytes, _, sent_at_ms = deposit
        row = (position, sender, body, body_bytes, sent_at_ms)
        self.mail.append(new_tuple(StoredMessage, row))
        self.messages += 1
        if self.sender_counts is not None:
            self.sender_counts.add(sender.id)
        return position

    def remove_to(self, position: Position) -> None:
        """Take out all mail up to ``position``."""
        mail, sender_counts = self.mail, self.sender_counts
        while mail and mail[0].position <= position:
            it = mail.popleft()
            if isinstance(it, StoredMessage):
                self.messages -= 1
                if sender_counts is not None:
                    sender_counts.remove(it.sender.id)
        self.acknowledged = position
        if sender_counts is not None and not sender_counts.is_worth_keeping(
            self.messages
        ):
            self.sender_counts = None

    def remove_from(self, sender: AccountRow) -> None:
        """Take out the messages of ``sender``."""
        kept = deque(
            it
            for it in self.mail
            if not (isinstance(it, StoredMessage) and it.sender is sender)
        )
        self.messages -= len(self.mail) - len(kept)
        self.mail = kept
        if self.sender_counts is not None:
            self.sender_counts.remove_all(sender.id)


class KnownKey(NamedTuple):
    """The first result under an idempotency key, and what its body was.

    The body is known by its hash (SipHash, 64 bits) and its length: the process that
    made the hash is also the one that compares it.
    """

    body_hash: int
    body_bytes: int
    first: Stored

    def repeated(self) -> Stored:
        """The same result, as it is told from the second time on."""
        return self.first._replace(new=False)


@dataclass(slots=True, kw_only=True, eq=False)
class Deletion:
    """A decided deletion: what it did so far, and the work that is left of it."""

    account: AccountRow
    receipt: DeletionReceipt
    inbox: list[tuple[AccountId, Position]]
    to_retract: int
    finished: bool = False

    def count(
        self, *, discarded: int = 0, bounces: int = 0, retracted: int = 0
    ) -> None:
        """Add what was done now to the receipt."""
        before = self.receipt
        self.receipt = replace(
            before,
            discarded=before.discarded + discarded,
            bounces=before.bounces + bounces,
            retracted=before.retracted + retracted,
        )


class KeyedRequest(NamedTuple):
    """What a ``create`` or ``delete`` under a key was about."""

    account: AccountRow
    is_deletion: bool


class Invitation(NamedTuple):
    """How often a code may still be used, and until when."""

    uses: int
    expires_at_ms: int


Pair: TypeAlias = tuple[AccountId, Username]


@dataclass(slots=True, eq=False)
class Rows:
    """All tables of one store.

    ``names`` is sorted by code point; below ``horizon`` no key of a send is known.
    """

    last_id: int = 0
    identity: bytes = field(default_factory=lambda: token_bytes(16))
    log_mark: LogMark = NO_MARK
    accounts: dict[AccountId, AccountRow] = field(default_factory=dict)
    by_name: dict[Username, AccountRow] = field(default_factory=dict)
    by_token: dict[TokenHash, AccountRow] = field(default_factory=dict)
    names: list[Username] = field(default_factory=list)
    boxes: dict[AccountId, MailboxRow] = field(default_factory=dict)
    horizon: IdempotencyKey = NO_KEY
    keys: dict[Pair, dict[IdempotencyKey, KnownKey]] = field(default_factory=dict)
    requests: dict[IdempotencyKey, KeyedRequest] = field(default_factory=dict)
    deletions: dict[AccountId, Deletion] = field(default_factory=dict)
    invitations: dict[InvitationHash, Invitation] = field(default_factory=dict)
    counters: StoreCounters = field(
        default_factory=lambda: StoreCounters(has_commits=False)
    )

    def allows(self, code: InvitationHash, at_ms: int) -> bool:
        """Whether the code is known, not spent, and not expired."""
        found = self.invitations.get(code)
        return found is not None and found.expires_at_ms > at_ms

    def spend(self, code: InvitationHash) -> None:
        """Use a code once."""
        uses, expires_at_ms = self.invitations.pop(code)
        if uses > 1:
            self.invitations[code] = Invitation(uses - 1, expires_at_ms)
