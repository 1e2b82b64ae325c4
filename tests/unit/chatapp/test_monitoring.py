"""Health and metrics by HTTP, from before a server starts until after it stops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from chatapp.connecting import parse_metrics_address
from chatapp.errors import SettingWrong
from chatapp.health import Health
from chatapp.monitoring import Monitoring, monitoring
from chatcore import Chat
from chatcore.errors import StoreUnavailable
from chatcore.ids import IdempotencyKey
from chatcore.model import Deposit
from chatcore.store import DepositResult, KeySpan, MailboxRoom
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from tests.unit.transports.test_http_server import Answer, ask
from transports import connect, serve
from transports.memory_budget import MemoryBudget

PATIENCE_S = 20.0
PASSWORD = "correct horse"


class BrittleStore(MemoryStore):
    """A memory store that fails, or does not answer, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_to_write = False
        self.fails = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def deposit(
        self, deposits: Sequence[Deposit], *, room: MailboxRoom, keys: KeySpan
    ) -> Sequence[DepositResult]:
        if self.fails_to_write:
            raise StoreUnavailable(reason="the disk is full")
        return await super().deposit(deposits, room=room, keys=keys)

    async def horizon(self) -> IdempotencyKey:
        await self.answers.wait()
        if self.fails:
            raise StoreUnavailable(reason="it is down")
        return await super().horizon()


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that is watched."""

    monitor: Monitoring
    store: BrittleStore
    url: str

    async def get(self, path: str) -> Answer:
        """What a path answers now."""
        return await get(self.monitor, path)

    async def until(self, path: str, seen: Callable[[Answer], bool]) -> Answer:
        """What a path answers once it is as awaited."""
        async with asyncio.timeout(PATIENCE_S):
            answer = await self.get(path)
            while not seen(answer):
                answer = await self.get(path)
        return answer


async def get(monitor: Monitoring, path: str) -> Answer:
    """What a path answers now."""
    request = f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n"
    return await ask(monitor.url, request.encode())


def health() -> Health:
    """One that notices soon, and forgives soon."""
    return Health(ask_every_s=0.01, failing_s=0.2, answer_within_s=0.1)


@asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    """A server that accepts, and is watched."""
    store, budget = BrittleStore(), MemoryBudget(1_000_000)
    environment = system_environment(INSECURE_FAST_HASH)
    chat = Chat(store)
    async with (
        monitoring("127.0.0.1", 0, health()) as monitor,
        serve(
            chat, "tcp://127.0.0.1:0", environment=environment, memory_budget=budget
        ) as urls,
    ):
        monitor.begin(chat, urls, budget, environment)
        yield Watched(monitor, store, urls[0])


async def test_before_it_has_started_it_lives_and_is_not_ready() -> None:
    async with monitoring("127.0.0.1", 0) as monitor:
        live = await get(monitor, "/livez")
        ready = await get(monitor, "/readyz")
        metrics = await get(monitor, "/metrics")

    assert (live.status, live.body) == (200, b"alive\n")
    assert (ready.status, ready.body) == (503, b"not ready: it is starting\n")
    assert metrics.status == 503


@pytest.mark.rule("W9")
async def test_it_is_ready_until_it_stops_and_lives_on_meanwhile() -> None:
    async with watched() as server:
        ready = await server.get("/readyz")
        metrics = await server.get("/metrics")
        server.monitor.stop()
        stopping = await server.get("/readyz")
        live = await server.get("/livez")

    assert (ready.status, ready.body) == (200, b"ready\n")
    assert b"chatcore_messages_accepted_total 0.0\n" in metrics.body
    assert (stopping.status, stopping.body) == (503, b"not ready: it is stopping\n")
    assert live.status == 200


async def test_a_store_that_is_down_makes_it_not_ready_until_it_is_back() -> None:
    async with watched() as server:
        server.store.fails = True
        down = await server.until("/readyz", lambda it: it.status == 503)
        metrics = await server.until(
            "/metrics", lambda it: b"chatcore_store_failures_total 0.0" not in it.body
        )
        server.store.fails = False
        back = await server.until("/readyz", lambda it: it.status == 200)

    assert down.body == b"not ready: the store fails\n"
    assert metrics.status == 200
    assert back.body == b"ready\n"


async def test_a_store_that_cannot_write_is_noticed_by_who_tries() -> None:
    async with watched() as server, connect(server.url) as ada:
        await ada.login("ada", PASSWORD, create=True)
        server.store.fails_to_write = True

        with pytest.raises(StoreUnavailable):
            await ada.send("ada", "hello")
        down = await server.get("/readyz")
        back = await server.until("/readyz", lambda it: it.status == 200)

    assert down.body == b"not ready: the store fails\n"
    assert back.body == b"ready\n"


async def test_a_store_that_does_not_answer_makes_it_not_ready() -> None:
    async with watched() as server:
        server.store.answers.clear()
        down = await server.until("/readyz", lambda it: it.status == 503)
        server.store.answers.set()
        back = await server.until("/readyz", lambda it: it.status == 200)

    assert down.body == b"not ready: the store does not answer\n"
    assert back.status == 200


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9400", ("127.0.0.1", 9400)),
        ("0", ("127.0.0.1", 0)),
        ("0.0.0.0:9400", ("0.0.0.0", 9400)),  # noqa: S104  # what is asked for
        ("[::1]:9400", ("::1", 9400)),
        ("localhost:9400", ("localhost", 9400)),
    ],
)
def test_an_address_is_a_port_or_a_host_and_a_port(
    text: str, address: tuple[str, int]
) -> None:
    assert parse_metrics_address(text) == address


@pytest.mark.parametrize(
    "text",
    [":9400", "here", "here:", "::1:9400", "[::1]", "1:70000", "[]:1", "1:²", "-1"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingWrong, match=r"HOST:PORT, such as 127\.0\.0\.1:9400"):
        parse_metrics_address(text)
