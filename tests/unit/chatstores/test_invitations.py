"""Invitations, in each store (A3, A4)."""

from pathlib import Path

import pytest

from chatcore.ids import (
    NO_INVITATION,
    NO_KEY,
    AccountId,
    IdempotencyKey,
    InvitationHash,
    PasswordHash,
    Username,
)
from chatcore.limits import DAY_MS
from chatstores import open_store
from tests.stores import StoreKind
from tests.unit.chatstores.store_driver import NOW_MS, StoreDriver, key

CODE = InvitationHash(b"\x01" * 32)
OTHER = InvitationHash(b"\x02" * 32)


async def create(
    driver: StoreDriver,
    name: str,
    *,
    code: InvitationHash = CODE,
    under: IdempotencyKey = NO_KEY,
    at_ms: int = NOW_MS,
) -> AccountId | None:
    """Make an account with an invitation."""
    return await driver.store.create_account(
        Username(name),
        PasswordHash(f"hash of {name}"),
        key=under,
        at_ms=at_ms,
        invitation=code,
    )


async def invite(
    driver: StoreDriver, *, uses: int = 1, expires_at_ms: int = NOW_MS + 1
) -> None:
    await driver.store.add_invitation(CODE, uses=uses, expires_at_ms=expires_at_ms)


@pytest.mark.rule("A3")
async def test_one_is_spent_with_the_account_that_it_allows(
    driver: StoreDriver,
) -> None:
    await invite(driver, uses=2)

    made = [await create(driver, name) for name in ("ada", "bob", "eve")]

    assert made == [1, 2, None]
    assert not await driver.store.allows(CODE, at_ms=NOW_MS)
    assert await driver.store.find_account(Username("eve")) is None


@pytest.mark.rule("A3", "E2")
async def test_a_name_that_is_taken_spends_nothing(driver: StoreDriver) -> None:
    await driver.register("ada")
    await invite(driver)

    taken = await create(driver, "ada")

    assert taken is None
    assert await driver.store.allows(CODE, at_ms=NOW_MS)
    assert await create(driver, "bob") is not None


@pytest.mark.rule("A3")
async def test_one_that_is_unknown_or_has_expired_allows_nothing(
    driver: StoreDriver,
) -> None:
    await invite(driver)

    unknown = await create(driver, "ada", code=OTHER)
    expired = await create(driver, "ada", at_ms=NOW_MS + 1)

    assert unknown is expired is None
    assert not await driver.store.allows(OTHER, at_ms=NOW_MS)
    assert not await driver.store.allows(CODE, at_ms=NOW_MS + 1)
    assert await driver.store.allows(CODE, at_ms=NOW_MS)
    assert await create(driver, "ada") == 1


@pytest.mark.rule("B7")
async def test_one_is_forgotten_when_keys_of_its_end_are(driver: StoreDriver) -> None:
    await invite(driver, expires_at_ms=NOW_MS + DAY_MS)

    await driver.store.forget(key(0, at_ms=NOW_MS + DAY_MS - 1))
    kept = await driver.store.allows(CODE, at_ms=NOW_MS)
    await driver.store.forget(key(0, at_ms=NOW_MS + DAY_MS))
    forgotten = await driver.store.allows(CODE, at_ms=NOW_MS)

    assert (kept, forgotten) == (True, False)


@pytest.mark.rule("D6")
async def test_what_it_allowed_is_known_by_its_key(driver: StoreDriver) -> None:
    await invite(driver)

    account = await create(driver, "ada", under=key(1))
    first = await driver.store.first_use(key(1))

    assert first is not None
    assert first.account == account


@pytest.mark.rule("A3")
async def test_those_that_allow_something_come_in_pages_and_one_can_be_revoked(
    driver: StoreDriver,
) -> None:
    store = driver.store
    codes = [InvitationHash(bytes([number]) * 32) for number in range(5)]
    for number, code in enumerate(codes):
        await store.add_invitation(code, uses=2, expires_at_ms=NOW_MS + number)

    page = await store.invitations(after=NO_INVITATION, limit=2, at_ms=NOW_MS)
    rest = await store.invitations(after=page[-1].invitation, limit=9, at_ms=NOW_MS)
    revoked = [await store.revoke_invitation(codes[4]) for _ in range(2)]
    left = await store.invitations(after=codes[2], limit=9, at_ms=NOW_MS)

    assert [it.invitation for it in page] == codes[1:3]
    assert rest == [(codes[3], 2, NOW_MS + 3), (codes[4], 2, NOW_MS + 4)]
    assert revoked == [True, False]
    assert [it.invitation for it in left] == codes[3:4]


async def test_one_outlives_a_restart(durable_kind: StoreKind, tmp_path: Path) -> None:
    url = durable_kind.url_in(tmp_path)
    with durable_kind.running(tmp_path):
        async with open_store(url) as store:
            await invite(StoreDriver(store), uses=3)
            await create(StoreDriver(store), "ada")

        async with open_store(url) as store:
            driver = StoreDriver(store)
            made = [await create(driver, name) for name in ("bob", "eve", "fay")]

    assert made == [2, 3, None]
