"""The server's process: a chat on SQLite with a trap in it, told what to do in lines.

``python -m tests.moving.server STORE_URL [TRANSPORT_MODULE]`` splits its frames
(``tests.faults.splitting``) and takes lines on standard input until its end:

- ``open LOOP free|barred URL…``: serve on these URLs, on the event loop of this name;
  ``ready URL…`` once it accepts;
- ``arm POINT WAY MARK``: see ``failpoints``; ``armed``, and ``there SCHEME`` at the
  point;
- ``fire``: do it there; ``fired`` if there is still somebody to say so.

Who serves is a child: after it ``ended STATUS`` is said, and the next ``open`` forks
another. Most of a restart would be imports, and those are done once, before the first
fork; no thread runs here, nor an event loop.
"""

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from chatcore import Chat
from chatcore.store import Store
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from tests.conformance.loops import LOOPS
from tests.faults.splitting import splitting_transports
from tests.moving.failpoints import Failpoint, FailpointStore, FailpointTransport
from tests.moving.link_ends import TRANSPORTS, Point, Way
from transports import register_transport, registry, serve

_STDIN: Final = 0
_LOADED: Final = (
    *dict.fromkeys(registry.TRANSPORTS.built_in.values()),
    "transports.grpc.server",
    "chatstores.sqlite",
)
"""What a server imports when it is first asked for."""


def say(line: str) -> None:
    """Tell the test something."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_line() -> list[str]:
    """The words of the next line, and nothing of what is behind it."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(_STDIN, 1)):
        line += byte
    return line.decode().split()


def live_again_and_again(store_url: str) -> int:
    """Fork for each life until the end of all lines; how the last one ended.

    Returns in each child too, once that has lived.
    """
    for module in _LOADED:
        import_module(module)
    status = 0
    while words := read_line():
        child = os.fork()
        if not child:
            _, loop, doors, *urls = words
            with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                runner.run(take_orders(store_url, doors, urls))
            return 0
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.set_blocking(_STDIN, True)  # the child's event loop has left it otherwise
        say(f"ended {status}")
    return status


async def take_orders(store_url: str, doors: str, urls: list[str]) -> None:
    """Do as the lines say until their end."""
    splitting = splitting_transports("")
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    try:
        failpoint = Failpoint(say, is_barred=doors == "barred")
        for scheme in {*TRANSPORTS.values(), *registry.TRANSPORTS.registered}:
            trapped = FailpointTransport(splitting[scheme], failpoint)
            register_transport(scheme, trapped)
        await serve_as_told(store_url, urls, orders, failpoint)
    finally:
        pipe.close()


async def serve_as_told(
    store_url: str,
    urls: list[str],
    orders: asyncio.StreamReader,
    failpoint: Failpoint,
) -> None:
    """Serve on these URLs, and set the trap as the lines say."""
    cheap = system_environment(HashSettings(memory_kib=8, passes=1))
    async with open_store(store_url) as store:
        chat = Chat(cast("Store", FailpointStore(store, failpoint)))
        async with serve(chat, *urls, environment=cheap) as listening:
            say(" ".join(["ready", *listening]))
            while words := (await orders.readline()).decode().split():
                match words:
                    case ["arm", point, way, mark]:
                        failpoint.arm(Point(point), Way(way), mark)
                        say("armed")
                    case ["fire"]:
                        failpoint.fire()
                    case _:
                        raise ValueError(words)
            failpoint.fire()  # a cell that failed may have left something held


if __name__ == "__main__":
    for path in sys.argv[2:]:
        from tests.conformance.options import (
            load_transport,  # it needs pytest, most runs do not
        )

        load_transport(Path(path))
    sys.exit(live_again_and_again(sys.argv[1]))
