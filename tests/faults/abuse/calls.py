"""Attacks by gRPC's calls and HTTP/2's frames."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from chatbench.wire.http2 import FrameType, Setting, settings, written
from tests.faults.abuse.channels import Channel, channel
from tests.faults.abuse.intruders import descriptors, holds_within
from tests.faults.abuse.payloads import costly_name
from tests.faults.abuse.targets import MIB, Findings, Target
from transports.codec._generated import chat_pb2 as pb

CALLS_SECONDS: Final = 12.5
"""The 10 s within which somebody has to log in, and some time to be told."""
_WATCH: Final = "/grpc.health.v1.Health/Watch"
_REFLECTION: Final = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_CONVERSE: Final = "/chat.v1.Chat/Converse"
_CREATE: Final = "/chat.v1.Chat/CreateAccount"
_WATCHES: Final = 6000
_WATCHES_LEFT: Final = 1000
_A_CHANNEL: Final = 1000
_CHANNELS: Final = 300


async def health_watches(target: Target) -> Findings:
    """6,000 watches of the server's health over six channels, without a login."""
    findings = Findings()
    async with AsyncExitStack() as stack:
        channels = await _channels(stack, target, _WATCHES // _A_CHANNEL)
        for one in channels:
            await _call_often(one, _WATCH, b"", _A_CHANNEL, ends=True)
        await asyncio.sleep(target.seconds)
        running = sum(one.running for one in channels if one.is_open)
        findings.figures |= {"watches": _WATCHES, "running": running}
        findings.expect(
            met=running <= _WATCHES_LEFT,
            otherwise=f"{running} watches of the health run on without a login.",
        )
    return findings


async def silent_converse(target: Target) -> Findings:
    """1,000 streams on one channel on which nobody logs in."""
    findings = Findings()
    async with AsyncExitStack() as stack:
        (one,) = await _channels(stack, target, 1)
        await _call_often(one, _CONVERSE, None, _A_CHANNEL, ends=False)
        await holds_within(lambda: one.running == 0, target.seconds)
        findings.figures |= {"streams": one.streams, "running": one.running}
        findings.expect(
            met=one.running == 0,
            otherwise=f"{one.running} streams without a login run on after "
            f"{target.seconds:.1f} s.",
        )
    return findings


async def idle_channels(target: Target) -> Findings:
    """300 channels without a call."""
    findings = Findings()
    before = descriptors(target.pid)
    async with AsyncExitStack() as stack:
        channels = await _channels(stack, target, _CHANNELS)
        await asyncio.sleep(target.seconds)
        findings.figures |= {
            "channels": len(channels),
            "open": sum(one.is_open for one in channels),
            "descriptors_more": descriptors(target.pid) - before,
        }
    return findings


async def reflection_flood(target: Target) -> Findings:
    """The server's schema is asked for again and again over one stream and many."""

    async def turn(one: Channel) -> None:
        # ServerReflectionRequest: field 4, a symbol; and field 7, all services.
        for message in (b"\x22\x0cchat.v1.Chat", b"\x3a\x01*"):
            one.call(_REFLECTION, message, ends=True)

    return await _turns(target, 4, turn)


async def costly_unary_names(target: Target) -> Findings:
    """``CreateAccount`` with names that take long to prepare, as unary calls."""
    create = pb.Create(username=costly_name(64), password="x" * 8).SerializeToString()

    async def turn(one: Channel) -> None:
        one.call(_CREATE, create, ends=True)

    return await _turns(target, 4, turn)


async def rapid_reset(target: Target) -> Findings:
    """Calls that are cancelled as soon as they are made (CVE-2023-44487)."""

    async def turn(one: Channel) -> None:
        one.reset(one.call(_CONVERSE, None, ends=False))

    return await _turns(target, 4, turn, most_running=1 << 30)


async def http2_pings(target: Target) -> Findings:
    """HTTP/2's own pings and settings, each of which has an answer."""
    frames = written(FrameType.PING, 0, 0, bytes(8)) * 50
    frames += settings({Setting.INITIAL_WINDOW_SIZE: 65_535}) * 50

    async def turn(one: Channel) -> None:
        one.transport.write(frames)

    return await _turns(target, 4, turn)


async def unknown_methods(target: Target) -> Findings:
    """Calls of methods that nobody serves."""

    async def turn(one: Channel) -> None:
        one.call("/chat.v9.Chat/Dance", b"", ends=True)

    return await _turns(target, 4, turn)


async def _channels(
    stack: AsyncExitStack, target: Target, number: int
) -> Sequence[Channel]:
    opened: list[Channel] = []
    for index in range(number):
        entering = channel(target, f"127.0.0.{2 + index % 8}")
        try:
            opened.append(await stack.enter_async_context(entering))
        except OSError:
            continue
    return opened


async def _call_often(
    one: Channel, path: str, message: bytes | None, times: int, *, ends: bool
) -> None:
    for number in range(times):
        if one.is_lost:
            return
        one.call(path, message, ends=ends)
        if not number % 50:
            await asyncio.sleep(0)


async def _turns(
    target: Target,
    number: int,
    turn: Callable[[Channel], Awaitable[None]],
    *,
    most_running: int = 200,
) -> Findings:
    """Some channels do the same again and again; one that is ended is opened anew."""
    findings = Findings()
    until_s = target.deadline_s()
    turns: list[int] = []

    async def repeat(index: int) -> None:
        count = opened = 0
        while time.monotonic() < until_s:
            try:
                async with channel(target, f"127.0.0.{2 + index}") as one:
                    opened += 1
                    while one.is_open and not one.goaway:
                        if time.monotonic() >= until_s:
                            break
                        waiting = one.transport.get_write_buffer_size()
                        if waiting > MIB or one.running >= most_running:
                            await asyncio.sleep(0.002)
                            continue
                        await turn(one)
                        count += 1
                        if not count % 20:
                            await asyncio.sleep(0)
            except OSError:
                pass
            await asyncio.sleep(0.05)
        turns.append(count)

    async with asyncio.TaskGroup() as tasks:
        for index in range(number):
            tasks.create_task(repeat(index))
    findings.figures["turns"] = sum(turns)
    return findings
