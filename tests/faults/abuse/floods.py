"""Writing the same kind of thing over several links, for as long as the server lets."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from chatbench.wire.connection import CannotOpen
from tests.faults.abuse.intruders import Intruder, intruder
from tests.faults.abuse.targets import MIB, Findings, Target

TINY: Final = 4096
"""A receive buffer that holds next to nothing, so that the server has to."""
_NICENESS: Final = 10
_AGAIN_S: Final = 0.05

Content = Callable[[int], bytes]


def give_way() -> None:
    """Let the server and the bystander come first where they share processors with
    us.
    """
    os.nice(_NICENESS)


async def flood(
    target: Target,
    contents: Sequence[Content],
    *,
    names: Callable[[int], str] = lambda _: "",
    codec: str = "protobuf",
    raw: bool = False,
    times: int = 1,
    reads: bool = True,
) -> Findings:
    """A link for each of ``contents``, which writes that as long as it goes, each frame
    so many ``times`` at once.

    One that the server ends is opened again. With ``names`` they are logged in. Those
    that do not read take nothing from the first frame on.
    """
    findings = Findings()
    links: list[Intruder] = []
    until_s = target.deadline_s()
    share = target.bytes // len(contents)

    async def pour(index: int, content: Content) -> None:
        written = 0
        while time.monotonic() < until_s and written < share:
            with suppress(CannotOpen, OSError):  # TimeoutError is one
                async with intruder(
                    target,
                    codec=codec,
                    source=f"127.0.0.{2 + index % 8}",
                    receive_bytes=0 if reads else TINY,
                    name=names(index),
                ) as link:
                    links.append(link)
                    if reads:
                        link.be_deaf()
                    else:
                        link.stop_reading()
                    write = link.flood_raw if raw else partial(link.flood, times=times)
                    await write(content, until_s, most_bytes=share - written)
                    written += link.written
                    if not link.ended:
                        await _until_all(until_s)
            await asyncio.sleep(_AGAIN_S)

    await together(pour(index, content) for index, content in enumerate(contents))
    tell(findings, links)
    return findings


async def _until_all(until_s: float) -> None:
    """Stay on the link until the attack is over."""
    await asyncio.sleep(max(until_s - time.monotonic(), 0.0))


async def together(running: Iterable[Awaitable[None]]) -> None:
    """Wait for all of them; one whose link cannot be had is no fault of the others."""

    async def one(awaited: Awaitable[None]) -> None:
        try:
            await awaited
        except (CannotOpen, OSError):  # TimeoutError is one
            return

    async with asyncio.TaskGroup() as tasks:
        for awaited in running:
            tasks.create_task(one(awaited))


def tell(findings: Findings, links: Sequence[Intruder]) -> None:
    """Note what the links wrote, and how many the server has ended."""
    findings.figures |= {
        "links": len(links),
        "ended": sum(link.ended != "" for link in links),
        "written_mib": round(sum(link.written for link in links) / MIB, 2),
    }
    for code in sorted({link.closing for link in links} - {0}):
        number = sum(link.closing == code for link in links)
        findings.figures[f"closed_{code}"] = number


def constant(frame: bytes) -> Content:
    """The same frame each time."""
    return lambda _: frame
