"""What ``chatcore.store.Store`` says of all methods, and of lists, in each store."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from chatcore.ids import (
    NO_KEY,
    AccountId,
    AddressHash,
    Epoch,
    InvitationHash,
    PasswordHash,
    Position,
    Username,
)
from chatcore.model import (
    BEFORE_ALL_MAIL,
    Chunk,
    CleanUp,
    DeletionReceipt,
    LeftToDiscard,
    Mailbox,
    SentPage,
    SentPlace,
)
from chatcore.store import Declined
from chatstores import open_store
from chatstores.errors import OpeningError
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    Person,
    StoreDriver,
    key,
    positions,
)

NOBODY = AccountId(77)
EMPTY = Mailbox(acknowledged=Position(0), head=Position(0), queued=0)


@pytest.fixture
async def ada(driver: StoreDriver) -> Person:
    return await driver.register("ada")


@pytest.fixture
async def bob(driver: StoreDriver) -> Person:
    return await driver.register("bob")


@pytest.fixture
async def carol(driver: StoreDriver) -> Person:
    return await driver.register("carol")


async def test_calls_take_effect_in_the_order_in_which_they_were_begun(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    store = driver.store
    begun = [
        driver.send(ada, "bob", "one"),
        store.mailbox(bob.id),
        driver.send(ada, "bob", "two"),
        store.mailbox(bob.id),
        driver.delete(bob),
        driver.send(ada, "bob", "three"),
    ]

    _, one, _, two, decided, late = await asyncio.gather(*begun)

    assert isinstance(one, Mailbox)
    assert isinstance(two, Mailbox)
    assert (one.head, two.head) == (1, 2)
    assert decided
    assert late == [Declined.NO_SUCH_ACCOUNT]


async def test_who_is_cancelled_takes_nobody_along(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    async with asyncio.TaskGroup() as tasks:
        gone = tasks.create_task(driver.send(ada, "bob", "gone"))
        stays = tasks.create_task(driver.send(ada, "bob", "stays"))
        await asyncio.sleep(0)

        gone.cancel()

    mail = await driver.read(bob)
    assert [it.position for it in mail][-1:] == positions(stays.result())
    assert (await driver.bodies(bob))[-1] == "stays"


async def test_of_an_account_that_never_was_there_is_nothing(
    driver: StoreDriver, ada: Person
) -> None:
    store, told = driver.store, list[str]()

    store.acknowledge(NOBODY, Epoch(0), Position(1), lambda: told.append("told"))
    await store.end_session(NOBODY, Epoch(0))
    await store.replace_hash(NOBODY, PasswordHash(""), PasswordHash("new"))
    opened = await store.open_session(
        NOBODY,
        driver.new_token(),
        password_hash=PasswordHash(""),
        address=AddressHash(b"home"),
        at_ms=NOW_MS,
    )
    changed = await driver.change_password(
        NOBODY, PasswordHash("new"), driver.new_token()
    )
    resumed = await store.resume_session(driver.new_token(), last_seen=Position(0))
    nobody = Person(NOBODY, Username("nobody"), Epoch(0))

    assert (opened, changed, resumed) == (None, None, None)
    assert not await driver.delete(nobody)
    assert not await store.knows_address(NOBODY, AddressHash(b"home"), since_ms=0)
    assert await store.account_record(NOBODY) is None
    assert await store.find_account(nobody.name) is None
    assert await store.mailbox(NOBODY) == EMPTY
    assert list(await driver.read(nobody)) == []
    assert list(await store.shares(NOBODY)) == []
    sent = await store.sent(NOBODY, after=BEFORE_ALL_MAIL, messages=9)
    assert (list(sent.places), sent.after) == ([], None)
    assert [it.account for it in await store.sessions()] == [ada.id]
    await asyncio.sleep(0)
    assert told == []


@pytest.mark.rule("D5")
@pytest.mark.parametrize("account", ["unknown", "live"])
async def test_what_is_not_deleted_has_nothing_to_clean_up(
    driver: StoreDriver, ada: Person, bob: Person, account: str
) -> None:
    await driver.send(bob, "ada", "stays")
    about = ada.id if account == "live" else NOBODY
    chunk = Chunk(bob.id, (Position(1),))

    left = await driver.store.left_to_discard(about, messages=9)
    bounces = await driver.store.discard(about, [chunk], discarded=0, at_ms=NOW_MS)
    done = await driver.store.clean_up(about, rows=9)

    assert (left.discarded, list(left.messages)) == (0, [])
    assert list(bounces) == []
    assert done == CleanUp(DeletionReceipt(), finished=True)
    assert await driver.bodies(ada) == ["stays"]
    assert await driver.queued(bob) == 0


async def test_a_new_account_has_no_epoch_and_no_mail(driver: StoreDriver) -> None:
    account = await driver.store.create_account(
        Username("ada"), PasswordHash("x"), key=NO_KEY, at_ms=NOW_MS
    )

    assert account is not None
    record = await driver.store.account_record(account)
    assert record is not None
    assert (record.epoch, record.has_session, record.logins_at_ms) == (0, False, ())
    assert await driver.store.mailbox(account) == EMPTY


@pytest.mark.rule("D6")
async def test_a_key_tells_of_its_first_use_alone(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    store = driver.store
    made = await store.create_account(
        Username("eve"), PasswordHash("e"), key=key(1), at_ms=NOW_MS
    )
    await driver.delete(ada, under=key(1))
    await driver.delete(bob, under=key(2))
    await store.create_account(
        Username("ada"), PasswordHash("a"), key=key(2), at_ms=NOW_MS
    )

    first, second = await store.first_use(key(1)), await store.first_use(key(2))

    assert first is not None
    assert second is not None
    assert (first.account, first.is_deletion) == (made, False)
    assert (second.account, second.is_deletion) == (bob.id, True)
    assert await store.first_use(key(3)) is None


@pytest.mark.rule("M4")
async def test_what_is_below_the_cursor_is_gone_for_every_method(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "1", "2", "3")
    store = driver.store

    driver.acknowledge(bob, 2)

    page = await store.sent(ada.id, after=BEFORE_ALL_MAIL, messages=9)
    assert [it.position for it in await driver.read(bob, after=0)] == [3]
    assert [it.messages for it in await store.shares(bob.id)] == [1]
    assert list(page.places) == [SentPlace(bob.name, bob.id, Position(3))]
    assert await store.mailbox(bob.id) == Mailbox(
        acknowledged=Position(2), head=Position(3), queued=1
    )
    await driver.delete(bob)
    left = await store.left_to_discard(bob.id, messages=9)
    assert list(left.messages) == [(ada.id, 3)]


@pytest.mark.rule("D3", "M4")
async def test_the_cursor_passes_over_what_was_retracted(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", "1")
    await driver.send(carol, "bob", "2")
    await driver.send(ada, "bob", "3")
    await driver.delete(ada, retract=True)
    before = await driver.store.mailbox(bob.id)

    driver.acknowledge(bob, 2)

    after = await driver.store.mailbox(bob.id)
    assert (before.acknowledged, before.head, before.queued) == (0, 3, 1)
    assert (after.acknowledged, after.head, after.queued) == (2, 3, 0)


@pytest.mark.rule("M4")
async def test_an_acknowledgement_that_is_repeated_is_in_order(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    told: list[int] = []
    await driver.send(ada, "bob", "1", "2")

    for number in range(3):
        driver.store.acknowledge(
            bob.id,
            bob.epoch,
            Position(9),
            lambda number=number: told.append(number),  # type: ignore[misc]
        )
    await driver.store.flush()
    await asyncio.sleep(0)

    assert told == [0]
    assert (await driver.store.mailbox(bob.id)).acknowledged == 2


async def test_lists_come_in_the_order_that_the_port_names(
    driver: StoreDriver,
) -> None:
    people = {it: await driver.register(it) for it in ("é", "b", "a", "z")}
    people["é"] = await driver.login(people["é"].id)
    for sender in ("z", "é", "a", "z"):
        await driver.send(people[sender], "b", sender)

    names = await driver.store.names(prefix="", after="", limit=9)
    sessions = await driver.store.sessions()
    shares = await driver.store.shares(people["b"].id)

    assert [name for _, name in names] == ["a", "b", "z", "é"]
    assert [it.account for it in sessions] == sorted(it.id for it in people.values())
    assert [it.sender for it in shares] == [people[it].id for it in ("é", "a", "z")]


@pytest.mark.rule("D4")
async def test_what_is_left_to_discard_comes_by_sender_and_position(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    for sender in (carol, bob, ada, carol, bob):
        await driver.send(sender, "ada", "x")
    await driver.delete(ada)

    some = await driver.store.left_to_discard(ada.id, messages=4)
    whole = await driver.store.left_to_discard(ada.id, messages=9)

    expected = [(ada.id, 3), (bob.id, 2), (bob.id, 5), (carol.id, 1), (carol.id, 4)]
    assert whole == LeftToDiscard(0, whole.messages)
    assert [tuple(it) for it in whole.messages] == expected
    assert [tuple(it) for it in some.messages] == expected[:4]


@pytest.mark.rule("D4", "D5")
async def test_a_step_that_is_repeated_tells_nobody_twice(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "1", "2", "3")
    await driver.delete(ada)
    chunk = Chunk(bob.id, (Position(1), Position(2)))

    told = [
        list(await driver.store.discard(ada.id, [chunk], discarded=it, at_ms=NOW_MS))
        for it in (0, 0, 1)
    ]

    assert [len(it) for it in told] == [1, 0, 0]
    left = await driver.store.left_to_discard(ada.id, messages=9)
    assert (left.discarded, [tuple(it) for it in left.messages]) == (2, [(bob.id, 3)])
    assert await driver.bounces(bob) == [(1, 2)]


@pytest.mark.rule("D5")
async def test_nothing_is_cleaned_up_before_all_is_discarded(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "1")
    await driver.send(ada, "bob", "2")
    await driver.delete(ada, retract=True)

    early = await driver.store.clean_up(ada.id, rows=9)

    assert early == CleanUp(DeletionReceipt(), finished=False)
    left = await driver.store.left_to_discard(ada.id, messages=9)
    assert len(left.messages) == 1
    done = await driver.finish(ada.id)
    assert done.receipt == DeletionReceipt(discarded=1, bounces=1, retracted=1)


@pytest.mark.rule("A3")
async def test_an_invitation_that_is_there_has_the_uses_that_it_is_given(
    driver: StoreDriver,
) -> None:
    code = InvitationHash(b"c" * 32)
    add = driver.store.add_invitation
    await add(code, uses=3, expires_at_ms=NOW_MS)

    await add(code, uses=1, expires_at_ms=NOW_MS + 5)

    (found,) = await driver.store.invitations(
        after=InvitationHash(b""), limit=9, at_ms=NOW_MS
    )
    assert found == (code, 1, NOW_MS + 5)


async def test_a_second_opener_is_refused_or_has_rows_of_its_own(url: str) -> None:
    async with open_store(url) as store, AsyncExitStack() as stack:
        ada = await StoreDriver(store).register("ada")

        try:
            other = await stack.enter_async_context(open_store(url))
            found = await other.find_account(ada.name)
        except OpeningError:
            found = None

        assert found is None
        assert await store.find_account(ada.name) is not None
    async with open_store(url):
        pass


async def test_a_walk_over_what_was_sent_ends(driver: StoreDriver, ada: Person) -> None:
    page = await driver.store.sent(ada.id, after=BEFORE_ALL_MAIL, messages=1)

    assert page == SentPage(page.places, None)
    assert list(page.places) == []
