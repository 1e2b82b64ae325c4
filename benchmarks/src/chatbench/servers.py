"""The server of a contestant: a fresh process on its core, over a fresh store.

The product's own server runs as anybody would run it, but for passwords, which are
hashed cheaply unless hashing is what is measured. What ``chatcore serve`` cannot do
(echo, one message a frame, a planted cost) runs from ``floor.server``.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatbench.cells import Cell, Contestant
from chatbench.children import Child, running
from chatbench.errors import ChildFailed
from chatbench.peers import peer_server

_START_S: Final = 20.0
_DATABASE: Final = "chat.db"


@dataclass(frozen=True, slots=True)
class StartedServer:
    """A server on its way: ``wait`` until it accepts."""

    name: str
    child: Child

    @property
    def pid(self) -> int:
        """The process whose CPU time and memory count."""
        return self.child.pid

    def wait(self) -> str:
        """Its URL, once it accepts.

        Raises:
            ChildFailed: it does not.
        """
        line = self.child.read_line(_START_S)
        if line.startswith("metrics "):  # which comes before, or with it
            line = line.partition("\n")[2] or self.child.read_line(_START_S)
        word, _, url = line.partition(" ")
        if word != "ready" or not url:
            raise ChildFailed(self.name, self.child.last_words())
        return url


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """Another's server, which accepts already."""

    url: str
    pid: int

    def wait(self) -> str:
        """Its URL."""
        return self.url


@contextmanager
def start_server(
    cell: Cell, folder: Path, core: int | None, *, accounts: Path | None = None
) -> Iterator[StartedServer | RunningPeer]:
    """The server of a cell while the block runs, its files in ``folder``.

    ``accounts`` is a database prepared beforehand, of which it gets a copy.

    Raises:
        ChildFailed: a peer did not start; ours say so in ``wait``.
    """
    contestant = cell.contestant
    if contestant.server == "peer":
        with peer_server(contestant, folder, core) as (url, pid):
            yield RunningPeer(url, pid)
        return
    if accounts is not None:
        shutil.copyfile(accounts, folder / _DATABASE)
    name = f"the server of {contestant.name}"
    command = command_of(cell, folder)
    with running(name, command, core=core, log=folder / "server.log") as child:
        yield StartedServer(name, child)


def store_url(contestant: Contestant, folder: Path) -> str:
    """Where the server of a contestant keeps what it is sent."""
    if ":" in contestant.store:
        return contestant.store.replace("{folder}", str(folder))
    if contestant.store == "sqlite":
        return f"sqlite:///{folder / _DATABASE}"
    return "memory:"


def command_of(cell: Cell, folder: Path) -> list[str]:
    """What starts the server of a cell, where it is one of ours."""
    contestant = cell.contestant
    is_special = (
        contestant.server == "echo"
        or contestant.framing == "single"
        or contestant.planted is not None
    )
    module = ["chatbench.floor.server"] if is_special else ["chatapp", "serve"]
    command = [sys.executable, "-m", *module]
    if is_special:
        command += _common(contestant, folder)
        command += ["--echo"] if contestant.server == "echo" else []
        command += ["--single"] if contestant.framing == "single" else []
        command += ["--plant", contestant.planted] if contestant.planted else []
        return command
    return [*command, *serve_flags(cell, folder)]


def serve_flags(cell: Cell, folder: Path) -> list[str]:
    """What follows ``chatcore serve``."""
    flags = [*_common(cell.contestant, folder), "--port", "0", "--log-level", "warning"]
    if cell.contestant.plugin:
        flags += ["--plugin", cell.contestant.plugin]
    if cell.workload.name != "logins":
        flags += ["--insecure-fast-hash"]
    return flags


def _common(contestant: Contestant, folder: Path) -> list[str]:
    flags = ["--transport", contestant.transport, "--loop", contestant.loop]
    return [*flags, "--store", store_url(contestant, folder)]
