"""Each durable store does what the memory store does, whatever is asked of both.

The memory store is plain enough to be read; caches, pages and reopening are what this
test is after, so it makes them as small as they can be.
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
    AddressHash,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.limits import DAY_MS
from chatcore.model import Deposit
from chatcore.store import KeySpan, MailboxRoom, Store
from chatstores import open_store
from chatstores.memory import MemoryStore
from tests.stores import StoreKind
from tests.unit.chatstores.store_driver import NOW_MS, Step, StoreDriver

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
    address: AddressHash
    at_ms: int


@dataclass(frozen=True, slots=True)
class ChangePassword:
    account: AccountId
    password: int


@dataclass(frozen=True, slots=True)
class ReplaceHash:
    account: AccountId
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Resume:
    token: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class End:
    account: AccountId


@dataclass(frozen=True, slots=True)
class Send:
    sends: list[tuple[AccountId, Username, str, int | None]]
    room: MailboxRoom
    oldest: int
    newest: int


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
class Delete:
    account: AccountId
    discard: bool
    retract: bool
    key: int


@dataclass(frozen=True, slots=True)
class WorkOff:
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
    | ChangePassword
    | ReplaceHash
    | Resume
    | End
    | Send
    | Acknowledge
    | Read
    | Survey
    | Delete
    | WorkOff
    | Forget
    | Reopen
)

SMALL = st.integers(0, 6)
ADDRESSES = [AddressHash(it) for it in (b"", b"a", b"b", b"c", b"d")]
ROOMS = st.builds(MailboxRoom, st.integers(1, 12), st.integers(1, 9), st.integers(0, 4))
FREQUENT = [
    st.builds(Create, NAMES, SMALL),
    st.builds(
        Send, SENDS, ROOMS, st.sampled_from([0, 0, 0, 2]), st.sampled_from([3, 9, 9])
    ),
    st.builds(Acknowledge, ACCOUNTS, st.integers(0, 9)),
    st.builds(Delete, ACCOUNTS, st.booleans(), st.booleans(), SMALL),
]
OPERATIONS = st.one_of(
    *FREQUENT,
    *FREQUENT,
    st.builds(Open, ACCOUNTS, st.sampled_from(ADDRESSES), SMALL),
    st.builds(ChangePassword, ACCOUNTS, SMALL),
    st.builds(ReplaceHash, ACCOUNTS, SMALL, SMALL),
    st.builds(Resume, SMALL, st.integers(0, 15)),
    st.builds(End, ACCOUNTS),
    st.builds(Read, ACCOUNTS, SMALL, st.integers(1, 4), st.integers(1, 9)),
    st.builds(Survey, ACCOUNTS),
    st.builds(WorkOff, ACCOUNTS, st.integers(1, 4), st.integers(1, 4)),
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
    tokens: int = 0

    async def run(self, operation: Operation) -> object:  # noqa: C901, PLR0911, PLR0912
        store = self.store
        match operation:
            case Create(name, key):
                account = await store.create_account(
                    name, PasswordHash(str(key)), key=key_of(key), at_ms=NOW_MS
                )
                # Most of what follows needs a session.
                return account and await self.open(account, ADDRESSES[key % 3], key)
            case Open(account, address, at_ms):
                return await self.open(account, address, at_ms)
            case ChangePassword(account, password):
                return await self.change_password(account, password)
            case ReplaceHash(account, old, new):
                await store.replace_hash(
                    account, PasswordHash(str(old)), PasswordHash(str(new))
                )
            case Resume(token, last_seen):
                opened = await store.resume_session(
                    self.token(token), last_seen=Position(last_seen)
                )
                if opened:
                    self.epochs[opened.account] = opened.epoch
                return opened
            case End(account):
                await store.end_session(account, self.epoch(account))
            case Send(sends, room, oldest, newest):
                keys = KeySpan(key_of(oldest), key_of(newest))
                return await self.send(sends, room, keys)
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
                return await StoreDriver(store).survey(account, bounce_messages=2)
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
            case WorkOff(account, rows, bounce_messages):
                # How soon it finishes is each store's own affair.
                return (await self.step(account, rows, bounce_messages)).bounces
            case Forget(oldest):
                await self.finish_all()
                await store.forget(key_of(oldest))
            case Reopen():
                pass
            case _:
                assert_never(operation)
        return None

    def epoch(self, account: AccountId) -> Epoch:
        return self.epochs.get(account, Epoch(0))

    def token(self, number: int) -> TokenHash:
        return TokenHash(number.to_bytes(32, "big"))

    def new_token(self) -> TokenHash:
        self.tokens += 1
        return self.token(self.tokens)

    async def open(
        self, account: AccountId, address: AddressHash, at_ms: int
    ) -> object:
        # One in five comes with a password that was changed, or never was one.
        right = await StoreDriver(self.store).password_of(account)
        opened = await self.store.open_session(
            account,
            self.new_token(),
            password_hash=PasswordHash("wrong") if at_ms % 5 == 4 else right,
            address=address,
            at_ms=at_ms,
        )
        if opened:
            self.epochs[account] = opened.epoch
        return opened

    async def change_password(self, account: AccountId, password: int) -> object:
        # One in seven takes for the old one what is none.
        old = await StoreDriver(self.store).password_of(account)
        epoch = await self.store.change_password(
            account,
            self.new_token(),
            old=PasswordHash("wrong") if password == 6 else old,
            new=PasswordHash(str(password)),
        )
        # One in three goes on with the epoch before, and is fenced.
        if epoch and password % 3:
            self.epochs[account] = epoch
        return epoch

    async def send(
        self,
        sends: list[tuple[AccountId, Username, str, int | None]],
        room: MailboxRoom,
        keys: KeySpan,
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
        return list(await self.store.deposit(deposits, room=room, keys=keys))

    async def step(self, account: AccountId, rows: int, bounce_messages: int) -> Step:
        return await StoreDriver(self.store).clean_up(
            account, rows=rows, bounce_messages=bounce_messages
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
            await store.horizon(),
            # All asked at once: a store with a thread of its own answers them together.
            await asyncio.gather(
                *(
                    store.knows_address(AccountId(it), address, since_ms=since_ms)
                    for it in range(1, 7)
                    for address in ADDRESSES
                    for since_ms in (0, 3)
                )
            ),
            [await store.mailbox(AccountId(it)) for it in range(1, 7)],
            [list(await store.shares(AccountId(it))) for it in range(1, 7)],
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
        answers = [await self.store.first_use(key_of(it)) for it in range(7)]
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
            MailboxRoom(8, 8, 8),
            0,
            9,
        ),
    )
    * 2,
]


async def compare(operations: list[Operation], url: str) -> None:
    memory = Driver(MemoryStore())
    async with AsyncExitStack() as stack:
        durable = Driver(await stack.enter_async_context(open_store(url)))
        for operation in operations:
            expected, answered = (
                await memory.run(operation),
                await durable.run(operation),
            )
            assert answered == expected, operation
            if isinstance(operation, Reopen):
                await stack.aclose()
                durable.store = await stack.enter_async_context(open_store(url))
            assert await durable.look() == await memory.look(), operation
        # Receipts of deletions that overlap depend on none of their order.
        assert await durable.look_back() == await memory.look_back()
        assert await durable.look() == await memory.look()


@settings(max_examples=50, deadline=None)
@given(operations=st.lists(OPERATIONS, min_size=10, max_size=60))
def test_both_answer_the_same_to_anything(
    operations: list[Operation], durable_kind: StoreKind
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        for constant, value in durable_kind.small.items():
            patch.setattr(constant, value)
        folder = Path(name)
        with durable_kind.running(folder):
            asyncio.run(compare(BEGINNING + operations, durable_kind.url_in(folder)))
