"""What each transport was set to in a run, read from the code or from the system."""

import asyncio
import os
import socket
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chatbench.machine import Cores
from chatcore.limits import Limits
from transports.base import LinkSettings, parse_address
from transports.grpc.options import server_options
from transports.websocket.negotiation import connection_options

_SYNCS: Final = 50
_BLOCK: Final = bytes(4096)


def describe_settings(cores: Cores, folder: Path) -> dict[str, str]:
    """Settings by name; those of the databases' disk are of ``folder``."""
    limits = Limits()
    link = LinkSettings(frame_bytes=limits.frame_bytes)
    grpc = _listed(dict(server_options(link)))
    address = parse_address("ws://127.0.0.1:0")
    websocket = _listed(connection_options(address, link))
    return {
        "cores": str(cores),
        "frame limit": f"{limits.frame_bytes} bytes",
        "delivery window": f"{limits.window_messages} messages, "
        f"{limits.window_bytes} bytes",
        "TLS": "none",
        "tcp": f"asyncio sockets, TCP_NODELAY {asyncio.run(_nodelay())}",
        "websocket": f"{websocket}; TCP_NODELAY as tcp",
        "grpc": f"compression=None, {grpc}; TCP_NODELAY as gRPC sets it",
        "sqlite": "WAL, synchronous=FULL, group commit",
        "disk": f"{_file_system(folder)}; fsync of 4 KiB takes "
        f"{_sync_us(folder):.0f} us (median)",
        "passwords": "hashed cheaply, but in the workload logins",
    }


def _listed(options: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


async def _nodelay() -> str:
    """Whether asyncio, on both ends, sends small segments at once."""
    ends: list[asyncio.BaseTransport] = []

    class End(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            ends.append(transport)
            accepted.set()

    accepted = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_connection(End, "127.0.0.1", port)
    own = transport.get_extra_info("socket")
    is_on = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    transport.close()
    server.close()
    await server.wait_closed()
    return "on" if is_on else "off"


def _file_system(folder: Path) -> str:
    """The type of the file system that a folder is on."""
    where = folder.resolve()
    best, kind = Path("/"), "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, found, *_ = line.split(" ")
        point = Path(mount.encode().decode("unicode_escape"))
        if (where == point or point in where.parents) and (
            len(point.parts) >= len(best.parts)
        ):
            best, kind = point, found
    return kind


def _sync_us(folder: Path) -> float:
    """How long the disk takes to say that a small block is on it."""
    path = folder / "sync"
    took_ns: list[int] = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(_SYNCS):
            os.write(descriptor, _BLOCK)
            began_ns = time.perf_counter_ns()
            os.fsync(descriptor)
            took_ns.append(time.perf_counter_ns() - began_ns)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(took_ns) / 1000
