"""How many handshakes may be under way, and which one ends for another (B1 to B3)."""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from chatcore import Limits
from tests.certificates import client_tls, server_tls
from tests.unit.transports.tls.servers import (
    PASSWORD,
    bare_socket,
    client_hello,
    each_stream,
    end_of,
    first_to_end,
    serving,
)
from transports import connect
from transports.certificates import ServerCertificate
from transports.fair_scheduler import FairScheduler
from transports.tls_handshakes import AT_ONCE, PATIENCE_S, TlsHandshakes

MOST = 4
MANY = 40


@dataclass(eq=False)
class Begun:
    """A handshake, by a name for who reads."""

    name: str
    waits_its_turn: bool = False


async def handshakes(networks: Sequence[str]) -> tuple[TlsHandshakes, list[Begun]]:
    """As many as there may be, from these networks, all begun at 0 s."""
    bound = TlsHandshakes(len(networks), FairScheduler(at_once=AT_ONCE))
    begun = [Begun(f"{network} {index}") for index, network in enumerate(networks)]
    for one, network in zip(begun, networks, strict=True):
        assert bound.enter(one, network, 0.0) is None
    return bound, begun


@pytest.mark.rule("B3")
async def test_a_network_that_has_most_gives_its_oldest_for_a_newcomer() -> None:
    bound, begun = await handshakes(["few", "many", "many", "many"])

    ended = bound.enter(Begun("newcomer"), "other", 0.0)

    assert ended is begun[1]


@pytest.mark.rule("B3")
async def test_of_networks_that_have_as_many_each_the_newcomer_goes() -> None:
    bound, _ = await handshakes(["one", "two", "three", "four"])
    newcomer = Begun("newcomer")

    assert bound.enter(newcomer, "five", 0.0) is newcomer
    assert bound.enter(newcomer, "one", 0.0) is newcomer


@pytest.mark.rule("B3")
async def test_a_peer_that_lets_the_server_wait_goes_before_a_newcomer() -> None:
    bound, begun = await handshakes(["one", "two", "three", "four"])

    ended = bound.enter(Begun("newcomer"), "five", PATIENCE_S)

    assert ended is begun[0]


@pytest.mark.rule("B3")
async def test_a_peer_that_the_server_lets_wait_stays() -> None:
    bound, begun = await handshakes(["one", "two", "three", "four"])
    begun[0].waits_its_turn = True
    newcomer = Begun("newcomer")

    assert bound.enter(newcomer, "five", PATIENCE_S) is newcomer


@pytest.mark.rule("B3")
async def test_one_that_is_over_makes_room_once() -> None:
    bound, begun = await handshakes(["one", "two"])

    bound.leave(begun[0])
    bound.leave(begun[0])
    first = bound.enter(Begun("first"), "one", 0.0)
    second = bound.enter(too_many := Begun("second"), "three", 0.0)

    assert first is None
    assert second is too_many


@each_stream
@pytest.mark.rule("B1")
async def test_above_the_bound_a_handshake_is_not_begun(scheme: str) -> None:
    limits = Limits(handshakes=MOST)
    async with (
        serving(scheme, server_tls(), limits=limits) as url,
        AsyncExitStack() as opened,
    ):
        readers = []
        for _ in range(MOST + MANY):
            reader, writer = await opened.enter_async_context(bare_socket(url))
            writer.write(client_hello()[:-1])
            readers.append(reader)

        said = await first_to_end(MANY, readers)

    assert said == [b""] * MANY


@each_stream
@pytest.mark.rule("B3")
async def test_another_address_logs_in_while_one_has_all_handshakes(
    scheme: str,
) -> None:
    limits = Limits(handshakes=MOST, loopback_counts=True)
    async with (
        serving(scheme, server_tls(), limits=limits) as url,
        AsyncExitStack() as opened,
    ):
        readers = []
        for _ in range(MOST):
            reader, writer = await opened.enter_async_context(
                bare_socket(url, source="127.0.0.2")
            )
            writer.write(client_hello())
            await reader.read(1)  # its handshake has begun
            readers.append(reader)

        async with connect(url, tls=client_tls()) as client:
            await client.login("ada", PASSWORD, create=True)
            said = await first_to_end(1, readers)

    assert len(said) == 1


class CountingTls(ssl.SSLObject):
    """Counts what is done for handshakes between two turns of the event loop."""

    most = in_this_turn = total = 0

    def do_handshake(self) -> None:
        counted = CountingTls
        counted.total += 1
        counted.in_this_turn += 1
        counted.most = max(counted.most, counted.in_this_turn)
        super().do_handshake()

    @classmethod
    async def watch(cls) -> None:
        """See each turn, before what is read in it."""
        cls.most = cls.total = 0
        while True:
            cls.in_this_turn = 0
            await asyncio.sleep(0)


class CountingCertificate(ServerCertificate):
    """A certificate whose connections are counted."""

    def context(self, *protocols: str) -> ssl.SSLContext:
        context: Any = super().context(*protocols)
        context.sslobject_class = CountingTls
        return context  # type: ignore[no-any-return]  # as the base says


@each_stream
@pytest.mark.rule("B2")
async def test_of_many_handshakes_at_once_one_goes_on_in_a_turn(scheme: str) -> None:
    async with (
        serving(scheme, CountingCertificate(server_tls())) as url,
        asyncio.TaskGroup() as tasks,
        AsyncExitStack() as opened,
    ):
        watching = tasks.create_task(CountingTls.watch())
        sockets = [
            await opened.enter_async_context(bare_socket(url)) for _ in range(MANY)
        ]
        for _, writer in sockets:
            writer.write(client_hello())
        for reader, _ in sockets:
            assert await reader.read(1)

        watching.cancel()
        assert CountingTls.total == MANY
        assert CountingTls.most == 1


@each_stream
@pytest.mark.rule("B2")
async def test_bytes_that_are_no_records_end_only_their_own_connection(
    scheme: str,
) -> None:
    broken = (
        b"\x16\x03\x01\x00\x00" * 10_000,  # records of nothing
        client_hello() + b"\x17\x03\x03\x10\x00" + bytes(4096),  # not encrypted
        bytes(4096),
    )
    async with (
        serving(scheme, server_tls()) as url,
        connect(url, tls=client_tls()) as client,
    ):
        await client.login("ada", PASSWORD, create=True)
        for said in broken:
            async with bare_socket(url) as (reader, writer):
                writer.write(said)
                await end_of(reader)

        receipt = await client.send("ada", "still here")

    assert receipt.position == 1
