"""Each metric is seen to move, on each transport, by a scrape of a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chatapp.metrics import CONTENT_TYPE
from chatapp.monitoring import Monitoring, monitoring
from chatbench.contestants import TRANSPORTS
from chatcore import (
    Chat,
    Client,
    Handlers,
    HttpWebhooks,
    MessageStored,
    NoSuchRecipient,
    WebhookSettings,
    parse_webhook_secrets,
)
from chatcore.ports import Environment, Passwords
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from tests.faults.abuse.intruders import Intruder, intruder
from tests.faults.abuse.payloads import logouts
from tests.faults.abuse.targets import Target
from tests.faults.abuse.websocket_frames import ws_frame
from tests.unit.transports.http.asking import link_to, request
from tests.unit.transports.test_http_server import ask
from tests.webhook_receiver import SECRET, receiving
from transports import connect, serve
from transports.memory_budget import MemoryBudget
from transports.registry import SCHEMES

PATIENCE_S = 20.0
PASSWORD = "correct horse"
URLS = {
    "tcp": "tcp://127.0.0.1:0",
    "ws": "ws://127.0.0.1:0",
    "grpc": "grpc://127.0.0.1:0",
    "http": "http://127.0.0.1:0",
    "loopback": "loopback:seen",
}
Samples = Mapping[tuple[str, str], float]
"""Each sample by its name and its labels, as ``key=value,key=value``."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A server whose metrics can be scraped."""

    monitor: Monitoring
    environment: Environment
    url: str

    async def scrape(self) -> Samples:
        """All samples, as Prometheus reads them."""
        answer = await ask(
            self.monitor.url, b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
        )
        assert answer.status == 200
        assert answer.headers["content-type"] == CONTENT_TYPE
        return {
            (
                sample.name,
                ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items())),
            ): sample.value
            for family in text_string_to_metric_families(answer.body.decode())
            for sample in family.samples
        }

    async def until(self, seen: Callable[[Samples], bool]) -> Samples:
        """A scrape in which it is as awaited."""
        async with asyncio.timeout(PATIENCE_S):
            samples = await self.scrape()
            while not seen(samples):
                samples = await self.scrape()
        return samples


@asynccontextmanager
async def seen_server(
    scheme: str,
    folder: Path,
    *,
    handlers: Handlers | None = None,
    webhooks: HttpWebhooks | None = None,
) -> AsyncIterator[Seen]:
    """A server on one transport over a file."""
    hashing = HashSettings(memory_kib=8, passes=1, workers=1)
    environment, budget = system_environment(hashing), MemoryBudget(1_000_000)
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        monitor = await enter(monitoring("127.0.0.1", 0))
        store = await enter(open_store(f"sqlite:///{folder}/chat.db"))
        chat = Chat(store, handlers=handlers or Handlers(), webhooks=webhooks)
        urls = await enter(
            serve(chat, URLS[scheme], environment=environment, memory_budget=budget)
        )
        monitor.begin(chat, urls, budget, environment)
        yield Seen(monitor, environment, urls[0])


async def leave_without_a_word(url: str) -> None:
    """Log in and lose the link."""
    with suppress(LookupError):
        async with connect(url) as carol:
            await carol.login("carol", PASSWORD, create=True)
            raise LookupError


async def converse(ada: Client, bob: Client) -> None:
    """Two messages are acknowledged, four wait, one is refused."""
    await ada.send_all([("bob", "1"), ("bob", "2"), ("bob", "3")])
    messages = bob.messages()
    for _ in range(3):
        await anext(messages)  # which acknowledges the one before
    await ada.send_all([("carol", "1"), ("carol", "2"), ("carol", "3")])
    with pytest.raises(NoSuchRecipient):
        await ada.send("nobody", "hello")


MOVED = (
    # sample, labels ({} is the transport), by how much at the least
    ("chatcore_sessions", "state=attached,transport={}", 2),
    ("chatcore_sessions", "state=detached,transport=", 1),
    ("chatcore_connections", "transport={}", 2),
    ("chatcore_connections_opened_total", "transport={}", 3),
    ("chatcore_messages_accepted_total", "", 6),
    ("chatcore_messages_delivered_total", "", 3),
    ("chatcore_messages_acknowledged_total", "", 2),
    ("chatcore_messages_waiting", "", 4),
    ("chatcore_store_commit_seconds_count", "", 5),
    ("chatcore_store_commit_seconds_sum", "", 1e-9),
    ("chatcore_store_commit_seconds_bucket", "le=+Inf", 5),
    ("chatcore_store_commit_rows_count", "", 5),
    ("chatcore_store_commit_rows_sum", "", 10),
    ("chatcore_refusals_total", "code=300,name=NO_SUCH_RECIPIENT", 1),
)


SEEN_BESIDE = {
    "chatcore_connections_held_bytes",
    "chatcore_passwords_waiting",
    "chatcore_event_loop_delay_seconds",
    "chatcore_store_failures",  # test_monitoring.py
    "chatcore_handlers_dropped",
}
"""Metrics that tests of their own see move."""


def families(samples: Samples) -> set[str]:
    """What the samples belong to; the process's own are prometheus_client's."""
    parts = ("_total", "_count", "_sum", "_bucket", "_created")
    names = {name for name, _ in samples if not name.startswith("process_")}
    for part in parts:
        names = {it.removesuffix(part) for it in names}
    return names


async def test_no_metric_is_exposed_that_no_test_sees_move(tmp_path: Path) -> None:
    async with seen_server("tcp", tmp_path) as server:
        exposed = families(await server.scrape())

    moved: Samples = {(name, labels): least for name, labels, least in MOVED}
    assert exposed == families(moved) | SEEN_BESIDE


@pytest.mark.parametrize("scheme", URLS)
async def test_each_metric_moves_with_what_happens(scheme: str, tmp_path: Path) -> None:
    async with seen_server(scheme, tmp_path) as server:
        before = await server.scrape()
        await leave_without_a_word(server.url)
        async with connect(server.url) as ada, connect(server.url) as bob:
            await ada.login("ada", PASSWORD, create=True)
            await bob.login("bob", PASSWORD, create=True)
            await converse(ada, bob)
            # An acknowledgement is committed with the next transaction (M4).
            after = await server.until(
                lambda it: (
                    it["chatcore_messages_waiting", ""] == 4
                    and it["chatcore_connections", f"transport={scheme}"] == 2
                    and it["chatcore_event_loop_delay_seconds_count", ""] >= 2
                )
            )
        left = await server.until(
            lambda it: it["chatcore_connections", f"transport={scheme}"] == 0
        )

    for name, labels, least in MOVED:
        key = (name, labels.format(scheme))
        assert after[key] - before[key] >= least, key
    assert after["chatcore_messages_accepted_total", ""] == 6
    assert after["chatcore_sessions", f"state=attached,transport={scheme}"] == 2
    assert left["chatcore_sessions", f"state=attached,transport={scheme}"] == 0
    delays = ("chatcore_event_loop_delay_seconds_count", "")
    assert after[delays] > before[delays]
    assert left["process_cpu_seconds_total", ""] > 0
    assert left["process_resident_memory_bytes", ""] > 0


def hold(link: Intruder, transport: str) -> None:
    """Have the server keep what it cannot do anything with: a part of a frame, or
    answers that are not taken on gRPC, which shows no parts.
    """
    match transport:
        case "tcp":
            link.write_raw((20_000).to_bytes(4) + bytes(10_000))
        case "websocket":
            link.write_raw(ws_frame(0x82, bytes(20_000))[:10_000])
        case _:
            link.stop_reading()
            link.write(logouts(1000), times=20)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_bytes_that_are_held_are_seen(transport: str, tmp_path: Path) -> None:
    held = ("chatcore_connections_held_bytes", "")
    async with seen_server(SCHEMES[transport], tmp_path) as server:
        target = Target(url=server.url, transport=transport, pid=0, seconds=PATIENCE_S)
        before = await server.scrape()
        async with intruder(target) as link:
            hold(link, transport)
            during = await server.until(lambda it: it[held] > 0)
        after = await server.until(lambda it: it[held] == 0)

    assert before[held] == after[held] == 0
    assert during[held] >= 4096


async def test_bytes_that_are_held_of_a_request_are_seen(tmp_path: Path) -> None:
    held = ("chatcore_connections_held_bytes", "")
    async with seen_server("http", tmp_path) as server:
        async with link_to(server.url) as (link, _, asking):
            length = "Content-Length: 20000"
            head = request("POST", "/chat/frames", link.header, length)
            await asking.write(head + bytes(10_000))
            during = await server.until(lambda it: it[held] > 0)
        after = await server.until(lambda it: it[held] == 0)

    assert after[held] == 0
    assert during[held] >= 4096


async def test_events_that_no_handler_came_to_are_seen(tmp_path: Path) -> None:
    dropped = ("chatcore_handlers_dropped_total", "")
    let_go = asyncio.Event()

    async def wait(_: Sequence[MessageStored]) -> None:
        await let_go.wait()

    handlers = Handlers(stored=wait, held_bytes=0)
    async with (
        seen_server("tcp", tmp_path, handlers=handlers) as server,
        connect(server.url) as ada,
    ):
        await ada.login("ada", PASSWORD, create=True)
        before = await server.scrape()
        for body in ("is handled", "waits", "is dropped"):
            await ada.send("ada", body)
        after = await server.until(lambda it: it[dropped] > 0)
        let_go.set()

    assert (before[dropped], after[dropped]) == (0, 1)


async def test_webhooks_are_seen_as_they_wait_and_go(tmp_path: Path) -> None:
    names = ("waiting", "failed", "sent_total", "refused_total")
    seen: list[list[float]] = []
    async with receiving(is_open=False) as receiver:
        webhooks = HttpWebhooks(
            [receiver.url],
            secrets=parse_webhook_secrets(SECRET),
            settings=WebhookSettings(attempts=1),
        )
        receiver.answer = lambda it: 200 if it.position == 1 else 500
        async with (
            seen_server("tcp", tmp_path, webhooks=webhooks) as server,
            connect(server.url) as ada,
        ):
            await ada.login("ada", PASSWORD, create=True)
            await ada.send_all([("ada", "is taken"), ("ada", "is not")])
            waiting = ("chatcore_webhooks_waiting", "")
            for is_there in (lambda it: it[waiting] == 2, lambda it: not it[waiting]):
                samples = await server.until(is_there)
                seen.append([samples[f"chatcore_webhooks_{it}", ""] for it in names])
                receiver.is_open.set()

    assert seen == [[2, 0, 0, 0], [0, 1, 1, 1]]


async def test_passwords_that_wait_are_seen(tmp_path: Path) -> None:
    waiting = ("chatcore_passwords_waiting", "")
    is_seen = asyncio.Event()

    async def hash_until_seen(passwords: Passwords) -> None:
        while not is_seen.is_set():
            await passwords.hash(PASSWORD, address="")

    async with seen_server("tcp", tmp_path) as server:
        before = await server.scrape()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(16):
                tasks.create_task(hash_until_seen(server.environment.passwords))
            during = await server.until(lambda it: it[waiting] > 0)
            is_seen.set()
        after = await server.until(lambda it: it[waiting] == 0)

    assert before[waiting] == after[waiting] == 0
    assert 0 < during[waiting] <= 16


async def test_no_label_says_who_or_from_where(tmp_path: Path) -> None:
    async with seen_server("tcp", tmp_path) as server, connect(server.url) as ada:
        await ada.login("ada", PASSWORD, create=True)
        await ada.send("ada", "hello")
        samples = await server.scrape()

    labels = {pair for _, text in samples for pair in text.split(",") if pair}
    names = {it.partition("=")[0] for it in labels}
    assert names == {"state", "transport", "le", "code", "name"}
    assert not [it for it in labels if "ada" in it or "127.0.0.1" in it]
