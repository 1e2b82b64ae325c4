"""Judges what the clients of one run saw, whatever ran and whatever broke.

A run is written down as records, in the order in which one observer saw them, and
``judge`` names each promise that they show to be broken. It knows nothing of stores,
links and processes, so that it can be asked about any of them:

- receipts are honoured: an accepted message was delivered, or waits in its mailbox
  (``Remains``), or was acknowledged, bounced or retracted (M1, M4, M6, D3, D4);
- nothing is lost between two deliveries: each follows what came before it (M3);
- nothing comes twice to one client, unless it began again before it (M5, S3);
- the messages of one sender to one recipient come in the order sent (M3);
- a position means one message for ever, and a message that was refused, or belongs to
  an account that had the name before, comes to nobody (A5, E2, M1, M3).

What was never answered may have been stored or not. Bodies need not be unique.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias, assert_never


class Created(NamedTuple):
    """An account was seen to exist under a name."""

    account: int
    name: str


class Sent(NamedTuple):
    """A client asked for a message to be stored, first or again under its key."""

    key: bytes
    sender: int
    recipient: str
    body: str


class Receipt(NamedTuple):
    """The send under a key was accepted."""

    key: bytes
    recipient: int
    position: int


class Refused(NamedTuple):
    """The send under a key was refused for sure: not with an unknown outcome."""

    key: bytes


class Began(NamedTuple):
    """A client began to be delivered an account's mail, that after a position."""

    client: str
    account: int
    after: int


class Delivered(NamedTuple):
    """A message came to a client, which handed it over."""

    client: str
    account: int
    position: int
    follows: int
    sender: int
    body: str


class Bounced(NamedTuple):
    """A bounce came to a client: these positions of a mailbox were discarded."""

    client: str
    account: int
    position: int
    follows: int
    recipient: int
    positions: tuple[int, ...]


class Acknowledged(NamedTuple):
    """A client acknowledged an account's mail up to a position."""

    account: int
    position: int


class Deleted(NamedTuple):
    """An account was deleted."""

    account: int
    retract: bool
    discard: bool


class Restarted(NamedTuple):
    """The server's process ended, and another began."""


class Remains(NamedTuple):
    """What was in an account's mailbox at the end, by position."""

    account: int
    positions: tuple[int, ...]


Record: TypeAlias = (
    Created
    | Sent
    | Receipt
    | Refused
    | Began
    | Delivered
    | Bounced
    | Acknowledged
    | Deleted
    | Restarted
    | Remains
)


class Promise(Enum):
    """What a history can show to be broken."""

    RECEIPT = "an accepted message is delivered, or still in its mailbox"
    NO_LOSS = "each delivery follows what came before it"
    ONCE = "nothing comes twice to one client"
    ASCENDING = "positions ascend"
    PAIR_ORDER = "one sender's messages to one recipient keep their order"
    ONE_MESSAGE = "a position means one message for ever"
    ACCEPTED_ONLY = "what was refused, or never sent, is delivered to nobody"
    SAME_RECEIPT = "a repeat under a key gets the first receipt"
    SUCCESSOR = "a new account of an old name gets none of the old one's mail"
    BOUNCE = "a bounce names messages of the one who gets it"


class BrokenPromise(NamedTuple):
    """A promise that was broken, and where it shows."""

    promise: Promise
    text: str


class MailboxPosition(NamedTuple):
    """A position in the mailbox of an account."""

    account: int
    position: int


Content: TypeAlias = tuple[int, str]
"""The sender and the body of a message."""


@dataclass(slots=True)
class _Attempts:
    """What became of all the sends under one key; numbers are places in the history."""

    sent: Sent
    first: int
    last_before_receipt: int
    receipt: Receipt | None = None
    refused: bool = False


@dataclass(slots=True)
class _Reader:
    """One client at one mailbox: the last position that it had, and all that it had."""

    last: int
    had: set[int] = field(default_factory=set)


def judge(history: Iterable[Record]) -> Sequence[BrokenPromise]:
    """Every promise that a history shows to be broken; none for a good one."""
    judging = _Judging()
    for number, record in enumerate(history):
        judging.take(number, record)
    judging.conclude()
    return judging.faults


class _Judging:
    """One pass over a history, and the conclusions at its end."""

    def __init__(self) -> None:
        self.faults: list[BrokenPromise] = []
        self._names: dict[int, str] = {}
        self._attempts: dict[bytes, _Attempts] = {}
        self._readers: dict[tuple[str, int], _Reader] = {}
        self._contents: dict[MailboxPosition, Content | Bounced] = {}
        self._acknowledged: defaultdict[int, int] = defaultdict(int)
        self._deleted: dict[int, Deleted] = {}
        self._had: defaultdict[int, set[int]] = defaultdict(set)
        self._bounced: set[MailboxPosition] = set()
        self._remains: dict[int, frozenset[int]] = {}

    def _find(self, promise: Promise, text: object) -> None:
        self.faults.append(BrokenPromise(promise, str(text)))

    def take(self, number: int, record: Record) -> None:
        """Judge a record by those before it."""
        match record:
            case Created(account, name):
                self._names[account] = name
            case Sent():
                self._take_sent(number, record)
            case Receipt():
                self._take_receipt(record)
            case Refused(key):
                self._attempts[key].refused = True
            case Began(client, account, after):
                reader = self._readers.setdefault((client, account), _Reader(after))
                reader.last = after
                reader.had = {it for it in reader.had if it <= after}
            case Delivered() | Bounced():
                self._take_mail(record)
            case Acknowledged(account, position):
                top = max(position, self._acknowledged[account])
                self._acknowledged[account] = top
            case Deleted(account):
                self._deleted[account] = record
            case Restarted():
                pass
            case Remains(account, positions):
                self._remains[account] = frozenset(positions)
            case _:
                assert_never(record)

    def _take_sent(self, number: int, sent: Sent) -> None:
        known = self._attempts.get(sent.key)
        if known is None:
            self._attempts[sent.key] = _Attempts(sent, number, number)
        elif known.sent != sent:
            raise ValueError(f"{sent} is no repeat of {known.sent}: not a history")
        elif known.receipt is None:
            known.last_before_receipt = number
            known.refused = False

    def _take_receipt(self, receipt: Receipt) -> None:
        known = self._attempts[receipt.key]
        if known.receipt is None:
            known.receipt = receipt
        elif known.receipt != receipt:
            self._find(Promise.SAME_RECEIPT, f"{receipt} after {known.receipt}")

    # ---- mail

    def _take_mail(self, mail: Delivered | Bounced) -> None:
        reader = self._readers[mail.client, mail.account]
        position = mail.position
        if position in reader.had:
            self._find(Promise.ONCE, mail)
        elif position <= reader.last:
            self._find(Promise.ASCENDING, mail)
        elif mail.follows > reader.last:
            self._find(Promise.NO_LOSS, f"{mail} came after {reader.last}")
        reader.last = max(reader.last, position)
        reader.had.add(position)
        self._had[mail.account].add(position)
        self._learn(MailboxPosition(mail.account, position), _content(mail))
        if isinstance(mail, Bounced):
            self._bounced.update(
                MailboxPosition(mail.recipient, it) for it in mail.positions
            )

    def _learn(self, place: MailboxPosition, content: Content | Bounced) -> None:
        known = self._contents.setdefault(place, content)
        if known != content:
            self._find(Promise.ONE_MESSAGE, f"{place}: {content}, before {known}")

    # ---- the end

    def conclude(self) -> None:
        """Judge what only the whole history shows."""
        accepted: dict[MailboxPosition, _Attempts] = {}
        for attempts in self._attempts.values():
            receipt = attempts.receipt
            if receipt is not None:
                place = MailboxPosition(receipt.recipient, receipt.position)
                sent = attempts.sent
                known = accepted.setdefault(place, attempts)
                if known is not attempts:
                    self._find(Promise.ONE_MESSAGE, f"{known} and {attempts}")
                self._learn(place, (sent.sender, sent.body))
                self._judge_receipt(place, sent)
        self._judge_order(accepted)
        self._judge_contents(accepted)

    def _judge_receipt(self, place: MailboxPosition, sent: Sent) -> None:
        """Where an accepted message has come to."""
        account, position = place
        sender, owner = self._deleted.get(sent.sender), self._deleted.get(account)
        if (
            position in self._had[account]
            or position <= self._acknowledged[account]
            or position in self._remains.get(account, ())
            or (sender is not None and sender.retract)
        ):
            return
        if owner is not None and owner.discard:
            told = (
                place in self._bounced or sender is not None or sent.sender == account
            )
            if told or not self._has_read_all(sent.sender):
                return
        elif account not in self._remains and owner is None:
            return  # nobody has looked
        self._find(Promise.RECEIPT, f"{sent} was accepted at {place}")

    def _has_read_all(self, account: int) -> bool:
        """Whether somebody had all mail of an account until the end."""
        remains = self._remains.get(account)
        return remains is not None and remains <= self._had[account]

    def _judge_order(self, accepted: Mapping[MailboxPosition, _Attempts]) -> None:
        """Of two messages of a pair, the one that was surely sent first comes first."""
        pairs: defaultdict[tuple[int, int], list[tuple[int, _Attempts]]]
        pairs = defaultdict(list)
        for place, attempts in accepted.items():
            pair = (attempts.sent.sender, place.account)
            pairs[pair].append((place.position, attempts))
        for numbered in pairs.values():
            numbered.sort(key=lambda it: it[0])
            latest_start = -1
            for position, attempts in numbered:
                if attempts.last_before_receipt < latest_start:
                    self._find(Promise.PAIR_ORDER, f"{attempts.sent} at {position}")
                latest_start = max(latest_start, attempts.first)

    def _judge_contents(self, accepted: Mapping[MailboxPosition, _Attempts]) -> None:
        """Whether what came to clients was sent, and to them."""
        open_sends: defaultdict[Content, list[Sent]] = defaultdict(list)
        for it in self._attempts.values():
            if it.receipt is None and not it.refused:
                open_sends[it.sent.sender, it.sent.body].append(it.sent)
        others = {
            (it.sent.recipient, (it.sent.sender, it.sent.body))
            for place, it in accepted.items()
            if place.account in self._deleted
        }
        for place, content in self._contents.items():
            if isinstance(content, Bounced):
                self._judge_bounce(content)
            elif place not in accepted:
                name = self._names.get(place.account)
                if name in {it.recipient for it in open_sends[content]}:
                    continue  # its receipt was lost on the way
                promise = Promise.ACCEPTED_ONLY
                if (name, content) in others:
                    promise = Promise.SUCCESSOR
                self._find(promise, f"{content} at {place}")

    def _judge_bounce(self, bounce: Bounced) -> None:
        for position in bounce.positions:
            content = self._contents.get(MailboxPosition(bounce.recipient, position))
            if content is None or isinstance(content, Bounced):
                continue
            if content[0] != bounce.account:
                self._find(Promise.BOUNCE, f"{bounce} names {content}")


def _content(mail: Delivered | Bounced) -> Content | Bounced:
    if isinstance(mail, Bounced):
        return mail._replace(client="", follows=0)
    return (mail.sender, mail.body)
