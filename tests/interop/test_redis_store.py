"""The example store over a real Redis: what only a store over a network can meet.

All that every store has to do is asked of it by ``--store-module``; here its link to
Redis breaks, before a commit and after it, and Redis itself refuses.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatcore.store import Stored
from chatstores import STORES, open_store
from chatstores.errors import BadStoreUrl, StoreInUse
from tests.stores import StoreKind, StoreServer, kind_of
from tests.unit.chatstores.store_driver import StoreDriver, key, positions

pytestmark = pytest.mark.external

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = ROOT / "examples" / "redis_store.py"


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> StoreKind:
    monkeypatch.setattr(STORES, "registered", {})
    return kind_of(EXAMPLE)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="chatcore-") as name:  # a socket's path is short
        yield Path(name)


@pytest.fixture
def redis(kind: StoreKind, folder: Path) -> Iterator[StoreServer]:
    with kind.running(folder) as server:
        assert server is not None
        yield server


@pytest.fixture
async def relay(redis: StoreServer) -> AsyncIterator["Relay"]:
    async with asyncio.TaskGroup() as tasks:
        relay = Relay(redis.folder, tasks)
        listening = await asyncio.start_unix_server(relay.accept, relay.path)
        yield relay
        listening.close()
        relay.cut()


class Relay:
    """Stands between a store and Redis, and cuts the link at a commit.

    Attributes:
        cuts: ``request`` or ``answer``: what of the next commit is lost with the link.
    """

    def __init__(self, folder: Path, tasks: asyncio.TaskGroup) -> None:
        self.path = folder / "relay.sock"
        self._redis = folder / "redis.sock"
        self._tasks = tasks
        self._open: list[asyncio.StreamWriter] = []
        self.cuts = ""

    @property
    def url(self) -> str:
        return f"redis:///{self.path}"

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    def accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self._tasks.create_task(self._forward(reader, near))

    async def _forward(
        self, reader: asyncio.StreamReader, near: asyncio.StreamWriter
    ) -> None:
        from_redis, far = await asyncio.open_unix_connection(self._redis)
        self._open += [near, far]
        with suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far, lost="request"))
                both.create_task(self._pump(from_redis, near, lost="answer"))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, lost: str
    ) -> None:
        while received := await reader.read(2**16):
            if self.cuts == lost:
                self.cuts = ""
                self.cut()
                return
            writer.write(received)
        writer.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[StoreDriver]:
    async with open_store(url) as store:
        yield StoreDriver(store)


@pytest.mark.rule("M1", "M2")
@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_deposit_whose_link_is_lost_is_stored_once_when_it_is_repeated(
    relay: Relay, lost: str
) -> None:
    async with opened(relay.url) as driver:
        ada = await driver.register("ada")
        relay.cuts = lost

        with pytest.raises(OutcomeUnknown):
            await driver.send(ada, "ada", "once", under=key(1))
        (again,) = await driver.send(ada, "ada", "once", under=key(1))

        assert isinstance(again, Stored)
        assert (again.position, again.new) == (1, lost == "request")
        assert await driver.bodies(ada) == ["once"]
        assert positions(await driver.send(ada, "ada", "next")) == [2]


async def test_who_waits_with_a_lost_link_is_told_and_others_are_served(
    relay: Relay,
) -> None:
    async with opened(relay.url) as driver:
        ada = await driver.register("ada")
        relay.cuts = "answer"

        lost = await asyncio.gather(
            *(driver.send(ada, "ada", str(it), under=key(it)) for it in range(3)),
            return_exceptions=True,
        )

        assert [type(it) for it in lost] == [OutcomeUnknown] * 3
        assert await driver.queued(ada) == 3


async def test_while_redis_is_gone_nothing_is_changed_and_then_it_goes_on(
    redis: StoreServer, kind: StoreKind, folder: Path
) -> None:
    async with opened(kind.url_in(folder)) as driver:
        ada = await driver.register("ada")
        redis.kill()
        with pytest.raises((OutcomeUnknown, StoreUnavailable)):
            await driver.send(ada, "ada", "first")

        with pytest.raises(StoreUnavailable):
            await driver.send(ada, "ada", "second")
        redis.start()

        assert await driver.bodies(ada) == []
        assert positions(await driver.send(ada, "ada", "third")) == [1]


@pytest.mark.usefixtures("redis")
async def test_a_redis_without_memory_refuses_and_changes_nothing(
    kind: StoreKind, folder: Path
) -> None:
    async with opened(kind.url_in(folder)) as driver:
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "read")
        await command(folder, "CONFIG SET maxmemory 1")

        with pytest.raises(StoreUnavailable, match="maxmemory"):
            await driver.send(ada, "ada", "too much", under=key(1))

        assert await driver.bodies(ada) == ["read"]
        driver.acknowledge(ada, 1)
        await driver.store.flush()
        await command(folder, "CONFIG SET maxmemory 0")
    async with opened(kind.url_in(folder)) as driver:
        assert await driver.bodies(ada) == []  # what gives room back was taken
        assert positions(await driver.send(ada, "ada", "hi", under=key(1))) == [2]


@pytest.mark.usefixtures("redis")
async def test_a_second_process_is_refused_and_one_that_was_killed_keeps_nobody_out(
    kind: StoreKind, folder: Path
) -> None:
    url = kind.url_in(folder)
    async with opened(url) as driver:
        await driver.register("ada")
        with pytest.raises(StoreInUse):
            async with open_store(url):
                pass
        async with open_store(f"{url}?prefix=another") as other:
            assert await other.sessions() == []
    died = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.interop.test_redis_store", url), cwd=ROOT
    )
    status = await died.wait()

    async with open_store(url) as store:
        names = [name for _, name in await store.names(prefix="", after="", limit=9)]

    assert status == -signal.SIGKILL
    assert names == ["ada", "bob"]


async def test_who_has_been_replaced_commits_nothing_more_over_any_link(
    redis: StoreServer, kind: StoreKind, folder: Path
) -> None:
    async with opened(kind.url_in(folder)) as driver:
        ada = await driver.register("ada")
        await command(folder, "SET chat:link another")

        with pytest.raises(StoreUnavailable, match="another process"):
            await driver.send(ada, "ada", "late")
        redis.kill()
        redis.start()

        for refusal in (OutcomeUnknown, StoreUnavailable, StoreUnavailable):
            with pytest.raises(refusal):
                await driver.send(ada, "ada", "later")


@pytest.mark.usefixtures("redis")
async def test_a_redis_that_does_not_sync_is_not_called_durable(
    kind: StoreKind, folder: Path
) -> None:
    await command(folder, "CONFIG SET appendfsync everysec")

    async with open_store(kind.url_in(folder)) as store:
        assert not store.durable


async def test_where_no_redis_is_the_store_is_not_opened(
    kind: StoreKind, folder: Path
) -> None:
    with pytest.raises(BadStoreUrl):
        async with open_store(kind.url_in(folder)):
            pass


async def command(folder: Path, line: str) -> None:
    """Have Redis do something, as an operator would."""
    reader, writer = await asyncio.open_unix_connection(folder / "redis.sock")
    writer.write(f"{line}\r\n".encode())
    answer = await reader.readline()
    writer.close()
    assert answer[:1] in {b"+", b":"}, answer


async def die_with(url: str) -> None:
    """Be killed while a store is open."""
    kind_of(EXAMPLE)
    async with opened(url) as driver:
        await driver.register("bob")
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(die_with(sys.argv[1]))
