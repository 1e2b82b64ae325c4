"""Accounts and sessions, in each store."""

import pytest

from chatcore.ids import NO_KEY, AccountId, PasswordHash, TokenHash, Username
from chatcore.model import Account, StoredSession
from chatcore.ports import Declined
from tests.unit.stores.desk import NOW_MS, Desk, key

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


async def test_a_password_is_replaced_while_the_account_lives(desk: Desk) -> None:
    ada = await desk.register("ada")

    replaced = await desk.store.set_password(ada.id, HASH)

    assert replaced
    found = await desk.store.find_account(ADA)
    assert found is not None
    assert found.password_hash == HASH
    await desk.erase(ada)
    assert not await desk.store.set_password(ada.id, HASH)


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

    opened = await desk.store.open_session(account, token)
    resumed = await desk.store.resume_session(token)

    assert opened is not None
    assert resumed is not None
    assert (opened.epoch, resumed.epoch) == (1, 2)
    assert (resumed.account, resumed.username) == (account, ADA)
    assert resumed.mailbox == await desk.store.mailbox(account)


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
    await desk.store.open_session(ada.id, first)

    await desk.store.open_session(ada.id, second)

    assert await desk.store.resume_session(first) is None
    assert [it.token_hash for it in await desk.store.sessions()] == [second]


@pytest.mark.rule("S4")
async def test_an_ended_session_cannot_be_resumed(desk: Desk) -> None:
    ada = await desk.register("ada")
    token = desk.new_token()
    opened = await desk.store.open_session(ada.id, token)
    assert opened is not None

    await desk.store.end_session(ada.id, opened.epoch)

    assert await desk.store.resume_session(token) is None
    assert await desk.store.sessions() == []


async def test_ending_a_session_that_has_moved_on_does_nothing(desk: Desk) -> None:
    old = await desk.register("ada")
    new = await desk.login(old.id)

    await desk.store.end_session(old.id, old.epoch)

    assert [it.epoch for it in await desk.store.sessions()] == [new.epoch]


async def test_all_sessions_are_told(desk: Desk) -> None:
    ada = await desk.register("ada")
    token = desk.new_token()
    opened = await desk.store.open_session(ada.id, token)
    assert opened is not None

    sessions = await desk.store.sessions()

    assert sessions == [
        StoredSession(
            account=ada.id, username=ADA, epoch=opened.epoch, token_hash=token
        )
    ]


async def test_nobody_opens_a_session_of_an_account_that_is_gone(desk: Desk) -> None:
    ada = await desk.register("ada")

    await desk.delete(ada)

    assert await desk.store.open_session(ada.id, desk.new_token()) is None
    assert await desk.store.sessions() == []
    await desk.store.end_session(ada.id, ada.epoch)
    assert await desk.store.resume_session(TokenHash(b"unknown")) is None
