"""The keys of an issuer: fetched when needed, bounded, in nobody's way."""

import asyncio
import logging
from pathlib import Path

import pytest

from chatcore import (
    ApplicationUnavailable,
    Busy,
    JwtIdentities,
    KeySet,
    KeySetUnreadable,
    KeySetWrong,
)
from tests.unit.chatidentities.issuer import (
    AUDIENCE,
    ISSUER,
    Issuer,
    Published,
    claim,
    key_set,
    publishing,
)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def judge(keys: KeySet) -> JwtIdentities:
    return JwtIdentities(keys, issuer=ISSUER, audience=AUDIENCE, algorithms=["RS256"])


async def test_keys_are_fetched_once_and_kept(issuer: Issuer) -> None:
    published = Published(key_set(issuer.jwk()))
    with publishing(published) as url:
        identities = judge(KeySet(url))

        found = [await identities.identify(claim(issuer.sign())) for _ in range(3)]

    assert None not in found
    assert published.asked == 1


async def test_a_new_key_is_found_and_unknown_ones_cost_a_fetch_in_a_while(
    issuer: Issuer,
) -> None:
    published = Published(key_set(issuer.jwk()))
    newer, thief = Issuer("2"), Issuer("3")
    with publishing(published) as url:
        eager, patient = judge(KeySet(url, refetch_s=0)), judge(KeySet(url))
        await eager.identify(claim(issuer.sign()))
        await patient.identify(claim(issuer.sign()))
        published.body = key_set(issuer.jwk(), newer.jwk())
        rotated = await eager.identify(claim(newer.sign()))
        before = published.asked
        forged = [await patient.identify(claim(thief.sign())) for _ in range(5)]

    assert rotated is not None
    assert forged == [None] * 5
    assert published.asked == before


async def test_a_key_that_was_taken_back_goes_once_keys_are_not_fresh(
    issuer: Issuer,
) -> None:
    published = Published(key_set(issuer.jwk()))
    with publishing(published) as url:
        keys = KeySet(url, refetch_s=0, fresh_s=0)
        identities = judge(keys)
        await identities.identify(claim(issuer.sign()))
        published.body = key_set(Issuer("2").jwk())
        await keys.load()

        found = await identities.identify(claim(issuer.sign()))

    assert found is None


async def test_keys_that_cannot_be_fetched_are_an_outage_and_those_of_before_are_used(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    published = Published(key_set(issuer.jwk()))
    with publishing(published) as url, caplog.at_level(logging.WARNING):
        published.status = 500
        identities = judge(KeySet(url, refetch_s=0))
        with pytest.raises(ApplicationUnavailable):
            await identities.identify(claim(issuer.sign()))
        published.status = 200
        first = await identities.identify(claim(issuer.sign()))
        published.status = 500
        unknown = await identities.identify(claim(Issuer("2").sign()))
        known = await identities.identify(claim(issuer.sign()))

    assert (first, unknown) == (known, None)
    assert "those of before are used" in caplog.text


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b"[" * 9999, b" " * 300_000],
    ids=lambda it: repr(it[:8]),
)
async def test_what_holds_no_keys_is_said(body: bytes) -> None:
    with publishing(Published(body)) as url, pytest.raises(KeySetUnreadable):
        await KeySet(url).load()


async def test_a_redirect_is_not_followed(issuer: Issuer) -> None:
    other, published = Published(key_set(issuer.jwk())), Published(b"")
    with publishing(other) as there, publishing(published) as url:
        published.status, published.location = 302, there
        with pytest.raises(KeySetUnreadable):
            await KeySet(url).load()

    assert other.asked == 0


@pytest.mark.parametrize(
    "url", ["http://issuer.example/keys", "ftp://issuer.example", "file:///etc/passwd"]
)
def test_keys_are_fetched_by_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(KeySetWrong):
        KeySet(url)


async def test_a_slow_server_of_keys_holds_up_only_who_needs_a_new_key(
    issuer: Issuer,
) -> None:
    published = Published(key_set(issuer.jwk()))
    with publishing(published) as url:
        keys = KeySet(url, refetch_s=0)
        identities = judge(keys)
        await identities.identify(claim(issuer.sign()))
        published.free.clear()
        token = Issuer("2").sign()
        begin = asyncio.get_running_loop().create_task
        waiting = [begin(identities.identify(claim(token))) for _ in range(9)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        known = await identities.identify(claim(issuer.sign()))
        published.free.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert known is not None
    assert outcomes[:8] == [None] * 8
    assert isinstance(outcomes[8], Busy)
    assert published.asked == 2


async def test_a_file_that_is_not_there_is_said_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(KeySetUnreadable, match=r"keys\.json"):
        await KeySet(tmp_path / "keys.json").load()
