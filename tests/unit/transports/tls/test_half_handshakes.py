"""Peers that connect and do not finish TLS's handshake (B1, B3)."""

from contextlib import AsyncExitStack

import pytest

from chatcore import Limits
from chatcore.errors import CloseCode, Closed
from tests.certificates import client_tls, server_tls
from tests.unit.transports.tls.servers import (
    PASSWORD,
    bare_socket,
    client_hello,
    each_scheme,
    each_stream,
    end_of,
    first_to_end,
    serving,
)
from transports import connect
from transports.http.sockets import UNATTACHED_OF_AN_ADDRESS

MOST = 4


def unattached(scheme: str) -> int:
    """Sockets that an address may have and that are attached to no link."""
    return UNATTACHED_OF_AN_ADDRESS if scheme == "https" else 0


@each_stream
@pytest.mark.rule("B3")
async def test_they_count_for_their_address_before_they_say_a_word(scheme: str) -> None:
    limits = Limits(address_strangers=MOST, loopback_counts=True)
    async with (
        serving(scheme, server_tls(), limits=limits) as url,
        AsyncExitStack() as opened,
    ):
        most = MOST + unattached(scheme)
        sockets = [
            await opened.enter_async_context(bare_socket(url)) for _ in range(most + 40)
        ]

        # Of 40 too many 16 may shake hands, to be told so; the others end.
        said = await first_to_end(24, [reader for reader, _ in sockets])

    assert said == [b""] * 24


@each_stream
@pytest.mark.rule("B3")
async def test_one_that_is_too_many_is_told_so_when_it_shakes_hands(
    scheme: str,
) -> None:
    limits = Limits(address_strangers=MOST, loopback_counts=True)
    async with (
        serving(scheme, server_tls(), limits=limits) as url,
        AsyncExitStack() as opened,
    ):
        for _ in range(MOST + unattached(scheme)):
            await opened.enter_async_context(bare_socket(url))

        with pytest.raises(Closed) as refused:
            async with connect(url, tls=client_tls(), reconnect=None):
                pass

    assert refused.value.code is CloseCode.TOO_MANY_CONNECTIONS


@each_scheme
@pytest.mark.rule("B3")
async def test_they_end_after_a_while_and_others_come_meanwhile(scheme: str) -> None:
    limits = Limits(login_within_s=0.3)
    async with serving(scheme, server_tls(), limits=limits) as url:
        async with bare_socket(url) as (reader, writer):
            writer.write(client_hello()[:-1])
            async with connect(url, tls=client_tls()) as client:
                await client.login("ada", PASSWORD, create=True)

            said = await end_of(reader)

        assert said == b""


@each_stream
@pytest.mark.rule("B1")
async def test_a_handshake_that_grows_without_end_ends_the_connection(
    scheme: str,
) -> None:
    # A record of a handshake message that has 16 MiB, of which more and more comes.
    record = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(16 * 1024 - 4)
    async with (
        serving(scheme, server_tls()) as url,
        bare_socket(url) as (reader, writer),
    ):
        for _ in range(64):
            writer.write(record)

        await end_of(reader)

        assert reader.at_eof() or reader.exception() is not None


@pytest.mark.rule("B3")
async def test_those_of_grpc_are_bounded_in_all() -> None:
    limits = Limits(connections=MOST)
    async with (
        serving("grpcs", server_tls(), limits=limits) as url,
        AsyncExitStack() as opened,
    ):
        sockets = [
            await opened.enter_async_context(bare_socket(url)) for _ in range(MOST * 2)
        ]

        said = await first_to_end(MOST, [reader for reader, _ in sockets])

    assert len(said) == MOST
