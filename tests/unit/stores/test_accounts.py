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
from tests.unit.stores.desk import NOW_MS, Desk, Person, key, positions

ADA = Username("ada")
HASH = PasswordHash("$argon2id$…")


async def test_an_account_is_found_by_its_name(desk: Desk) -> None:
    account = await desk.store.create_account(ADA, HASH, key=NO_KEY, at_ms=NOW_MS)

    found = await desk.store.find_account(ADA)

    assert account == 1
    assert found == Account(id=AccountId(1), username=ADA, password_hash=HASH)
    assert await desk.store.find_account(Username("bob")) is None


@pytest.mark.rule("A3")
async def test_a_name_that_exists_is_refused_and_nothing_changes(desk: Desk) -> None:
    await desk.store.create_account(ADA, HASH, key=NO_KEY, at_ms=NOW_MS)

    again = await desk.store.create_account(
        ADA, PasswordHash("other"), key=key(1), at_ms=NOW_MS
    )

    assert again is None
    found = await desk.store.find_account(ADA)
    assert found is not None
    assert found.password_hash == HASH
    assert await desk.store.first_answer(key(1)) is None


@pytest.mark.rule("D6")
async def test_the_key_of_a_creation_keeps_its_first_answer(desk: Desk) -> None:
    account = await desk.store.create_account(ADA, HASH, key=key(1), at_ms=NOW_MS)

    answer = await desk.store.first_answer(key(1))

    assert answer is not None
    assert (answer.account, answer.username, answer.password_hash) == (
        account,
        ADA,
        HASH,
    )
    assert (answer.receipt, answer.finished) == (None, True)


@pytest.mark.rule("D6")
async def test_the_answer_to_a_creation_outlives_the_account(desk: Desk) -> None:
    await desk.store.create_account(ADA, HASH, key=key(1), at_ms=NOW_MS)
    ada = await desk.login(AccountId(1))

    await desk.erase(ada)

    answer = await desk.store.first_answer(key(1))
    assert answer is not None
    assert (answer.account, answer.password_hash) == (ada.id, HASH)


async def test_a_key_keeps_its_first_answer_when_it_is_used_for_another(
    desk: Desk,
) -> None:
    await desk.store.create_account(ADA, HASH, key=key(1), at_ms=NOW_MS)

    await desk.store.create_account(Username("bob"), HASH, key=key(1), at_ms=NOW_MS)

    answer = await desk.store.first_answer(key(1))
    assert answer is not None
    assert answer.username == ADA


@pytest.mark.rule("A5")
async def test_a_name_that_is_created_again_is_another_account(desk: Desk) -> None:
    first = await desk.register("ada")
    await desk.erase(first)
    await desk.store.forget(key(2))

    second = await desk.register("ada")

    assert second.id != first.id
    assert await desk.queued(second) == 0


@pytest.mark.rule("A6")
async def test_a_changed_password_ends_the_tokens_and_the_epoch_before_it(
    desk: Desk,
) -> None:
    old = await desk.register("ada")
    stolen, new_token = desk.new_token(), desk.new_token()
    old = await desk.login(old.id, token=stolen)
    await desk.send(old, "ada", "hi")

    epoch = await desk.change_password(old.id, HASH, new_token)

    found = await desk.store.find_account(ADA)
    assert found is not None
    assert found.password_hash == HASH
    assert epoch == old.epoch + 1
    assert await desk.send(old, "ada", "late") == [Declined.FENCED]
    desk.acknowledge(old, 1)
    assert await desk.queued(old) == 1
    assert await desk.store.resume_session(stolen, last_seen=BEFORE_FIRST) is None
    assert await desk.store.sessions() == [
        StoredSession(account=old.id, username=ADA, epoch=epoch, token_hash=new_token)
    ]
    now = Person(old.id, old.name, epoch)
    assert positions(await desk.send(now, "ada", "again")) == [2]


@pytest.mark.rule("A6")
async def test_changing_the_password_of_an_account_without_a_session_makes_none(
    desk: Desk,
) -> None:
    ada = await desk.register("ada")
    await desk.store.end_session(ada.id, ada.epoch)
    token = desk.new_token()

    epoch = await desk.change_password(ada.id, HASH, token)

    assert epoch == ada.epoch + 1
    assert await desk.store.sessions() == []
    assert await desk.store.resume_session(token, last_seen=BEFORE_FIRST) is None


@pytest.mark.rule("A6")
async def test_the_password_of_an_account_that_is_gone_cannot_be_changed(
    desk: Desk,
) -> None:
    ada = await desk.register("ada")
    await desk.delete(ada, under=key(1))

    changed = await desk.store.change_password(
        ada.id, desk.new_token(), old=PasswordHash("hash of ada"), new=HASH
    )
    await desk.store.replace_hash(ada.id, PasswordHash("hash of ada"), HASH)

    assert changed is None
    answer = await desk.store.first_answer(key(1))
    assert answer is not None
    assert answer.password_hash == "hash of ada"


@pytest.mark.rule("A6", "E2")
async def test_a_password_that_was_changed_since_is_not_changed_again(
    desk: Desk,
) -> None:
    ada = await desk.register("ada")
    token = desk.new_token()
    epoch = await desk.change_password(ada.id, HASH, token)

    late = await desk.store.change_password(
        ada.id,
        desk.new_token(),
        old=PasswordHash("hash of ada"),
        new=PasswordHash("of a thief"),
    )

    assert late is None
    assert await desk.password_of(ada.id) == HASH
    (session,) = await desk.store.sessions()
    assert (session.token_hash, session.epoch) == (token, epoch)


async def test_a_hash_is_replaced_unless_the_password_was_changed_since(
    desk: Desk,
) -> None:
    ada, bob = await desk.register("ada"), await desk.register("bob")
    await desk.change_password(bob.id, HASH, desk.new_token())

    for it in (ada, bob):
        old = PasswordHash(f"hash of {it.name}")
        await desk.store.replace_hash(it.id, old, PasswordHash("costlier"))

    found = [await desk.store.find_account(it.name) for it in (ada, bob)]
    assert [it.password_hash for it in found if it] == ["costlier", HASH]
    assert await desk.send(ada, "bob", "hi") != [Declined.FENCED]


@pytest.mark.rule("B4")
async def test_an_address_is_known_since_its_last_login(desk: Desk) -> None:
    ada, bob = await desk.register("ada"), await desk.register("bob")
    home, away = AddressHash(b"home"), AddressHash(b"away")
    await desk.login(ada.id, address=home, at_ms=NOW_MS)

    await desk.login(ada.id, address=home, at_ms=NOW_MS + 5)
    await desk.login(ada.id)

    knows = desk.store.knows_address
    assert await knows(ada.id, home, since_ms=NOW_MS + 5)
    assert not await knows(ada.id, home, since_ms=NOW_MS + 6)
    assert not await knows(ada.id, away, since_ms=0)
    assert not await knows(bob.id, home, since_ms=0)
    assert not await knows(ada.id, NO_ADDRESS, since_ms=0)


@pytest.mark.rule("B4")
async def test_the_latest_addresses_of_an_account_are_kept(desk: Desk) -> None:
    ada = await desk.register("ada")
    addresses = [AddressHash(bytes([number])) for number in range(KNOWN_ADDRESSES + 2)]
    for number, address in enumerate(addresses):
        await desk.login(ada.id, address=address, at_ms=NOW_MS + number)
    await desk.login(ada.id, address=addresses[2], at_ms=NOW_MS + 99)

    await desk.login(ada.id, address=addresses[0], at_ms=NOW_MS + 100)

    known = [await desk.store.knows_address(ada.id, it, since_ms=0) for it in addresses]
    assert known == [True, False, True, False, *[True] * (KNOWN_ADDRESSES - 2)]


@pytest.mark.rule("B4", "B7")
async def test_an_address_is_known_also_where_the_clock_was_ahead_before(
    desk: Desk,
) -> None:
    ada = await desk.register("ada")
    for number in range(KNOWN_ADDRESSES):
        address = AddressHash(bytes([number]))
        await desk.login(ada.id, address=address, at_ms=NOW_MS + 3650 * DAY_MS)
    home = AddressHash(b"home")

    await desk.login(ada.id, address=home, at_ms=NOW_MS)

    assert await desk.store.knows_address(ada.id, home, since_ms=NOW_MS)


@pytest.mark.rule("B4", "A5")
async def test_addresses_go_with_their_account(desk: Desk) -> None:
    ada = await desk.register("ada")
    home = AddressHash(b"home")
    await desk.login(ada.id, address=home)
    ada = await desk.login(ada.id)

    await desk.delete(ada)

    again = await desk.register("ada")
    assert not await desk.store.knows_address(ada.id, home, since_ms=0)
    assert not await desk.store.knows_address(again.id, home, since_ms=0)


@pytest.mark.rule("L1")
async def test_names_come_by_code_point_in_pages(desk: Desk) -> None:
    names = ["b", "é", "z", "a", "ab", "\U0001f600", "a\uffff"]
    for name in names:
        await desk.register(name)

    first = await desk.store.names(prefix="", after="", limit=3)
    rest = await desk.store.names(prefix="", after=first[-1][1], limit=100)

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
    desk: Desk, prefix: str, after: str, expected: list[str]
) -> None:
    for name in ("b", "ac", "a", "c", "ab"):
        await desk.register(name)

    page = await desk.store.names(prefix=prefix, after=after, limit=10)

    assert [name for _, name in page] == expected


async def test_a_deleted_account_is_found_and_listed_no_more(desk: Desk) -> None:
    ada, bob = await desk.register("ada"), await desk.register("bob")

    await desk.delete(ada)

    assert await desk.store.find_account(ada.name) is None
    assert await desk.store.names(prefix="", after="", limit=9) == [(bob.id, "bob")]


@pytest.mark.rule("S6")
async def test_each_opening_and_resuming_raises_the_epoch(desk: Desk) -> None:
    account = await desk.store.create_account(ADA, HASH, key=NO_KEY, at_ms=NOW_MS)
    assert account is not None
    token = desk.new_token()

    opened = await desk.login(account, token=token)
    resumed = await desk.store.resume_session(token, last_seen=BEFORE_FIRST)

    assert resumed is not None
    assert (opened.epoch, resumed.epoch) == (1, 2)
    assert (resumed.account, resumed.username) == (account, ADA)
    assert resumed.mailbox == await desk.store.mailbox(account)


@pytest.mark.rule("E2", "S6")
async def test_resuming_above_the_head_changes_nothing(desk: Desk) -> None:
    token = desk.new_token()
    ada = await desk.register("ada")
    ada = await desk.login(ada.id, token=token)
    await desk.send(ada, "ada", "one", "two")

    above = await desk.store.resume_session(token, last_seen=Position(3))

    assert above is not None
    assert above.epoch == ada.epoch
    assert above.mailbox == await desk.store.mailbox(ada.id)
    assert above.mailbox.head == 2
    assert positions(await desk.send(ada, "ada", "three")) == [3]
    resumed = await desk.store.resume_session(token, last_seen=Position(3))
    assert resumed is not None
    assert resumed.epoch == ada.epoch + 1


@pytest.mark.rule("S6")
async def test_an_older_epoch_is_fenced(desk: Desk) -> None:
    old, bob = await desk.register("ada"), await desk.register("bob")
    await desk.send(bob, "ada", "hi")

    new = await desk.login(old.id)

    assert await desk.send(old, "bob", "hello") == [Declined.FENCED]
    desk.acknowledge(old, 1)
    assert await desk.queued(new) == 1
    assert not await desk.delete(old)


@pytest.mark.rule("S1")
async def test_a_new_session_replaces_the_one_before(desk: Desk) -> None:
    ada = await desk.register("ada")
    first, second = desk.new_token(), desk.new_token()
    await desk.login(ada.id, token=first)

    await desk.login(ada.id, token=second)

    assert await desk.store.resume_session(first, last_seen=BEFORE_FIRST) is None
    assert [it.token_hash for it in await desk.store.sessions()] == [second]


@pytest.mark.rule("S4")
async def test_an_ended_session_cannot_be_resumed(desk: Desk) -> None:
    ada = await desk.register("ada")
    token = desk.new_token()
    ada = await desk.login(ada.id, token=token)

    await desk.store.end_session(ada.id, ada.epoch)

    assert await desk.store.resume_session(token, last_seen=BEFORE_FIRST) is None
    assert await desk.store.sessions() == []


async def test_ending_a_session_that_has_moved_on_does_nothing(desk: Desk) -> None:
    old = await desk.register("ada")
    new = await desk.login(old.id)

    await desk.store.end_session(old.id, old.epoch)

    assert [it.epoch for it in await desk.store.sessions()] == [new.epoch]


async def test_all_sessions_are_told(desk: Desk) -> None:
    ada = await desk.register("ada")
    token = desk.new_token()
    ada = await desk.login(ada.id, token=token)

    sessions = await desk.store.sessions()

    assert sessions == [
        StoredSession(account=ada.id, username=ADA, epoch=ada.epoch, token_hash=token)
    ]


@pytest.mark.rule("A6", "E2")
async def test_a_password_that_was_changed_opens_no_session_and_ends_none(
    desk: Desk,
) -> None:
    ada = await desk.register("ada")
    own, home = desk.new_token(), AddressHash(b"home")
    epoch = await desk.change_password(ada.id, HASH, own)

    opened = await desk.store.open_session(
        ada.id,
        desk.new_token(),
        password_hash=PasswordHash("hash of ada"),
        address=home,
        at_ms=NOW_MS,
    )

    assert opened is None
    (session,) = await desk.store.sessions()
    assert (session.token_hash, session.epoch) == (own, epoch)
    assert not await desk.store.knows_address(ada.id, home, since_ms=0)


async def test_nobody_opens_a_session_of_an_account_that_is_gone(desk: Desk) -> None:
    ada = await desk.register("ada")

    await desk.delete(ada)

    opened = await desk.store.open_session(
        ada.id,
        desk.new_token(),
        password_hash=PasswordHash("hash of ada"),
        address=AddressHash(b"home"),
        at_ms=NOW_MS,
    )
    assert opened is None
    assert await desk.store.sessions() == []
    await desk.store.end_session(ada.id, ada.epoch)
    unknown = TokenHash(b"unknown")
    assert await desk.store.resume_session(unknown, last_seen=BEFORE_FIRST) is None
    assert not await desk.store.knows_address(ada.id, AddressHash(b"home"), since_ms=0)
