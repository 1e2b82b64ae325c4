"""Accounts and sessions, in each store."""

import pytest

from chatcore.ids import (
    BEFORE_FIRST,
    NO_ADDRESS,
    NO_KEY,
    AccountId,
    AddressHash,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.limits import DAY_MS
from chatcore.model import KNOWN_ADDRESSES, Account, StoredSession
from chatcore.store import Declined
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    Person,
    StoreDriver,
    key,
    positions,
)

ADA = Username("ada")
HASH = PasswordHash("$argon2id$…")


async def test_an_account_is_found_by_its_name(driver: StoreDriver) -> None:
    account = await driver.store.create_account(ADA, HASH, key=NO_KEY, at_ms=NOW_MS)

    found = await driver.store.find_account(ADA)

    assert account == 1
    assert found == Account(id=AccountId(1), username=ADA, password_hash=HASH)
    assert await driver.store.find_account(Username("bob")) is None


@pytest.mark.rule("A3")
async def test_a_name_that_exists_is_refused_and_nothing_changes(
    driver: StoreDriver,
) -> None:
    await driver.store.create_account(ADA, HASH, key=NO_KEY, at_ms=NOW_MS)

    again = await driver.store.create_account(
        ADA, PasswordHash("other"), key=key(1), at_ms=NOW_MS
    )

    assert again is None
    found = await driver.store.find_account(ADA)
    assert found is not None
    assert found.password_hash == HASH
    assert await driver.store.first_use(key(1)) is None


@pytest.mark.rule("D6")
async def test_the_key_of_a_creation_keeps_its_first_use(
    driver: StoreDriver,
) -> None:
    account = await driver.store.create_account(ADA, HASH, key=key(1), at_ms=NOW_MS)

    first = await driver.store.first_use(key(1))

    assert first is not None
    assert (first.account, first.username, first.password_hash) == (
        account,
        ADA,
        HASH,
    )
    assert not first.is_deletion


@pytest.mark.rule("D6")
async def test_the_first_use_of_a_key_outlives_the_account(
    driver: StoreDriver,
) -> None:
    await driver.store.create_account(ADA, HASH, key=key(1), at_ms=NOW_MS)
    ada = await driver.login(AccountId(1))

    await driver.erase(ada)

    first = await driver.store.first_use(key(1))
    assert first is not None
    assert (first.account, first.password_hash) == (ada.id, HASH)


async def test_a_key_keeps_its_first_use_when_it_is_used_for_another(
    driver: StoreDriver,
) -> None:
    await driver.store.create_account(ADA, HASH, key=key(1), at_ms=NOW_MS)

    await driver.store.create_account(Username("bob"), HASH, key=key(1), at_ms=NOW_MS)

    first = await driver.store.first_use(key(1))
    assert first is not None
    assert first.username == ADA


@pytest.mark.rule("A5")
async def test_a_name_that_is_created_again_is_another_account(
    driver: StoreDriver,
) -> None:
    first = await driver.register("ada")
    await driver.erase(first)
    await driver.store.forget(key(2))

    second = await driver.register("ada")

    assert second.id != first.id
    assert await driver.queued(second) == 0


@pytest.mark.rule("A6")
async def test_a_changed_password_ends_the_tokens_and_the_epoch_before_it(
    driver: StoreDriver,
) -> None:
    old = await driver.register("ada")
    stolen, new_token = driver.new_token(), driver.new_token()
    old = await driver.login(old.id, token=stolen)
    await driver.send(old, "ada", "hi")

    epoch = await driver.change_password(old.id, HASH, new_token)

    found = await driver.store.find_account(ADA)
    assert found is not None
    assert found.password_hash == HASH
    assert epoch == old.epoch + 1
    assert await driver.send(old, "ada", "late") == [Declined.FENCED]
    driver.acknowledge(old, 1)
    assert await driver.queued(old) == 1
    assert await driver.store.resume_session(stolen, last_seen=BEFORE_FIRST) is None
    assert await driver.store.sessions() == [
        StoredSession(account=old.id, username=ADA, epoch=epoch, token_hash=new_token)
    ]
    now = Person(old.id, old.name, epoch)
    assert positions(await driver.send(now, "ada", "again")) == [2]


@pytest.mark.rule("A6")
async def test_changing_the_password_of_an_account_without_a_session_makes_none(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")
    await driver.store.end_session(ada.id, ada.epoch)
    token = driver.new_token()

    epoch = await driver.change_password(ada.id, HASH, token)

    assert epoch == ada.epoch + 1
    assert await driver.store.sessions() == []
    assert await driver.store.resume_session(token, last_seen=BEFORE_FIRST) is None


@pytest.mark.rule("A6")
async def test_the_password_of_an_account_that_is_gone_cannot_be_changed(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")
    await driver.delete(ada, under=key(1))

    changed = await driver.store.change_password(
        ada.id, driver.new_token(), old=PasswordHash("hash of ada"), new=HASH
    )
    await driver.store.replace_hash(ada.id, PasswordHash("hash of ada"), HASH)

    assert changed is None
    first = await driver.store.first_use(key(1))
    assert first is not None
    assert first.password_hash == "hash of ada"


@pytest.mark.rule("A6", "E2")
async def test_a_password_that_was_changed_since_is_not_changed_again(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")
    token = driver.new_token()
    epoch = await driver.change_password(ada.id, HASH, token)

    late = await driver.store.change_password(
        ada.id,
        driver.new_token(),
        old=PasswordHash("hash of ada"),
        new=PasswordHash("of a thief"),
    )

    assert late is None
    assert await driver.password_of(ada.id) == HASH
    (session,) = await driver.store.sessions()
    assert (session.token_hash, session.epoch) == (token, epoch)


async def test_a_hash_is_replaced_unless_the_password_was_changed_since(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.change_password(bob.id, HASH, driver.new_token())

    for it in (ada, bob):
        old = PasswordHash(f"hash of {it.name}")
        await driver.store.replace_hash(it.id, old, PasswordHash("costlier"))

    found = [await driver.store.find_account(it.name) for it in (ada, bob)]
    assert [it.password_hash for it in found if it] == ["costlier", HASH]
    assert await driver.send(ada, "bob", "hi") != [Declined.FENCED]


@pytest.mark.rule("B4")
async def test_an_address_is_known_since_its_last_login(driver: StoreDriver) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    home, away = AddressHash(b"home"), AddressHash(b"away")
    await driver.login(ada.id, address=home, at_ms=NOW_MS)

    await driver.login(ada.id, address=home, at_ms=NOW_MS + 5)
    await driver.login(ada.id)

    knows = driver.store.knows_address
    assert await knows(ada.id, home, since_ms=NOW_MS + 5)
    assert not await knows(ada.id, home, since_ms=NOW_MS + 6)
    assert not await knows(ada.id, away, since_ms=0)
    assert not await knows(bob.id, home, since_ms=0)
    assert not await knows(ada.id, NO_ADDRESS, since_ms=0)


@pytest.mark.rule("B4")
async def test_the_latest_addresses_of_an_account_are_kept(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    addresses = [AddressHash(bytes([number])) for number in range(KNOWN_ADDRESSES + 2)]
    for number, address in enumerate(addresses):
        await driver.login(ada.id, address=address, at_ms=NOW_MS + number)
    await driver.login(ada.id, address=addresses[2], at_ms=NOW_MS + 99)

    await driver.login(ada.id, address=addresses[0], at_ms=NOW_MS + 100)

    known = [
        await driver.store.knows_address(ada.id, it, since_ms=0) for it in addresses
    ]
    assert known == [True, False, True, False, *[True] * (KNOWN_ADDRESSES - 2)]


@pytest.mark.rule("B4", "B7")
async def test_an_address_is_known_also_where_the_clock_was_ahead_before(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")
    for number in range(KNOWN_ADDRESSES):
        address = AddressHash(bytes([number]))
        await driver.login(ada.id, address=address, at_ms=NOW_MS + 3650 * DAY_MS)
    home = AddressHash(b"home")

    await driver.login(ada.id, address=home, at_ms=NOW_MS)

    assert await driver.store.knows_address(ada.id, home, since_ms=NOW_MS)


@pytest.mark.rule("B4", "A5")
async def test_addresses_go_with_their_account(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    home = AddressHash(b"home")
    await driver.login(ada.id, address=home)
    ada = await driver.login(ada.id)

    await driver.delete(ada)

    again = await driver.register("ada")
    assert not await driver.store.knows_address(ada.id, home, since_ms=0)
    assert not await driver.store.knows_address(again.id, home, since_ms=0)


@pytest.mark.rule("L1")
async def test_names_come_by_code_point_in_pages(driver: StoreDriver) -> None:
    names = ["b", "é", "z", "a", "ab", "\U0001f600", "a\uffff"]
    for name in names:
        await driver.register(name)

    first = await driver.store.names(prefix="", after="", limit=3)
    rest = await driver.store.names(prefix="", after=first[-1][1], limit=100)

    assert [name for _, name in (*first, *rest)] == sorted(names)
    assert len(first) == 3


@pytest.mark.rule("L1")
@pytest.mark.parametrize(
    ("prefix", "after", "expected"),
    [
        ("a", "", ["a", "ab", "ac"]),
        ("a", "a", ["ab", "ac"]),
        ("a", "0", ["a", "ab", "ac"]),
        ("a", "b", []),
        ("ab", "ab", []),
        ("x", "", []),
        ("", "ac", ["b", "c"]),
    ],
)
async def test_names_start_with_the_prefix_and_sort_after(
    driver: StoreDriver, prefix: str, after: str, expected: list[str]
) -> None:
    for name in ("b", "ac", "a", "c", "ab"):
        await driver.register(name)

    page = await driver.store.names(prefix=prefix, after=after, limit=10)

    assert [name for _, name in page] == expected


async def test_a_deleted_account_is_found_and_listed_no_more(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")

    await driver.delete(ada)

    assert await driver.store.find_account(ada.name) is None
    assert await driver.store.names(prefix="", after="", limit=9) == [(bob.id, "bob")]


@pytest.mark.rule("S6")
async def test_each_opening_and_resuming_raises_the_epoch(driver: StoreDriver) -> None:
    account = await driver.store.create_account(ADA, HASH, key=NO_KEY, at_ms=NOW_MS)
    assert account is not None
    token = driver.new_token()

    opened = await driver.login(account, token=token)
    resumed = await driver.store.resume_session(token, last_seen=BEFORE_FIRST)

    assert resumed is not None
    assert (opened.epoch, resumed.epoch) == (1, 2)
    assert (resumed.account, resumed.username) == (account, ADA)
    assert resumed.mailbox == await driver.store.mailbox(account)


@pytest.mark.rule("E2", "S6")
async def test_resuming_above_the_head_changes_nothing(driver: StoreDriver) -> None:
    token = driver.new_token()
    ada = await driver.register("ada")
    ada = await driver.login(ada.id, token=token)
    await driver.send(ada, "ada", "one", "two")

    above = await driver.store.resume_session(token, last_seen=Position(3))

    assert above is not None
    assert above.epoch == ada.epoch
    assert above.mailbox == await driver.store.mailbox(ada.id)
    assert above.mailbox.head == 2
    assert positions(await driver.send(ada, "ada", "three")) == [3]
    resumed = await driver.store.resume_session(token, last_seen=Position(3))
    assert resumed is not None
    assert resumed.epoch == ada.epoch + 1


@pytest.mark.rule("S6")
async def test_an_older_epoch_is_fenced(driver: StoreDriver) -> None:
    old, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(bob, "ada", "hi")

    new = await driver.login(old.id)

    assert await driver.send(old, "bob", "hello") == [Declined.FENCED]
    driver.acknowledge(old, 1)
    assert await driver.queued(new) == 1
    assert not await driver.delete(old)


@pytest.mark.rule("S1")
async def test_a_new_session_replaces_the_one_before(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    first, second = driver.new_token(), driver.new_token()
    await driver.login(ada.id, token=first)

    await driver.login(ada.id, token=second)

    assert await driver.store.resume_session(first, last_seen=BEFORE_FIRST) is None
    assert [it.token_hash for it in await driver.store.sessions()] == [second]


@pytest.mark.rule("S4")
async def test_an_ended_session_cannot_be_resumed(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    token = driver.new_token()
    ada = await driver.login(ada.id, token=token)

    await driver.store.end_session(ada.id, ada.epoch)

    assert await driver.store.resume_session(token, last_seen=BEFORE_FIRST) is None
    assert await driver.store.sessions() == []


async def test_ending_a_session_that_has_moved_on_does_nothing(
    driver: StoreDriver,
) -> None:
    old = await driver.register("ada")
    new = await driver.login(old.id)

    await driver.store.end_session(old.id, old.epoch)

    assert [it.epoch for it in await driver.store.sessions()] == [new.epoch]


async def test_all_sessions_are_told(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    token = driver.new_token()
    ada = await driver.login(ada.id, token=token)

    sessions = await driver.store.sessions()

    assert sessions == [
        StoredSession(account=ada.id, username=ADA, epoch=ada.epoch, token_hash=token)
    ]


@pytest.mark.rule("A6", "E2")
async def test_a_password_that_was_changed_opens_no_session_and_ends_none(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")
    own, home = driver.new_token(), AddressHash(b"home")
    epoch = await driver.change_password(ada.id, HASH, own)

    opened = await driver.store.open_session(
        ada.id,
        driver.new_token(),
        password_hash=PasswordHash("hash of ada"),
        address=home,
        at_ms=NOW_MS,
    )

    assert opened is None
    (session,) = await driver.store.sessions()
    assert (session.token_hash, session.epoch) == (own, epoch)
    assert not await driver.store.knows_address(ada.id, home, since_ms=0)


async def test_nobody_opens_a_session_of_an_account_that_is_gone(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")

    await driver.delete(ada)

    opened = await driver.store.open_session(
        ada.id,
        driver.new_token(),
        password_hash=PasswordHash("hash of ada"),
        address=AddressHash(b"home"),
        at_ms=NOW_MS,
    )
    assert opened is None
    assert await driver.store.sessions() == []
    await driver.store.end_session(ada.id, ada.epoch)
    unknown = TokenHash(b"unknown")
    assert await driver.store.resume_session(unknown, last_seen=BEFORE_FIRST) is None
    assert not await driver.store.knows_address(
        ada.id, AddressHash(b"home"), since_ms=0
    )
