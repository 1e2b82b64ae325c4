"""Attacks by what a server keeps of frames that never get whole."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Final

from tests.faults.abuse.floods import tell
from tests.faults.abuse.intruders import Intruder, intruders
from tests.faults.abuse.targets import MIB, Findings, Target
from tests.faults.abuse.websocket_frames import ws_frame
from tests.faults.abuse.wires import ShutGrpcWire

_LINKS: Final = 500


async def short_of_a_frame(target: Target) -> Findings:
    """500 connections, each one byte short of a frame, before login.

    Half of the frames are of the largest size that is read, and half of 1 MiB.
    """
    return await _held(target, is_logged_in=False)


async def short_of_a_frame_in(target: Target) -> Findings:
    """500 connections, each one byte short of the largest frame, after login."""
    return await _held(target, is_logged_in=True)


async def _held(target: Target, *, is_logged_in: bool) -> Findings:
    findings = Findings()
    async with AsyncExitStack() as stack:
        links = await intruders(
            stack,
            target,
            _LINKS,
            names=(lambda index: f"peer{index}") if is_logged_in else lambda _: "",
        )
        for number, link in enumerate(links):
            is_told = is_logged_in or number % 2 == 0
            size = link.frame_bytes if is_told and link.frame_bytes else MIB
            if isinstance(link.wire, ShutGrpcWire):
                link.wire.write_short(bytes(size))
            else:
                link.write_raw(_unfinished_on(target.transport, size))
            await asyncio.sleep(0)
        await _taken(links, target.deadline_s())
        tell(findings, links)
        left = sum(link.ahead_bytes for link in links)
        findings.figures["not_taken_mib"] = round(left / MIB, 1)
    return findings


async def _taken(links: list[Intruder], until_s: float) -> None:
    """Wait until the server has taken what it takes, and a while longer."""
    while time.monotonic() < until_s:
        await asyncio.sleep(0.05)
        if not any(link.ahead_bytes for link in links if link.is_open):
            break
    await asyncio.sleep(1.0)


def _unfinished_on(transport: str, size: int) -> bytes:
    """A frame of this size without its last byte."""
    if transport == "tcp":
        return size.to_bytes(4) + bytes(size - 1)
    return ws_frame(0x82, bytes(size))[:-1]
