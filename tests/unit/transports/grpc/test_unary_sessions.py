"""The session of unary calls: shared while they run, detached between them (W4)."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import cast

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError

from chatcore import Limits
from chatcore.errors import CloseCode
from chatcore.ids import Position, TokenHash
from chatcore.model import OpenedSession
from chatcore.store import Store
from tests.interop.servers import PASSWORD, Server, serving
from tests.unit.transports.grpc.stub import (
    URL,
    WITHIN_S,
    Stub,
    calling,
    number_of,
    read_mail,
    until_offline,
)
from transports.base import Link, LinkSettings
from transports.codec import Codec
from transports.codec._generated import chat_pb2 as pb
from transports.deferred_calls import DeferredCalls
from transports.driver import Driver
from transports.errors import LinkClosed
from transports.fair_scheduler import FairScheduler
from transports.grpc.peers import Caller
from transports.grpc.session_calls import SessionCalls
from transports.memory_budget import MemoryBudget
from transports.rate_limited_log import RateLimitedLog


@pytest.mark.rule("W4", "S6")
async def test_calls_of_one_session_at_the_same_time_do_not_fence_each_other() -> None:
    async with serving(URL) as server, calling(server) as one, calling(server) as two:
        token = (await one.login("ada")).token
        await one.send(token, "ada", "zero")
        delivering = one.deliver(token)
        await read_mail(delivering, 1)

        async with asyncio.TaskGroup() as tasks:
            for n in range(40):
                stub = one if n % 2 else two
                tasks.create_task(stub.send(token, "ada", str(n)))
                tasks.create_task(stub.names(token))
        await two.acknowledge(token, 1)

        assert (await delivering.read()) == pb.Event(
            delivery_finished=pb.DeliveryFinished(messages=1)
        )


@pytest.mark.rule("W4", "S3")
async def test_a_session_is_attached_only_while_one_of_its_calls_runs() -> None:
    async with serving(URL) as server, calling(server) as stub:
        ada, eve = (await stub.login("ada")).token, (await stub.login("eve")).token
        await until_offline(stub, "ada")
        await stub.send(ada, "ada", "hello")

        call = stub.deliver(ada)
        await read_mail(call, 1)
        during = await stub.names(eve)
        call.cancel()
        await until_offline(stub, "ada")

        assert during == {"ada": True, "eve": True, "watcher": False}


@pytest.mark.rule("W4", "S3")
async def test_a_session_lives_its_grace_time_from_its_last_call() -> None:
    async with (
        serving(URL, limits=Limits(grace_s=100)) as server,
        calling(server) as stub,
    ):
        token = (await stub.login("ada")).token

        for _ in range(3):
            await pass_time(server, stub, 80)
            await stub.send(token, "ada", "still here")
        await pass_time(server, stub, 101)
        with pytest.raises(AioRpcError) as gone:
            await stub.send(token, "ada", "too late")

    assert gone.value.code() is StatusCode.UNAUTHENTICATED
    assert number_of(gone.value) == 205


@pytest.mark.rule("W4", "S3")
async def test_a_session_moves_from_calls_to_a_stream_and_back() -> None:
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "one")

        async with server.peer() as peer:
            await peer.resume(token)
            await peer.send("ada", "two")
        await stub.send(token, "ada", "three")
        mail = await read_mail(stub.deliver(token), 3)

        assert [it.body for it in mail] == ["one", "two", "three"]


@pytest.mark.rule("S3", "W4")
async def test_a_call_takes_its_session_from_a_stream_that_has_it() -> None:
    async with (
        serving(URL) as server,
        calling(server) as stub,
        server.peer() as peer,
    ):
        token = (await peer.login("ada")).token

        await stub.send(token, "ada", "from a call")
        closing = await peer.closed()

        assert closing.code is CloseCode.RESUMED_ELSEWHERE


@pytest.mark.rule("S3", "W4")
async def test_a_stream_takes_its_session_from_a_call_that_runs() -> None:
    async with (
        serving(URL) as server,
        calling(server) as stub,
        server.peer() as peer,
    ):
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "hello")
        call = stub.deliver(token)
        await read_mail(call, 1)

        await peer.resume(token)
        with pytest.raises(AioRpcError) as fenced:
            await call.read()

        assert fenced.value.code() is StatusCode.FAILED_PRECONDITION
        assert number_of(fenced.value) == CloseCode.RESUMED_ELSEWHERE
        assert await peer.send("ada", "mine now")


@pytest.mark.rule("W4", "M4")
async def test_a_deadline_that_passes_leaves_nothing_behind() -> None:
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "hello")

        call = stub.deliver(token, timeout=0.2)
        await read_mail(call, 1)
        during = tasks_of_calls()
        with pytest.raises(AioRpcError) as passed:
            await call.read()

        assert passed.value.code() is StatusCode.DEADLINE_EXCEEDED
        assert during
        async with asyncio.timeout(WITHIN_S):
            while tasks_of_calls():  # noqa: ASYNC110  # a task's end sets no event
                await asyncio.sleep(0)
        (again,) = await read_mail(stub.deliver(token), 1)
        assert again.body == "hello"


@pytest.mark.rule("W4", "E2")
async def test_a_deadline_that_passes_while_the_server_is_slow_harms_nobody() -> None:
    change = pb.ChangePassword(old="not the one", new="battery staple")
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        server.passwords.hold()

        with pytest.raises(AioRpcError) as passed:
            await stub.call(
                "ChangePassword", change, pb.PasswordChanged, token=token, timeout=0.2
            )
        await stub.send(token, "ada", "meanwhile")
        server.passwords.release()

        assert passed.value.code() is StatusCode.DEADLINE_EXCEEDED
        await stub.send(token, "ada", "and after")


@pytest.mark.rule("M4", "W4")
async def test_a_delivery_that_its_caller_cancels_leaves_the_mail_queued() -> None:
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "one", "two", "three")

        call = stub.deliver(token)
        await read_mail(call, 1)
        call.cancel()
        await until_offline(stub, "ada")

        assert (await stub.login("ada")).queued == 3


@pytest.mark.rule("M4", "W4")
async def test_mail_that_a_cancelled_call_had_comes_again_to_the_next() -> None:
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "one", "two", "three")
        first = stub.deliver(token)
        await read_mail(first, 3)
        second = stub.deliver(token)  # keeps the session on its link
        await read_mail(second, 3)

        await stub.acknowledge(token, 1)
        first.cancel()
        third = stub.deliver(token)
        mail = await read_mail(third, 2)

        assert [it.body for it in mail] == ["two", "three"]
        assert [it.follows for it in mail] == [1, 2]
        second.cancel()
        third.cancel()


@pytest.mark.rule("A6", "W4")
async def test_calls_do_not_join_others_by_a_token_from_before_a_new_password() -> None:
    change = pb.ChangePassword(old=PASSWORD, new="battery staple")
    async with serving(URL) as server, calling(server) as stub:
        old = (await stub.login("ada")).token
        await stub.send(old, "ada", "hello")
        running = stub.deliver(old)  # keeps the session on its link
        await read_mail(running, 1)

        changed = await stub.call(
            "ChangePassword", change, pb.PasswordChanged, token=old
        )
        with pytest.raises(AioRpcError) as refused:
            await stub.send(old, "ada", "from a thief")
        await stub.acknowledge(changed.token, 1)

        assert number_of(refused.value) == 205
        assert await running.read() == pb.Event(
            delivery_finished=pb.DeliveryFinished(messages=1)
        )


@pytest.mark.rule("W4")
async def test_a_call_that_is_cancelled_while_it_resumes_harms_no_other() -> None:
    held: list[HeldStore] = []

    def over(store: Store) -> Store:
        held.append(HeldStore(store))
        return cast("Store", held[0])

    async with serving(URL, over=over) as server, server.peer() as peer:
        token = (await peer.login("ada")).token
        async with asyncio.TaskGroup() as tasks:
            sessions = sessions_of(server, tasks)

            async def acknowledge_nothing() -> bool:
                async with sessions.use(token, Caller("somebody", "", ())) as calls:
                    await calls.acknowledge(pb.Acknowledge())
                return True

            held[0].hold()
            first = tasks.create_task(acknowledge_nothing())
            await held[0].asked.wait()
            second = tasks.create_task(acknowledge_nothing())
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.sleep(0)
            held[0].release()

    assert first.cancelled()
    assert second.result()
    assert held[0].resumes == 1


@pytest.mark.rule("W4", "S3")
async def test_a_call_does_not_join_others_whose_session_has_moved_on() -> None:
    async with serving(URL) as server, server.peer() as peer:
        token = (await peer.login("ada")).token
        async with asyncio.TaskGroup() as tasks:
            sessions = sessions_of(server, tasks)
            async with sessions.use(token, Caller("the first", "", ())) as calls:
                await calls.acknowledge(pb.Acknowledge())
                async with server.peer() as other:
                    await other.resume(token)
                with pytest.raises(LinkClosed) as moved:
                    await calls.acknowledge(pb.Acknowledge())

                async with sessions.use(token, Caller("the second", "", ())) as fresh:
                    await fresh.acknowledge(pb.Acknowledge())
                async with sessions.use(token, Caller("the third", "", ())) as fresh:
                    await fresh.acknowledge(pb.Acknowledge())

    assert moved.value.code is CloseCode.RESUMED_ELSEWHERE


@pytest.mark.rule("W4", "W9")
async def test_calls_of_a_session_go_on_while_nobody_else_is_let_in() -> None:
    async with serving(URL) as server, server.peer() as peer:
        token = (await peer.login("ada")).token
        async with asyncio.TaskGroup() as tasks:
            sessions = sessions_of(server, tasks)
            async with sessions.use(token, Caller("the first", "", ())) as calls:
                sessions.stop_accepting()

                await calls.acknowledge(pb.Acknowledge())
                async with sessions.use(token, Caller("the second", "", ())) as joined:
                    await joined.acknowledge(pb.Acknowledge())
                with pytest.raises(LinkClosed) as late:
                    async with sessions.use(b"", Caller("a newcomer", "", ())):
                        pass

    assert joined is calls
    assert late.value.code is CloseCode.SHUTTING_DOWN


def sessions_of(server: Server, tasks: asyncio.TaskGroup) -> SessionCalls:
    """Calls on the server's chat, without gRPC around them."""

    async def serve_link(link: Link, codec: Codec) -> None:
        memory_budget = MemoryBudget(server.chat.limits.held_bytes)
        log = RateLimitedLog(logging.getLogger(__name__))
        await Driver(
            server.chat,
            link,
            codec,
            memory_budget,
            FairScheduler(),
            log,
            DeferredCalls(0),
        ).run()

    def spawn(work: Coroutine[object, None, None]) -> None:
        tasks.create_task(work)

    return SessionCalls(
        serve_link, spawn, LinkSettings(frame_bytes=server.chat.limits.frame_bytes)
    )


def tasks_of_calls() -> list[str]:
    """What the server runs for links and calls now."""
    names = [str(task.get_coro()) for task in asyncio.all_tasks()]
    return [it for it in names if "_guard" in it or "_handle_rpc" in it]


async def pass_time(server: Server, stub: Stub, seconds: float) -> None:
    """Let a session that nobody uses wait so long."""
    await until_offline(stub, "ada")
    server.clock.advance(seconds)
    await server.chat.tick()


class HeldStore:
    """A store that resumes no session while a test holds it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._free = asyncio.Event()
        self._free.set()
        self.asked = asyncio.Event()
        self.resumes = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    async def resume_session(
        self, token_hash: TokenHash, *, last_seen: Position
    ) -> OpenedSession | None:
        self.resumes += 1
        self.asked.set()
        await self._free.wait()
        return await self._store.resume_session(token_hash, last_seen=last_seen)
