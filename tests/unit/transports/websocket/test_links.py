"""What keeps a WebSocket, what ends it, and with which code (S5, W8, E2)."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from chatcore import Limits
from chatcore.errors import CloseCode
from chatcore.ids import NO_HASH, NO_KEY, AccountId, Username
from chatcore.store import Store
from tests.interop.servers import serving
from tests.unit.transports.websocket.sockets import (
    URL,
    end_of,
    login,
    opening,
    read_events,
    tell,
)


@pytest.mark.rule("S5")
async def test_pings_of_the_protocol_keep_a_peer_that_says_nothing() -> None:
    limits = Limits(ping_after_s=0.1, pong_within_s=0.1)
    async with (
        serving(URL, "loopback:", limits=limits) as server,
        opening(server.url) as socket,
    ):
        await login(socket)

        for _ in range(3):
            async with server.peer(server.urls[1]) as silent:
                await silent.login("bob")
                await silent.ended()  # after a ping, and no answer

        await tell(socket, logout={})
        answer: dict[str, Any] = {"ping": {}}
        while "ping" in answer:  # a slow machine's peer is asked by the chat as well
            (answer,) = await read_events(socket)
        assert answer == {"id": 1, "loggedOut": {}}


@pytest.mark.rule("W8", "L1")
async def test_a_list_goes_on_only_as_its_peer_reads() -> None:
    count = 40_000
    counting: list[CountingStore] = []

    def over(store: Store) -> Store:
        counting.append(CountingStore(store))
        return cast("Store", counting[0])

    async with serving(URL, over=over) as server:
        for n in range(count):
            await server.store.create_account(
                Username(f"{'a' * 58}{n:06}"), NO_HASH, key=NO_KEY, at_ms=0
            )
        async with (
            opening(server.url, read_ahead=1) as slow,
            server.peer() as other,
        ):
            await login(slow, "slow")
            await other.login("other")

            for _ in range(8):
                await tell(slow, list={})
            for _ in range(200):
                await other.send("other", "time passes")

        whole_walks = 8 * (count // 1000 + 1)
        assert counting[0].walks < whole_walks * 3 // 4


@pytest.mark.rule("W8", "M4")
async def test_mail_stops_at_the_window_of_a_peer_that_acknowledges_nothing() -> None:
    limits = Limits(window_messages=5)
    async with (
        serving(URL, limits=limits) as server,
        opening(server.url) as socket,
        server.peer() as ada,
    ):
        await login(socket, "bob")
        await ada.login("ada")
        await ada.send("bob", *"0123456789")

        positions: list[str] = []
        while len(positions) < 5:
            events = await read_events(socket)
            positions += [it["delivered"]["position"] for it in events]
        await tell(socket, list={})
        after = [kind for it in await read_events(socket) for kind in it]

    assert positions == list("12345")
    assert "delivered" not in after


@pytest.mark.rule("E2", "S3")
async def test_a_close_frame_has_the_code_of_the_last_event() -> None:
    async with serving(URL) as server, opening(server.url) as socket:
        token = (await login(socket))["token"]
        async with opening(server.url) as second:
            await read_events(second)
            await tell(second, resume={"token": token})
            (closing,) = await read_events(socket)
            code, reason = await end_of(socket)

    assert closing["closing"] == {"code": code, "text": reason}
    assert code == CloseCode.RESUMED_ELSEWHERE


@pytest.mark.rule("E2")
@pytest.mark.parametrize("frame", ['{"commands": [', b"\xff\xff", "[]"])
async def test_a_frame_that_cannot_be_read_ends_its_link_with_our_code(
    frame: str | bytes,
) -> None:
    async with serving(URL) as server, opening(server.url) as socket:
        await login(socket)
        await socket.send(frame)

        code, reason = await end_of(socket)

    assert code == CloseCode.BROKEN_FRAME
    assert reason


@pytest.mark.rule("W9")
async def test_a_server_that_stops_closes_with_a_code_to_come_back() -> None:
    async with serving(URL) as server, opening(server.url) as socket:
        await login(socket)
        await server.chat.stop()

        code, _ = await end_of(socket)

    assert code == CloseCode.SHUTTING_DOWN


class CountingStore:
    """A store that counts how often a list walks on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.walks = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def names(
        self, *, prefix: str, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Username]]:
        self.walks += 1
        return await self._store.names(prefix=prefix, after=after, limit=limit)
