"""The server's process: a chat on SQLite with a trap in it, told what to do in lines.

``python -m tests.moving.server STORE_URL LOOP`` runs on the event loop of this name,
splits its frames (``tests.faults.splitting``), says ``loaded`` on standard output and
then takes lines on standard input until its end:

- ``open free|barred URL…``: serve on these URLs; ``ready URL…`` once it accepts;
- ``arm POINT WAY MARK``: see ``failpoints``; ``armed``, and ``there SCHEME`` at the
  point;
- ``fire``: do it there; ``fired`` if there is still somebody to say so.
"""

import asyncio
import sys
from collections.abc import Mapping
from typing import cast

from chatcore import Chat
from chatcore.store import Store
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from tests.conformance.loops import LOOPS
from tests.faults.splitting import splitting_transports
from tests.moving.failpoints import Failpoint, FailpointStore, FailpointTransport
from tests.moving.link_ends import TRANSPORTS, Point, Way
from transports import register_transport, serve
from transports.base import Transport


def say(line: str) -> None:
    """Tell the test something."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def take_orders(store_url: str) -> None:
    """Load what is needed, say so, and do as the lines say until their end."""
    splitting = splitting_transports("")
    transports = {it: splitting[it] for it in TRANSPORTS.values()}
    say("loaded")
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    try:
        await serve_as_told(store_url, orders, transports)
    finally:
        pipe.close()


async def serve_as_told(
    store_url: str,
    orders: asyncio.StreamReader,
    transports: Mapping[str, Transport],
) -> None:
    """Serve as the first line says, and set the trap as the others do."""
    _, doors, *urls = (await orders.readline()).decode().split() or ("", "", "")
    if not doors:
        return  # it was not needed
    failpoint = Failpoint(say, is_barred=doors == "barred")
    for scheme, transport in transports.items():
        register_transport(scheme, FailpointTransport(transport, failpoint))
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
    with asyncio.Runner(loop_factory=LOOPS[sys.argv[2]]) as runner:
        runner.run(take_orders(sys.argv[1]))
