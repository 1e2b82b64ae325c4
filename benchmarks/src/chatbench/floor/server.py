"""A server that is not plain ``chatcore serve``: ``python -m chatbench.floor.server``.

It says ``ready URL`` on standard output once it accepts, on a port of its own, and ends
in order on SIGTERM, as ``chatcore serve`` does. Passwords are hashed cheaply: a login
only opens what is measured. With ``--echo``, ``--single`` asks for nothing more: who
sends single frames gets single frames back.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chatbench.floor.changed import Change, changed_url
from chatbench.floor.echo import echoing
from chatbench.floor.planted import UnknownPlant, planted
from chatbench.floor.single import single
from chatcore import Chat
from chatstores import open_store
from chatsystem import (
    INSECURE_FAST_HASH,
    allow_many_sockets,
    loop_factory,
    system_environment,
)
from transports import serve
from transports.registry import SCHEMES

"""The URL scheme of each transport."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it; the exit status."""
    parser = argparse.ArgumentParser(prog="chatbench.floor.server", description=__doc__)
    parser.add_argument("--transport", choices=SCHEMES, required=True)
    parser.add_argument("--store", default="memory:", metavar="URL")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--echo", action="store_true", help="no chat: frames go back")
    parser.add_argument("--single", action="store_true", help="one event a frame")
    parser.add_argument("--plant", metavar="cpu_us=N", help="CPU burned a message")
    chosen = parser.parse_args(arguments)
    if chosen.echo and chosen.plant:
        parser.error("--plant costs what is read, and --echo reads nothing")
    changes: list[Change] = []
    try:
        if chosen.plant:
            changes.append(planted(chosen.plant))
    except UnknownPlant as unknown:
        parser.error(str(unknown))
    if chosen.single:
        changes.append(single)
    allow_many_sockets()
    url = f"{SCHEMES[chosen.transport]}://127.0.0.1:0"
    serving = (
        echoing(url) if chosen.echo else _chatting(chosen.store, url, tuple(changes))
    )
    with asyncio.Runner(loop_factory=loop_factory(chosen.loop)) as runner:
        runner.run(_run(serving))
    return 0


async def _run(serving: AbstractAsyncContextManager[str]) -> None:
    """Serve, tell, and wait for a signal."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving as url:
        print(f"ready {url}", flush=True)  # noqa: T201  # this is for programs
        await stop.wait()


@asynccontextmanager
async def _chatting(
    store_url: str, url: str, changes: tuple[Change, ...]
) -> AsyncIterator[str]:
    """The product's own server, on a transport with these changes."""
    environment = system_environment(INSECURE_FAST_HASH)
    changed = changed_url(url, *changes)
    async with (
        open_store(store_url) as store,
        serve(Chat(store), changed, environment=environment) as (served,),
    ):
        yield served


if __name__ == "__main__":
    sys.exit(main())
