"""The SQLite store does what the memory store does, whatever is asked of both.

The memory store is plain enough to be read; SQLite's caches, pages and reopening are
what this test is after, so it makes them as small as they can be.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias, assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.ids import (
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.limits import DAY_MS
from chatcore.model import CleanUp, Deposit
from chatcore.ports import Store
from stores.memory import MemoryStore
from stores.sqlite import open_sqlite
from tests.unit.stores.desk import NOW_MS

NAMES = st.sampled_from([Username("ada"), Username("bob"), Username("b")])
ACCOUNTS = st.integers(1, 6).map(AccountId)
SENDS = st.lists(
    st.tuples(
        ACCOUNTS,
        NAMES,
        st.sampled_from(["x", "yy", "é"]),
        st.sampled_from([None, *range(6)]),
    ),
    max_size=6,
)


@dataclass(frozen=True, slots=True)
class Create:
    name: Username
    key: int


@dataclass(frozen=True, slots=True)
class Open:
    account: AccountId


@dataclass(frozen=True, slots=True)
class Resume:
    token: int


@dataclass(frozen=True, slots=True)
class End:
    account: AccountId


@dataclass(frozen=True, slots=True)
class Send:
    sends: list[tuple[AccountId, Username, str, int | None]]
    room: int


@dataclass(frozen=True, slots=True)
class Acknowledge:
    account: AccountId
    position: int


@dataclass(frozen=True, slots=True)
class Read:
    account: AccountId
    after: int
    messages: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Survey:
    account: AccountId


@dataclass(frozen=True, slots=True)
class Close:
    account: AccountId


@dataclass(frozen=True, slots=True)
class Delete:
    account: AccountId
    discard: bool
    retract: bool
    key: int


@dataclass(frozen=True, slots=True)
class Step:
    account: AccountId
    rows: int
    bounce_messages: int


@dataclass(frozen=True, slots=True)
class Forget:
    oldest: int


@dataclass(frozen=True, slots=True)
class Reopen:
    pass


Operation: TypeAlias = (
    Create
    | Open
    | Resume
    | End
    | Send
    | Acknowledge
    | Read
    | Survey
    | Close
    | Delete
    | Step
    | Forget
    | Reopen
)

SMALL = st.integers(0, 6)
FREQUENT = [
    st.builds(Create, NAMES, SMALL),
    st.builds(Send, SENDS, st.integers(1, 8)),
    st.builds(Acknowledge, ACCOUNTS, st.integers(0, 9)),
    st.builds(Delete, ACCOUNTS, st.booleans(), st.booleans(), SMALL),
]
OPERATIONS = st.one_of(
    *FREQUENT,
    *FREQUENT,
    st.builds(Open, ACCOUNTS),
    st.builds(Resume, SMALL),
    st.builds(End, ACCOUNTS),
    st.builds(Read, ACCOUNTS, SMALL, st.integers(1, 4), st.integers(1, 9)),
    st.builds(Survey, ACCOUNTS),
    st.builds(Close, ACCOUNTS),
    st.builds(Step, ACCOUNTS, st.integers(1, 4), st.integers(1, 4)),
    st.builds(Forget, SMALL),
    st.just(Reopen()),
)


def key_of(number: int | None) -> IdempotencyKey:
    """Keys that rise with their numbers, two to a day."""
    if number is None:
        return NO_KEY
    at_ms = NOW_MS + number * DAY_MS // 2
    return IdempotencyKey(at_ms.to_bytes(6, "big") + bytes(10))


@dataclass(slots=True)
class Driver:
    """Asks one store, and says what it answered in a form that can be compared."""

    store: Store
    epochs: dict[AccountId, Epoch] = field(default_factory=dict)
    oldest: int = 0
    tokens: int = 0

    async def run(self, operation: Operation) -> object:  # noqa: C901, PLR0911, PLR0912
        store = self.store
        match operation:
            case Create(name, key):
                account = await store.create_account(
                    name, PasswordHash(str(key)), key=key_of(key), at_ms=NOW_MS
                )
                # Most of what follows needs a session.
                return account and await self.open(account)
            case Open(account):
                return await self.open(account)
            case Resume(token):
                opened = await store.resume_session(self.token(token))
                if opened:
                    self.epochs[opened.account] = opened.epoch
                return opened
            case End(account):
                await store.end_session(account, self.epoch(account))
            case Send(sends, room):
                return await self.send(sends, room)
            case Acknowledge(account, position):
                store.acknowledge(account, self.epoch(account), Position(position))
            case Read(account, after, messages, body_bytes):
                mail = await store.read(
                    account,
                    after=Position(after),
                    messages=messages,
                    body_bytes=body_bytes,
                )
                return list(mail)
            case Survey(account):
                return await store.survey(account, bounce_messages=2)
            case Close(account):
                await store.close_mailbox(account)
            case Delete(account, discard, retract, key):
                return await store.delete_account(
                    account,
                    self.epoch(account),
                    discard=discard,
                    retract=retract,
                    delivered=key,
                    key=key_of(key),
                    at_ms=NOW_MS,
                )
            case Step(account, rows, bounce_messages):
                # How soon it finishes is each store's own affair.
                return (await self.step(account, rows, bounce_messages)).deliveries
            case Forget(oldest):
                await self.finish_all()
                self.oldest = max(self.oldest, oldest)
                await store.forget(key_of(self.oldest))
            case Reopen():
                for number in range(1, 20):
                    await store.open_mailbox(AccountId(number))
            case _:
                assert_never(operation)
        return None

    def epoch(self, account: AccountId) -> Epoch:
        return self.epochs.get(account, Epoch(0))

    def token(self, number: int) -> TokenHash:
        return TokenHash(number.to_bytes(32, "big"))

    async def open(self, account: AccountId) -> object:
        self.tokens += 1
        opened = await self.store.open_session(account, self.token(self.tokens))
        if opened:
            self.epochs[account] = opened.epoch
        return opened

    async def send(
        self, sends: list[tuple[AccountId, Username, str, int | None]], room: int
    ) -> object:
        deposits = [
            Deposit(
                sender,
                self.epoch(sender),
                to,
                body,
                len(body.encode()),
                key_of(key),
                NOW_MS + order,
            )
            for order, (sender, to, body, key) in enumerate(sends)
        ]
        results = await self.store.deposit(
            deposits, mailbox_messages=room, oldest_key=key_of(self.oldest)
        )
        return list(results)

    async def step(
        self, account: AccountId, rows: int, bounce_messages: int
    ) -> CleanUp:
        return await self.store.clean_up(
            account, rows=rows, bounce_messages=bounce_messages, at_ms=NOW_MS
        )

    async def finish_all(self) -> None:
        """Work all deletions off."""
        for account in await self.store.pending_deletions():
            done = await self.step(account, 3, 2)
            while not done.finished:
                done = await self.step(account, 3, 2)

    async def look(self) -> object:
        """Everything that can be seen, in passing."""
        store = self.store
        return (
            list(await store.names(prefix="b", after="", limit=9)),
            [await store.find_account(Username(it)) for it in ("ada", "bob", "b")],
            list(await store.sessions()),
            [await store.mailbox(AccountId(it)) for it in range(1, 7)],
            [
                list(
                    await store.read(
                        AccountId(it), after=Position(0), messages=99, body_bytes=999
                    )
                )
                for it in range(1, 7)
            ],
        )

    async def look_back(self) -> object:
        """What deletions have done, once all of them are finished."""
        await self.finish_all()
        answers = [await self.store.first_answer(key_of(it)) for it in range(7)]
        receipts = [await self.step(AccountId(it), 1, 1) for it in range(1, 20)]
        return answers, receipts


# So that what follows finds somebody, and mail.
BEGINNING: list[Operation] = [
    *(
        Create(Username(name), number)
        for number, name in enumerate(("ada", "bob", "b"))
    ),
    *(
        Send(
            [
                (AccountId(it), Username(name), "x", None)
                for it in (1, 2, 3)
                for name in ("ada", "bob")
            ],
            8,
        ),
    )
    * 2,
]


async def compare(operations: list[Operation], file: Path) -> None:
    memory = Driver(MemoryStore())
    async with AsyncExitStack() as stack:
        sqlite = Driver(await stack.enter_async_context(open_sqlite(file)))
        for operation in operations:
            expected, answered = (
                await memory.run(operation),
                await sqlite.run(operation),
            )
            assert answered == expected, operation
            if isinstance(operation, Reopen):
                await stack.aclose()
                sqlite.store = await stack.enter_async_context(open_sqlite(file))
            assert await sqlite.look() == await memory.look(), operation
        # Receipts of deletions that overlap depend on none of their order.
        assert await sqlite.look_back() == await memory.look_back()
        assert await sqlite.look() == await memory.look()


@pytest.fixture(scope="module")
def _small() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stores.sqlite.known.CACHED", 2)
        patch.setattr("stores.sqlite.known.KNOWN_DAYS", 2)
        patch.setattr("stores.sqlite.walk.PAGE_ROWS", 3)
        patch.setattr("stores.sqlite.cleaning.PAGE_ROWS", 3)
        patch.setattr("stores.sqlite.sweeping.SWEEP_ROWS", 2)
        yield


@pytest.mark.usefixtures("_small")
@settings(max_examples=50, deadline=None)
@given(st.lists(OPERATIONS, min_size=10, max_size=60))
def test_both_answer_the_same_to_anything(operations: list[Operation]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(compare(BEGINNING + operations, Path(folder) / "chat.db"))
