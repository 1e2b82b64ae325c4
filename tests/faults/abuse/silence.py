"""Attacks by peers that take nothing and will not go (S5, B1)."""

import asyncio
import time
from typing import Final

from chatbench.wire.connection import CannotOpen
from chatbench.wire.http2 import END_STREAM, FrameType, written
from chatcore.commands import List, Pong, Request
from tests.faults.abuse.floods import TINY, constant, tell
from tests.faults.abuse.intruders import Intruder, holds_within, intruder
from tests.faults.abuse.payloads import one, sends
from tests.faults.abuse.targets import Findings, Target
from tests.faults.abuse.wires import ShutGrpcWire

PING_AFTER_S: Final = 2
PONG_WITHIN_S: Final = 2
LIMITS: Final = {
    "ping_after_s": str(PING_AFTER_S),
    "pong_within_s": str(PONG_WITHIN_S),
}
SECONDS: Final = 9.0
"""Time for the server to notice, twice over."""
_NAME: Final = "intruder"
_ANSWER_S: Final = 5.0
_BODY: Final = "x" * 8192


async def peers_that_take_nothing(target: Target) -> Findings:
    """Three who never read: one sends on, one says pong, one has closed its half."""
    findings = Findings()
    until_s = target.deadline_s()
    async with (
        intruder(target, name="sender", receive_bytes=TINY) as sender,
        intruder(target, name="ponger", receive_bytes=TINY) as ponger,
        intruder(target, name="halved", receive_bytes=TINY) as halved,
        intruder(target, name="accomplice") as accomplice,
    ):
        links = {"sender": sender, "ponger": ponger, "halved": halved}
        for link in links.values():
            link.stop_reading()
        accomplice.be_deaf()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_go_on_sending(sender, target, until_s))
            mail = constant(sends("ponger", 2, body=_BODY * 7))
            tasks.create_task(accomplice.flood(mail, until_s, most_bytes=64 << 20))
            tasks.create_task(_knock(ponger, one(Pong(), 0), until_s))
            tasks.create_task(_close_its_half(halved, until_s))
        tell(findings, list(links.values()))
        for name in links:
            await _expect_detached(target, findings, name)
    return findings


def _asking(name: str) -> bytes:
    """Sends to oneself, and more that are refused at a length that soon fills what the
    kernel holds for a peer: 4 MiB, where tcp(7) has its defaults.
    """
    return sends(name, 16) + sends("n" * 64, 240)


async def _go_on_sending(link: Intruder, target: Target, until_s: float) -> None:
    content = constant(_asking("sender"))
    await link.flood(content, until_s, most_bytes=target.bytes)
    await _knock(link, sends("sender", 1), until_s)


async def _close_its_half(link: Intruder, until_s: float) -> None:
    """Ask for more than it takes, and say that this was all."""
    content = constant(_asking("halved"))
    await link.flood(content, time.monotonic() + 1.0, most_bytes=4 << 20)
    if isinstance(link.wire, ShutGrpcWire):
        link.write_raw(written(FrameType.DATA, END_STREAM, 1, b""))
    elif link.is_open:
        link.wire.transport.write_eof()
    await _until(until_s)


async def reads_a_byte_a_second(target: Target) -> Findings:
    """Has a mailbox full of large messages, and takes next to nothing of them.

    It does take something, so it may stay; what it holds is bounded.
    """
    findings = Findings()
    async with (
        intruder(target, name=_NAME, receive_bytes=TINY) as link,
        intruder(target, name="accomplice") as sender,
    ):
        link.stop_reading()
        sender.be_deaf()
        until_s = target.deadline_s()
        async with asyncio.TaskGroup() as tasks:
            mail = constant(sends(_NAME, 2, body=_BODY * 7))
            tasks.create_task(sender.flood(mail, until_s, most_bytes=96 << 20))
            tasks.create_task(_sip(link, until_s))
        tell(findings, [link, sender])
    return findings


async def _sip(link: Intruder, until_s: float) -> None:
    """Read a little each second, where the socket is what is not read."""
    while link.is_open and time.monotonic() < until_s:
        if not isinstance(link.wire, ShutGrpcWire):
            link.wire.transport.resume_reading()
            await asyncio.sleep(0)
            link.stop_reading()
        await asyncio.sleep(1.0)


async def lists_unread(target: Target) -> Findings:
    """Eight lists at once, whose pages nobody reads, from four peers."""
    findings = Findings()
    links: list[Intruder] = []
    until_s = target.deadline_s()
    async with asyncio.TaskGroup() as tasks:
        for index in range(4):
            tasks.create_task(_list_unread(target, f"peer{index}", links, until_s))
    tell(findings, links)
    return findings


async def _list_unread(
    target: Target, name: str, links: list[Intruder], until_s: float
) -> None:
    async with intruder(target, name=name, receive_bytes=TINY) as link:
        links.append(link)
        link.stop_reading()
        lists = constant(one(List(), 7) * 64)
        await link.flood(lists, until_s, most_bytes=target.bytes // 4)
        await _until(until_s)


async def _knock(link: Intruder, frame: bytes, until_s: float) -> None:
    """Write a frame each tenth of a second."""
    while link.is_open and time.monotonic() < until_s:
        link.write(frame)
        await asyncio.sleep(0.1)


async def _until(until_s: float) -> None:
    await asyncio.sleep(max(until_s - time.monotonic(), 0.0))


async def _expect_detached(target: Target, findings: Findings, name: str) -> None:
    """Somebody else must not see the attacker's account online."""
    is_online = await _sees_online(target, name)
    findings.figures[f"{name}_online"] = float(is_online)
    findings.expect(
        met=not is_online,
        otherwise=f"The {name}, who takes nothing, is attached after "
        f"{target.seconds:.0f} s; the silence limit was {PING_AFTER_S} + "
        f"{PONG_WITHIN_S} s.",
    )


async def _sees_online(target: Target, name: str) -> bool:
    """Whether a list shows this account online; True when there is no answer."""
    try:
        async with intruder(target, source="127.0.0.1", name="observer") as observer:
            request = Request(9, List(f"{name}*"))
            observer.write(observer.codec.encode_commands([request]))
            await holds_within(lambda: name in dict(observer.names), _ANSWER_S)
            return dict(observer.names).get(name, True)
    except (CannotOpen, TimeoutError):
        return True
