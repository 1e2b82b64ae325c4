"""Sending: from a run of ``Send`` commands to one store call and its events (M1 to M6).

The whole run costs one commit, one clock reading and one wake-up a recipient.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Final, NamedTuple, Protocol, assert_never

from chatcore.closing_mailboxes import ClosingMailboxes
from chatcore.commands import Request, Send
from chatcore.connections import Connection
from chatcore.counters import Counters
from chatcore.errors import (
    Fenced,
    InvalidBody,
    KeyExpired,
    KeyReused,
    MailboxClosing,
    MailboxFull,
    MailboxShare,
    NoSuchAccount,
    NoSuchRecipient,
    Outage,
    RateExceeded,
    Refusal,
)
from chatcore.events import Accepted, Refused
from chatcore.ids import AccountId, Epoch, Username
from chatcore.key_clock import KeyClock
from chatcore.keys import key_ahead, parse_key
from chatcore.limits import DAY_MS, Limits
from chatcore.model import Account, Deposit, Message
from chatcore.ports import Environment, SendPolicy
from chatcore.rate_limiter import RateKind, RateLimiter
from chatcore.sessions import Session, Sessions
from chatcore.store import Declined, DepositResult, MailboxRoom, Store, Stored
from chatcore.telling import Telling
from chatcore.tuples import new_tuple
from chatcore.usernames import prepare_username

_NO_ROOM: Final = MailboxRoom(full=0, crowded=0, share=0)


_ATTEMPTS: Final = 3


class _Sender(Protocol):
    """In whose name something is stored."""

    @property
    def account(self) -> AccountId: ...
    @property
    def username(self) -> Username: ...
    @property
    def epoch(self) -> Epoch: ...


class _AccountSender(NamedTuple):
    """An account that has no session; see ``_Sender``."""

    account: AccountId
    username: Username
    epoch: Epoch


class Sending:
    """Judges sends, stores them, and hands them to the recipients' sessions."""

    def __init__(  # noqa: PLR0913  # the parts that it ties together
        self,
        store: Store,
        sessions: Sessions,
        environment: Environment,
        limits: Limits,
        policy: SendPolicy | None,
        rates: RateLimiter,
        key_clock: KeyClock,
        closing: ClosingMailboxes,
        *,
        telling: Telling | None,
    ) -> None:
        self._telling = telling
        self._closing = closing
        self._rates = rates
        self._key_clock = key_clock
        self._store = store
        self._sessions = sessions
        self._environment = environment
        self._limits = limits
        self._policy = policy
        self.follow_limits()

    def follow_limits(self) -> None:
        """Take over what has changed in the limits, and in the rates before."""
        full = self._limits.mailbox_messages
        self._room = MailboxRoom(full, full - full // 4, max(1, full // 4))
        self._is_metered = self._rates.limits(RateKind.MESSAGES) or self._rates.limits(
            RateKind.BYTES
        )

    async def send_for(
        self, account: Account, sends: Sequence[Send], counters: Counters
    ) -> list[Accepted | Refusal]:
        """Send in an account's name, for the application; what came of each (M1, M2).

        A login or resume between looking the account up and storing fences it (S6):
        that is tried again, under the same keys.
        """
        answers: list[Accepted | Refusal] = []
        attempts = 0
        while len(answers) < len(sends):
            some = sends[len(answers) : len(answers) + self._limits.turn_commands]
            stored = await self._send_some(
                await self._sender_of(account), some, counters
            )
            if any(isinstance(it, Fenced) for it in stored) and attempts < _ATTEMPTS:
                attempts += 1
                continue
            attempts = 0
            answers += stored
        return answers

    async def _sender_of(self, account: Account) -> "_Sender":
        """Whom the store takes for the account now.

        Raises:
            NoSuchAccount: it has been deleted.
        """
        session = self._sessions.of_account(account.id)
        if session is not None:
            return session
        record = await self._store.account_record(account.id)
        if record is None:
            raise NoSuchAccount(username=account.username)
        return _AccountSender(account.id, account.username, record.epoch)

    async def _send_some(
        self, sender: "_Sender", sends: Sequence[Send], counters: Counters
    ) -> list[Accepted | Refusal]:
        requests = [Request(0, it) for it in sends]
        judged = self._judge(sender, requests, self._environment.clock.now_ms())
        events = await self._store_judged(
            sender, requests[: len(judged)], judged, counters
        )
        return [it.refusal if isinstance(it, Refused) else it for it in events]

    async def send(
        self, connection: Connection, session: Session, requests: Sequence[Request]
    ) -> int:
        """Answer a run of sends, each with a receipt or a refusal, in order.

        Judging them is cut off when it takes long (B2): answers how many it was.
        """
        now_ms = self._environment.clock.now_ms()
        judged = self._judge(session, requests, now_ms)
        requests = requests[: len(judged)]
        if self._is_metered:
            self._meter(connection, judged)
        if self._policy is not None:
            judged = await self._ask(self._policy, session, requests, judged)
        counters = connection.counters
        connection.emit(*await self._store_judged(session, requests, judged, counters))
        return len(requests)

    async def _store_judged(
        self,
        sender: "_Sender",
        requests: Sequence[Request],
        judged: Sequence[Deposit | Refusal],
        counters: Counters,
    ) -> list[Accepted | Refused]:
        """Store what was not refused, and hand it over; the answers, in order."""
        deposits = [it for it in judged if isinstance(it, Deposit)]
        results: Sequence[DepositResult | Refusal]
        try:
            results = await self._deposit(deposits)
        except Outage as outage:
            results = [outage] * len(deposits)
        self._offer(sender, deposits, results, counters)
        if self._telling is not None:
            self._telling.stored(sender.username, deposits, results)
        outcome = iter(zip(deposits, results, strict=True))
        events: list[Accepted | Refused] = []
        for request, it in zip(requests, judged, strict=True):
            if isinstance(it, Refusal):
                counters.count_refusal(it)
                events.append(Refused(request.id, it))
            else:
                events.append(self._answer(request.id, *next(outcome), counters))
        return events

    def _judge(
        self, sender: "_Sender", requests: Sequence[Request], now_ms: int
    ) -> list[Deposit | Refusal]:
        """For each send the deposit to make, or why not (M6); at least for one."""
        limits = self._limits
        clock = self._environment.clock
        ends_s = clock.monotonic_s() + limits.turn_s
        names = self._environment.names
        sender_id, epoch = sender.account, sender.epoch
        body_bytes, username_chars = limits.body_bytes, limits.username_chars
        judged: list[Deposit | Refusal] = []
        for _, command in requests:
            assert isinstance(command, Send)  # noqa: S101  # a run holds only these
            body, recipient = command.body, command.recipient
            size = len(body) if body.isascii() else len(body.encode())
            try:
                if not 0 < size <= body_bytes:
                    raise InvalidBody(
                        maximum=body_bytes, bytes=size
                    )  # one place turns refusals into values
                name = prepare_username(recipient, names, max_chars=username_chars)
                key = parse_key(command.key)
            except Refusal as refusal:
                # Its frames would keep this list, and this list them.
                judged.append(refusal.with_traceback(None))
            else:
                deposit = (sender_id, epoch, name, body, size, key, now_ms)
                judged.append(new_tuple(Deposit, deposit))
            # Only names that have to be prepared take long, and they are not ASCII.
            if not recipient.isascii() and clock.monotonic_s() >= ends_s:
                break
        return judged

    def _meter(self, connection: Connection, judged: list[Deposit | Refusal]) -> None:
        """Refuse what is over the rates of its sender (B5)."""
        source = self._sessions.source(connection)
        for index, it in enumerate(judged):
            if isinstance(it, Deposit):
                try:
                    self._rates.take(
                        source, {RateKind.MESSAGES: 1, RateKind.BYTES: it.body_bytes}
                    )
                except RateExceeded as exceeded:
                    judged[index] = exceeded.with_traceback(None)

    async def _ask(
        self,
        policy: SendPolicy,
        session: Session,
        requests: Sequence[Request],
        judged: list[Deposit | Refusal],
    ) -> list[Deposit | Refusal]:
        """Let the application refuse some of what the rules accept."""
        sends = [
            request.command
            for request, it in zip(requests, judged, strict=True)
            if isinstance(it, Deposit) and isinstance(request.command, Send)
        ]
        if not sends:
            return judged
        answers: Sequence[object]  # an application may answer anything
        try:
            answers = await policy.judge(session.username, sends)
        except Refusal as refusal:
            answers = [refusal] * len(sends)
        if len(answers) != len(sends):
            text = f"judge() answered {len(answers)} of {len(sends)} sends"
            raise ValueError(text)
        verdicts: list[Refusal | None] = []
        for answer in answers:
            if answer is not None and not isinstance(answer, Refusal):
                text = f"judge() answered {answer!r}, neither a refusal nor None"
                raise TypeError(text)
            verdicts.append(answer)
        verdict = iter(verdicts)
        return [it if isinstance(it, Refusal) else next(verdict) or it for it in judged]

    async def _deposit(
        self, deposits: Sequence[Deposit]
    ) -> Sequence[DepositResult | Refusal]:
        if not deposits:
            return ()
        if self._closing.names:
            return await self._deposit_around(deposits)
        return await self._store.deposit(
            deposits, room=self._room, keys=self._key_clock.span()
        )

    async def _deposit_around(
        self, deposits: Sequence[Deposit]
    ) -> Sequence[DepositResult | Refusal]:
        """As ``_deposit``, while mailboxes are closing (D2): these take repeats only.

        That is how a store treats one that has no room. It is asked apart, as all that
        it is told in one call has the same; and first, so that what is new is handed
        over once it is stored.
        """
        closing = [it.recipient in self._closing.names for it in deposits]
        answers: dict[bool, Iterator[DepositResult | Refusal]] = {}
        for is_closing, room in ((True, _NO_ROOM), (False, self._room)):
            asked = list(compress(deposits, (it is is_closing for it in closing)))
            answers[is_closing] = iter(await self._deposit_apart(asked, room))
        results = [next(answers[it]) for it in closing]
        return [
            self._closed(it) if closes and result is Declined.MAILBOX_FULL else result
            for it, closes, result in zip(deposits, closing, results, strict=True)
        ]

    async def _deposit_apart(
        self, deposits: Sequence[Deposit], room: MailboxRoom
    ) -> Sequence[DepositResult | Refusal]:
        """An outage is an answer: the others of a run may have been stored."""
        if not deposits:
            return ()
        try:
            return await self._store.deposit(
                deposits, room=room, keys=self._key_clock.span()
            )
        except Outage as outage:
            return [outage] * len(deposits)

    def _closed(self, deposit: Deposit) -> MailboxClosing:
        return MailboxClosing(
            recipient=deposit.recipient, retry_after_ms=self._limits.retry_after_ms
        )

    def _offer(
        self,
        sender: "_Sender",
        deposits: Sequence[Deposit],
        results: Sequence[DepositResult | Refusal],
        counters: Counters,
    ) -> None:
        """Hand what was just committed to the recipients that are here (M1)."""
        accepted = handed_over = 0
        woken: dict[Connection, None] = {}
        of_account = self._sessions.of_account
        username = sender.username
        for deposit, result in zip(deposits, results, strict=True):
            if not isinstance(result, Stored):
                continue
            recipient_id, position, sent_at_ms, is_new = result
            accepted += is_new
            recipient = of_account(recipient_id)
            if recipient is None:
                continue
            if not is_new:
                # It may have been committed without our being told (M1).
                if position > recipient.delivery.head:
                    recipient.delivery.nudge(position)
                    if recipient.connection is not None:
                        woken[recipient.connection] = None
                continue
            message = (
                position,
                username,
                deposit.sender_id,
                False,  # the sender lives
                deposit.body,
                deposit.body_bytes,
                sent_at_ms,
            )
            delivered = recipient.delivery.offer(new_tuple(Message, message))
            connection = recipient.connection
            if connection is not None:
                if delivered is not None and not connection.is_over:
                    connection.outbox.append(delivered)
                    handed_over += 1
                woken[connection] = None
        counters.accepted += accepted
        counters.delivered += handed_over
        for connection in woken:
            connection.sink.wake()

    def _answer(
        self,
        command: int,
        deposit: Deposit,
        result: DepositResult | Refusal,
        counters: Counters,
    ) -> Accepted | Refused:
        if isinstance(result, Stored):
            recipient_id, position, sent_at_ms, _ = result
            durable = self._store.durable
            return new_tuple(
                Accepted, (command, recipient_id, position, sent_at_ms, durable)
            )
        refusal = result
        if not isinstance(refusal, Refusal):
            refusal = self._refusal(deposit, refusal)
        counters.count_refusal(refusal)
        return Refused(command, refusal)

    def _refusal(self, deposit: Deposit, reason: Declined) -> Refusal:
        """The store's reason as the sender is told it."""
        match reason:
            case Declined.NO_SUCH_ACCOUNT:
                return NoSuchRecipient(recipient=deposit.recipient)
            case Declined.MAILBOX_FULL:
                return MailboxFull(recipient=deposit.recipient)
            case Declined.OTHER_BODY:
                return KeyReused()
            case Declined.KEY_EXPIRED:
                return KeyExpired(days=self._limits.key_lifetime_ms // DAY_MS)
            case Declined.FENCED:
                return Fenced()
            case Declined.KEY_AHEAD:
                return key_ahead()
            case Declined.MAILBOX_SHARE:
                return MailboxShare(recipient=deposit.recipient)
            case _:
                assert_never(reason)
