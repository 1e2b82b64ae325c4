"""What connections that never log in make gRPC hold: the server's memory, measured.

Run it as ``PYTHONPATH=src python -m benchmarks.grpc_memory``: it starts ``chatcore
serve`` for each row. All peers come from this machine, and limits by address leave
loopback out: it is what several addresses could do together.
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias

from tests.unit.transports.grpc import http2
from tests.unit.transports.grpc.http2 import connecting, message_of

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_CONVERSE: Final = "/chat.v1.Chat/Converse"
_SETTLE_S: Final = 1.0
_RETURN_S: Final = 3.0

Attack: TypeAlias = Callable[[AsyncExitStack, int], Awaitable[None]]


async def bare(stack: AsyncExitStack, port: int) -> None:
    """1,000 connections that say nothing."""
    for _ in range(1000):
        await stack.enter_async_context(connecting(port, says=b""))


async def idle(stack: AsyncExitStack, port: int) -> None:
    """1,000 HTTP/2 connections without a call."""
    for _ in range(1000):
        connection = await stack.enter_async_context(connecting(port))
        await connection.read_until(http2.SETTINGS)


async def unread(stack: AsyncExitStack, port: int) -> None:
    """200 unary calls, each a byte short of 32 KiB."""
    await _short(stack, port, "/chat.v1.Chat/Login", 32 * _KIB)


async def short_calls(stack: AsyncExitStack, port: int) -> None:
    """200 unary calls, each a byte short of 1 MiB."""
    await _short(stack, port, "/chat.v1.Chat/Login", _MIB)


async def short_frames(stack: AsyncExitStack, port: int) -> None:
    """200 streams, each a byte short of a frame of 1 MiB."""
    await _short(stack, port, _CONVERSE, _MIB)


async def short_frames_of_one(stack: AsyncExitStack, port: int) -> None:
    """200 such streams on one connection."""
    await _short(stack, port, _CONVERSE, _MIB, connections=1)


ATTACKS: Final[tuple[Attack, ...]] = (
    bare,
    idle,
    unread,
    short_calls,
    short_frames,
    short_frames_of_one,
)


async def _short(
    stack: AsyncExitStack, port: int, path: str, size: int, connections: int = 200
) -> None:
    part = message_of(os.urandom(size))[:-1]
    opened = [
        await stack.enter_async_context(connecting(port)) for _ in range(connections)
    ]

    async def send(number: int) -> None:
        connection, stream = (
            opened[number % connections],
            1 + 2 * (number // connections),
        )
        await connection.call(stream, path)
        try:
            async with asyncio.timeout(5):
                await connection.send(stream, part)
        except TimeoutError:
            pass  # the server takes no more of it

    if connections == 1:
        for number in range(200):
            await send(number)
    else:
        async with asyncio.TaskGroup() as tasks:
            for number in range(200):
                tasks.create_task(send(number))


@asynccontextmanager
async def _serving() -> AsyncIterator[tuple[int, int]]:
    """A server in a process of its own: its id and its port."""
    command = (sys.executable, "-m", "chatapp", "serve", "--store", "memory:")
    listen = ("--listen", "grpc://127.0.0.1:0", "--log-level", "error")
    server = await asyncio.create_subprocess_exec(
        *command, *listen, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        ready = (await server.stdout.readline()).decode().split()
        yield server.pid, int(ready[-1].rpartition(":")[2])
    finally:
        server.kill()
        await server.wait()


def _memory_mib(pid: int, field: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / _KIB
    raise LookupError(field)


async def _measure(attack: Attack) -> tuple[float, float, float]:
    """Memory before, at its peak, and once the peers are gone, in MiB."""
    async with _serving() as (pid, port):
        before = _memory_mib(pid)
        async with AsyncExitStack() as stack:
            await attack(stack, port)
            await asyncio.sleep(_SETTLE_S)
        await asyncio.sleep(_RETURN_S)
        return before, _memory_mib(pid, "VmHWM"), _memory_mib(pid)


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="rows; all if absent")
    chosen = parser.parse_args().names
    http2.WITHIN_S = 60.0  # they are many
    print(f"Python {platform.python_version()}, grpcio {version('grpcio')}")
    print(f"{'MiB of the server':56} before   peak  after")
    for attack in ATTACKS:
        if chosen and attack.__name__ not in chosen:
            continue
        figures = asyncio.run(_measure(attack))
        title = (attack.__doc__ or "").rstrip(".")
        print(f"{title:56} " + "".join(f"{it:7.0f}" for it in figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
