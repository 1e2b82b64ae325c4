"""One violation of each rule, to be planted in the product: the suite has to find it.

A violation breaks its rule and as little else as it can. It is planted for good: see
``plant`` for the process that then runs the tests and ends. W3 and W4 have theirs with
their transports.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from chatcore import accounts, chat, errors, logins, patterns, sending, usernames
from chatcore.chat import Chat
from chatcore.commands import Inbox, Outbox, Request
from chatcore.connections import Connection
from chatcore.delivery import Delivery
from chatcore.errors import CloseCode, NameTaken, Outage, Refusal
from chatcore.ids import NO_KEY, AccountId, Position, Username
from chatcore.logins import Logins, SecondLogin
from chatcore.model import Deposit, Mailbox
from chatcore.ports import DepositResult, Stored
from chatcore.receiving import Receiving
from chatcore.sending import Sending
from stores.memory import deletions, mailboxes
from stores.memory.rows import Rows
from stores.memory.store import MemoryStore
from transports.client.inbox import Inbox as ClientInbox
from transports.codec import maps
from transports.framing import LengthFraming
from transports.tcp import greeting
from transports.tcp import server as tcp_server
from transports.watch import Watch

Method: TypeAlias = Callable[..., Any]

CORE: Final = "tests/unit/chatcore"


class Violation(NamedTuple):
    """How a rule is broken, and where the tests are that have to find it."""

    plant: Callable[[], None]
    tests: str


def swap(owner: object, name: str, make: Callable[[Method], object]) -> None:
    """Replace an attribute by what ``make`` makes of the original."""
    setattr(owner, name, make(getattr(owner, name)))


def wildcards_are_names() -> None:
    swap(usernames, "_WILDCARDS", lambda _: frozenset())


def any_password_will_do() -> None:
    def make(check: Method) -> Method:
        def check_length(
            self: Any, password: str, *, minimum: int | None = None
        ) -> None:
            check(self, password, minimum=0 if minimum is None else minimum)

        return check_length

    swap(accounts.Accounts, "_check_length", make)


def a_refused_creation_changes_the_password() -> None:
    def make(create: Method) -> Method:
        async def create_and_change(self: Any, command_id: int, command: Any) -> object:
            try:
                return await create(self, command_id, command)
            except NameTaken:
                account = await self._store.find_account(command.username)
                new = await self._environment.passwords.hash(command.password)
                await self._store.set_password(account.id, new)
                raise

        return create_and_change

    swap(accounts.Accounts, "create", make)


def a_login_creates_nothing() -> None:
    def make(login: Method) -> Method:
        async def log_in(self: Any, link: Any, command_id: int, command: Any) -> object:
            return await login(self, link, command_id, replace(command, create=False))

        return log_in

    swap(Logins, "login", make)


def a_name_inherits_its_mail() -> None:
    left: dict[Username, Any] = {}

    def make_bury(bury: Method) -> Method:
        def keep_and_bury(rows: Rows, owner: Any) -> None:
            bury(rows, owner)
            left[owner.username] = kept.pop(owner.id)

        return keep_and_bury

    kept: dict[AccountId, Any] = {}

    def make_decide(decide: Method) -> Method:
        def keep_and_decide(
            rows: Rows, account: AccountId, *rest: Any, **how: Any
        ) -> bool:
            kept[account] = rows.boxes.get(account)
            return bool(decide(rows, account, *rest, **how))

        return keep_and_decide

    def make_create(create: Method) -> Method:
        async def create_account(
            self: Any, name: Username, *rest: Any, **how: Any
        ) -> object:
            account = await create(self, name, *rest, **how)
            if account is not None and name in left:
                self._rows.boxes[account] = left.pop(name)
            return account

        return create_account

    swap(deletions, "_bury", make_bury)
    swap(deletions, "decide", make_decide)
    swap(MemoryStore, "create_account", make_create)


def the_old_password_is_not_asked_for() -> None:
    def make(_: Method) -> Method:
        async def change_password(self: Any, session: Any, command: Any) -> None:
            self._check_length(command.new)
            new = await self._environment.passwords.hash(command.new)
            await self._store.set_password(session.account, new)

        return change_password

    swap(accounts.Accounts, "change_password", make)


def a_second_login_always_wins() -> None:
    def make(_: Method) -> Method:
        async def judge_older(*_: object) -> CloseCode:
            return CloseCode.REPLACED

        return judge_older

    swap(Logins, "_judge_older", make)


def a_login_says_that_nothing_waits() -> None:
    def make(open_session: Method) -> Method:
        async def open_and_forget(
            *given: Any, **named: Any
        ) -> tuple[object, object, int]:
            session, token, _ = await open_session(*given, **named)
            return session, token, 0

        return open_and_forget

    swap(Logins, "open", make)


def a_resume_begins_at_the_beginning() -> None:
    def make(rewind: Method) -> Method:
        def rewind_all(self: Any, mailbox: Mailbox, _: Position) -> None:
            rewind(self, mailbox, mailbox.acknowledged)

        return rewind_all

    swap(Delivery, "rewind", make)


def a_logout_ends_nothing() -> None:
    def make(_: Method) -> Method:
        async def logout(*_: object) -> None:
            return

        return logout

    swap(Logins, "logout", make)


def who_is_silent_is_given_up_unasked() -> None:
    def make(judge: Method) -> Method:
        def give_up(self: Any, silent_s: float, now_s: float) -> object:
            if silent_s >= self._limits.ping_after_s:
                self._connection.close(CloseCode.UNRESPONSIVE)
                self._link.abort()
            return judge(self, silent_s, now_s)

        return give_up

    swap(Watch, "_judge", make)


def tokens_are_stored_as_they_are() -> None:
    swap(logins, "hash_token", lambda _: lambda token: token)


def a_receipt_comes_without_a_commit() -> None:
    def make(deposit: Method) -> Method:
        async def pretend(
            self: Any, deposits: Sequence[Deposit], now_ms: int
        ) -> Sequence[DepositResult]:
            try:
                stored: Sequence[DepositResult] = await deposit(self, deposits, now_ms)
            except Outage:
                return [
                    Stored(AccountId(1), Position(1), now_ms, new=False)
                    for _ in deposits
                ]
            return stored

        return pretend

    swap(Sending, "_deposit", make)


def a_repeat_is_a_second_message() -> None:
    swap(sending, "parse_key", lambda _: lambda *_: NO_KEY)


def a_batch_is_stored_backwards() -> None:
    def make(deposit: Method) -> Method:
        async def deposit_backwards(
            self: Any, deposits: Sequence[Deposit], now_ms: int
        ) -> Sequence[DepositResult]:
            results: Sequence[DepositResult]
            results = await deposit(self, deposits[::-1], now_ms)
            return results[::-1]

        return deposit_backwards

    swap(Sending, "_deposit", make)


def what_is_written_leaves_the_mailbox() -> None:
    def make(fetch: Method) -> Method:
        async def fetch_and_drop(self: Any, connection: Connection) -> None:
            await fetch(self, connection)
            session = self._sessions.of_connection(connection)
            if session is not None:
                delivered = session.delivery.delivered
                self._store.acknowledge(session.account, session.epoch, delivered)

        return fetch_and_drop

    swap(Receiving, "fetch", make)


def what_was_had_is_handed_over_again() -> None:
    def make(_: Method) -> Method:
        def receive(self: Any, mail: Any) -> bool:
            self.follows = self.last_seen = mail.position
            self._waiting.append(mail)
            return True

        return receive

    swap(ClientInbox, "receive", make)


def a_full_mailbox_drops_its_oldest() -> None:
    def make(deposit: Method) -> Method:
        def drop_and_deposit(rows: Rows, it: Deposit, **how: Any) -> object:
            owner = rows.by_name.get(it.recipient)
            box = rows.boxes[owner.id] if owner is not None else None
            if box is not None and box.messages >= how["mailbox_messages"]:
                box.mail.popleft()
                box.messages -= 1
            return deposit(rows, it, **how)

        return drop_and_deposit

    swap(mailboxes, "deposit", make)


def a_deliver_finishes_at_once() -> None:
    swap(Delivery, "has_settled", lambda _: lambda *_: True)


def senders_are_told_nothing() -> None:
    swap(Receiving, "_tell_senders", lambda _: lambda *_: None)


def a_pattern_needs_only_a_beginning() -> None:
    swap(patterns, "_expression", lambda made: lambda text: made(text) + ".*")


def a_deletion_takes_the_account_from_its_owner() -> None:
    def make(open_session: Method) -> Method:
        async def open_anyway(*given: Any, **how: Any) -> object:
            return await open_session(
                *given, **{**how, "second_login": SecondLogin.REPLACE}
            )

        return open_anyway

    swap(Logins, "open", make)


def _change_deletions(**fields: object) -> None:
    """Have each deletion carried out as if it had asked for something else."""

    def make(begin: Method) -> Method:
        async def begin_another(
            self: Any, link: Any, number: int, command: Any
        ) -> None:
            await begin(self, link, number, replace(command, **fields))

        return begin_another

    swap(chat.Deletion, "begin", make)


def waiting_mail_is_dropped_by_default() -> None:
    _change_deletions(inbox=Inbox.DISCARD)


def what_was_sent_is_always_retracted() -> None:
    _change_deletions(outbox=Outbox.RETRACT)


def nothing_bounces() -> None:
    swap(deletions, "_bounce", lambda _: lambda box, *_: box.head)


def a_dry_run_is_no_dry_run() -> None:
    _change_deletions(dry_run=False)


def no_answer_is_given_twice() -> None:
    def make(_: Method) -> Method:
        async def first_answer(*_: object) -> None:
            return

        return first_answer

    swap(MemoryStore, "first_answer", make)


def a_refusal_gets_another_number() -> None:
    errors.MailboxFull.code = 399


def a_refusal_ends_the_link() -> None:
    def make(refuse: Method) -> Method:
        def refuse_and_close(self: Connection, request: Request, why: Refusal) -> None:
            refuse(self, request, why)
            self.close(CloseCode.SERVER_FAULT)

        return refuse_and_close

    swap(Connection, "refuse", make)


def an_unknown_command_has_no_name() -> None:
    swap(chat, "UnknownCommand", lambda known: lambda command: known(command="?"))  # noqa: ARG005  # its name is what is lost


def any_version_is_taken() -> None:
    def make(read: Method) -> Method:
        return lambda line: read(line.replace(b"CHAT/2", b"CHAT/1"))

    swap(greeting, "read_greeting", make)
    tcp_server.read_greeting = greeting.read_greeting


def a_server_greets_in_its_own_words() -> None:
    greeting.WELCOME = b"CHAT/1 welcome\n"
    tcp_server.WELCOME = greeting.WELCOME


def wide_integers_are_json_numbers() -> None:
    swap(
        maps,
        "MapCodec",
        lambda codec: lambda *names, **how: codec(*names, **{**how, "wide": int}),
    )


def a_frame_may_have_any_length() -> None:
    def make(begin: Method) -> Method:
        return lambda self, limit: begin(self, limit << 20)

    swap(LengthFraming, "__init__", make)


def a_batch_is_done_from_its_end() -> None:
    def make(execute: Method) -> Method:
        async def execute_backwards(
            self: Any, connection: Connection, requests: Sequence[Request]
        ) -> None:
            await execute(self, connection, requests[::-1])

        return execute_backwards

    swap(Chat, "execute", make)


def a_window_has_no_end() -> None:
    Delivery.has_room = property(lambda _: True)
    Delivery.room = property(lambda _: (10_000, 1 << 30))


def a_server_that_stops_lets_everybody_in() -> None:
    swap(Logins, "refuse_when_stopping", lambda _: lambda _self: None)


VIOLATIONS: Final[Mapping[str, Violation]] = {
    "A1": Violation(wildcards_are_names, CORE),
    "A2": Violation(any_password_will_do, CORE),
    "A3": Violation(a_refused_creation_changes_the_password, CORE),
    "A4": Violation(a_login_creates_nothing, CORE),
    "A5": Violation(a_name_inherits_its_mail, CORE),
    "A6": Violation(the_old_password_is_not_asked_for, CORE),
    "S1": Violation(a_second_login_always_wins, CORE),
    "S2": Violation(a_login_says_that_nothing_waits, CORE),
    "S3": Violation(a_resume_begins_at_the_beginning, CORE),
    "S4": Violation(a_logout_ends_nothing, CORE),
    "S5": Violation(
        who_is_silent_is_given_up_unasked, "tests/conformance/test_sessions.py"
    ),
    "S6": Violation(tokens_are_stored_as_they_are, CORE),
    "M1": Violation(a_receipt_comes_without_a_commit, CORE),
    "M2": Violation(a_repeat_is_a_second_message, CORE),
    "M3": Violation(a_batch_is_stored_backwards, CORE),
    "M4": Violation(what_is_written_leaves_the_mailbox, CORE),
    "M5": Violation(what_was_had_is_handed_over_again, "tests/unit/transports/client"),
    "M6": Violation(a_full_mailbox_drops_its_oldest, CORE),
    "M7": Violation(a_deliver_finishes_at_once, CORE),
    "M8": Violation(senders_are_told_nothing, CORE),
    "L1": Violation(a_pattern_needs_only_a_beginning, CORE),
    "D1": Violation(a_deletion_takes_the_account_from_its_owner, CORE),
    "D2": Violation(waiting_mail_is_dropped_by_default, CORE),
    "D3": Violation(what_was_sent_is_always_retracted, CORE),
    "D4": Violation(nothing_bounces, CORE),
    "D5": Violation(a_dry_run_is_no_dry_run, CORE),
    "D6": Violation(no_answer_is_given_twice, CORE),
    "E1": Violation(a_refusal_gets_another_number, CORE),
    "E2": Violation(a_refusal_ends_the_link, CORE),
    "E3": Violation(an_unknown_command_has_no_name, CORE),
    "W1": Violation(any_version_is_taken, "tests/unit/transports/tcp"),
    "W2": Violation(
        a_server_greets_in_its_own_words, "tests/conformance/test_greetings.py"
    ),
    "W5": Violation(
        wide_integers_are_json_numbers, "tests/unit/transports/codec/test_spelling.py"
    ),
    "W6": Violation(
        a_frame_may_have_any_length, "tests/unit/transports/test_framing.py"
    ),
    "W7": Violation(a_batch_is_done_from_its_end, CORE),
    "W8": Violation(a_window_has_no_end, CORE),
    "W9": Violation(a_server_that_stops_lets_everybody_in, CORE),
}
"""One for each rule; a function's name says what is wrong."""
