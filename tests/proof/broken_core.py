"""Violations of the rules of accounts, sessions, messages, lists and deletions.

A function's name says what is wrong once it was called.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chatcore import accounts, errors, execution, logins, patterns, sending, usernames
from chatcore.chat import Chat
from chatcore.commands import InboxAction, OutboxAction, Request
from chatcore.connections import Connection
from chatcore.deletion import Deletion
from chatcore.delivery import Delivery
from chatcore.errors import CloseCode, NameTaken, Outage, Refusal
from chatcore.ids import NO_KEY, AccountId, Position, TokenHash, Username
from chatcore.logins import Logins, SecondLogin
from chatcore.model import Chunk, Deposit, Mailbox, NewMail
from chatcore.receiving import Receiving
from chatcore.sending import Sending
from chatcore.store import DepositResult, KeySpan, MailboxRoom, Stored
from chatstores.memory import deletions
from chatstores.memory.rows import Rows
from chatstores.memory.store import MemoryStore
from tests.proof.swapping import Method, swap, swap_everywhere


def wildcards_are_names() -> None:
    swap(usernames, "_WILDCARDS", lambda _: frozenset())


def any_password_will_do() -> None:
    def make(check: Method) -> Method:
        def check_length(
            self: Any, password: str, *, minimum: int | None = None
        ) -> None:
            check(self, password, minimum=0 if minimum is None else minimum)

        return check_length

    swap(accounts.Accounts, "check_length", make)


def a_refused_creation_changes_the_password() -> None:
    def make(create: Method) -> Method:
        async def create_and_change(
            self: Any, command_id: int, command: Any, source: Any
        ) -> object:
            try:
                return await create(self, command_id, command, source)
            except NameTaken:
                account = await self._store.find_account(command.username)
                new = await self._environment.passwords.hash(
                    command.password, address=source.network
                )
                await self._store.change_password(
                    account.id, TokenHash(b""), old=account.password_hash, new=new
                )
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
        async def keep_and_decide(
            self: Any, account: AccountId, *rest: Any, **how: Any
        ) -> bool:
            kept[account] = self._rows.boxes.get(account)
            return bool(await decide(self, account, *rest, **how))

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
    swap(MemoryStore, "delete_account", make_decide)
    swap(MemoryStore, "create_account", make_create)


def the_old_password_is_not_asked_for() -> None:
    def make(_: Method) -> Method:
        async def change_password(
            self: Any, session: Any, command: Any, token_hash: Any, network: str
        ) -> object:
            self.check_length(command.new)
            new = await self._environment.passwords.hash(command.new, address=network)
            account = await self._store.find_account(session.username)
            return await self._store.change_password(
                session.account, token_hash, old=account.password_hash, new=new
            )

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


def tokens_are_stored_as_they_are() -> None:
    swap_everywhere(logins, "hash_token", lambda _: lambda token: token)


def a_receipt_comes_without_a_commit() -> None:
    def make(deposit: Method) -> Method:
        async def pretend(
            self: Any, deposits: Sequence[Deposit]
        ) -> Sequence[DepositResult]:
            try:
                stored: Sequence[DepositResult] = await deposit(self, deposits)
            except Outage:
                return [
                    Stored(AccountId(1), Position(1), it.sent_at_ms, new=False)
                    for it in deposits
                ]
            return stored

        return pretend

    swap(Sending, "_deposit", make)


def a_repeat_is_a_second_message() -> None:
    swap(sending, "parse_key", lambda _: lambda *_: NO_KEY)


def a_batch_is_stored_backwards() -> None:
    def make(deposit: Method) -> Method:
        async def deposit_backwards(
            self: Any, deposits: Sequence[Deposit]
        ) -> Sequence[DepositResult]:
            results: Sequence[DepositResult]
            results = await deposit(self, deposits[::-1])
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


def a_full_mailbox_drops_its_oldest() -> None:
    def make(deposit: Method) -> Method:
        def drop_and_deposit(
            self: Any, it: Deposit, room: MailboxRoom, keys: KeySpan
        ) -> object:
            owner = self._rows.by_name.get(it.recipient)
            box = self._rows.boxes[owner.id] if owner is not None else None
            if box is not None and box.messages >= room.full:
                box.mail.popleft()
                box.messages -= 1
            return deposit(self, it, room, keys)

        return drop_and_deposit

    swap(MemoryStore, "_deposit", make)


def a_deliver_finishes_at_once() -> None:
    swap(Delivery, "has_settled", lambda _: lambda *_: True)


def senders_are_told_nothing() -> None:
    swap(Receiving, "_tell_senders", lambda _: lambda *_: None)


def a_pattern_needs_only_a_beginning() -> None:
    swap(
        patterns,
        "_matches",
        lambda made: lambda first, middle, _last, name: made(first, middle, "", name),
    )


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

    swap(Deletion, "begin", make)


def waiting_mail_is_dropped_by_default() -> None:
    _change_deletions(inbox=InboxAction.DISCARD)


def what_was_sent_is_always_retracted() -> None:
    _change_deletions(outbox=OutboxAction.RETRACT)


def nothing_bounces() -> None:
    def make(_: Method) -> Method:
        def bounce_nothing(rows: Rows, _: object, chunk: Chunk, *_rest: object) -> Any:
            return NewMail(chunk.sender, rows.boxes[chunk.sender].head)

        return bounce_nothing

    swap(deletions, "_bounce", make)


def a_dry_run_is_no_dry_run() -> None:
    _change_deletions(dry_run=False)


def no_answer_is_given_twice() -> None:
    def make(_: Method) -> Method:
        async def first_use(*_: object) -> None:
            return

        return first_use

    swap(MemoryStore, "first_use", make)


def a_refusal_gets_another_number() -> None:
    swap(errors.MailboxFull, "code", lambda _: 399)


def a_refusal_ends_the_link() -> None:
    def make(refuse: Method) -> Method:
        def refuse_and_close(self: Connection, request: Request, why: Refusal) -> None:
            refuse(self, request, why)
            self.close(CloseCode.SERVER_FAULT)

        return refuse_and_close

    swap(Connection, "refuse", make)


def an_unknown_command_has_no_name() -> None:
    swap(execution, "UnknownCommand", lambda known: lambda command: known(command="?"))  # noqa: ARG005  # its name is what is lost


def a_batch_is_done_from_its_end() -> None:
    def make(execute: Method) -> Method:
        async def execute_backwards(
            self: Any, connection: Connection, requests: Sequence[Request]
        ) -> None:
            await execute(self, connection, requests[::-1])

        return execute_backwards

    swap(Chat, "execute", make)


def a_window_has_no_end() -> None:
    swap(Delivery, "has_room", lambda _: property(lambda _: True))
    swap(Delivery, "room", lambda _: property(lambda _: (10_000, 1 << 30)))


def a_server_that_stops_lets_everybody_in() -> None:
    swap(Logins, "refuse_when_stopping", lambda _: lambda _self: None)
