"""Others' servers under the same loop, where they are installed.

A peer is loaded as ours are: the same pairs, bodies and messages in flight, refilled on
delivery, each delivery acknowledged by its recipient and each send by the server. What
differs is what a server promises by its acknowledgement, and that is what a row says
first; rows rank only among equal promises:

=============== ============ ====== ====== =========================================
peer            acknowledged stored synced what its acknowledgement is
=============== ============ ====== ====== =========================================
ejabberd        yes          no     no     ``<a/>`` of XEP-0198: it has handled it
Prosody         yes          no     no     ``<a/>`` of XEP-0198: it has handled it
Mosquitto       yes          no     no     ``PUBACK``: it is in the recipient's
                                           session, which is saved every 30 minutes
python-socketio yes          no     no     the callback: the relay has passed it on
=============== ============ ====== ====== =========================================

None of them writes a message to a file before it acknowledges it while the recipient
is online, so their rows stand beside our ``memory`` and not beside our ``sqlite``.

Each runs as Debian (or PyPI) ships it, with what keeps it from being loaded at all
taken out (TLS, limits of the rate, ports of other services); the modules ``ejabberd``,
``prosody``, ``mosquitto`` and ``python_socketio`` say what was changed and why.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, create_connection, socket
from typing import Final

from chatbench.cells import Contestant
from chatbench.children import Child, running
from chatbench.errors import ChildFailed
from chatbench.peers.ejabberd import EJABBERD, EJABBERD_WITHOUT_BUSY_WAITING
from chatbench.peers.mosquitto import MOSQUITTO
from chatbench.peers.program import PeerProgram, Unavailable
from chatbench.peers.prosody import PROSODY
from chatbench.peers.python_socketio import PYTHON_SOCKETIO
from chatbench.results import Peer

PEERS: Final[dict[str, PeerProgram]] = {
    program.name: program
    for program in (
        EJABBERD,
        EJABBERD_WITHOUT_BUSY_WAITING,
        PROSODY,
        MOSQUITTO,
        PYTHON_SOCKETIO,
    )
}
"""By the name of the contestant."""

_HOST: Final = "127.0.0.1"
_START_S: Final = 30.0
_LOOK_AGAIN_S: Final = 0.02


def installed_peers() -> list[Contestant]:
    """Those that can be run here; what is not installed is not among them."""
    return [program.contestant for program in PEERS.values() if program.is_installed()]


def peer_program(name: str) -> PeerProgram:
    """The peer of this name.

    Raises:
        Unavailable: there is none, or it is not installed.
    """
    if name not in PEERS:
        raise Unavailable(f"No peer is called {name}; there are {', '.join(PEERS)}.")
    program = PEERS[name]
    if not program.is_installed():
        raise Unavailable(f"{name} is not installed: {program.how_to_install}.")
    return program


def peer_promise(name: str) -> Peer:
    """What a peer promises, and the version that the installed program tells.

    Raises:
        Unavailable: there is none of this name, or it is not installed.
    """
    program = peer_program(name)
    return Peer(
        name=name,
        version=program.version(),
        acknowledged=program.acknowledged,
        stored=program.stored,
        synced=program.synced,
    )


@contextmanager
def peer_server(
    contestant: Contestant, folder: Path, core: int | None
) -> Iterator[tuple[str, int]]:
    """A fresh server of a peer while the block runs: its URL, once it accepts, and pid.

    All its files are in ``folder``; it listens on the loopback address alone. The pid
    is of the process whose clock counts: each runs in the foreground, without a shell
    between. Its accounts are made by the sessions that log in.

    Raises:
        Unavailable: it is not installed.
        ChildFailed: it ended, or does not accept in time.
    """
    program = peer_program(contestant.twin_of or contestant.name)
    port = _free_port()
    command = program.prepare(folder, port)
    name = f"the server of {contestant.name}"
    with running(name, command, core=core, log=folder / "server.log") as child:
        _wait_until_it_accepts(child, name, port)
        yield f"{program.contestant.transport}://{_HOST}:{port}", child.pid


def _free_port() -> int:
    """A port that nobody has now; none of them tells the port it took for 0."""
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_accepts(child: Child, name: str, port: int) -> None:
    """Try until somebody listens; none of them says so on a pipe."""
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s:
        if child.has_ended():
            raise ChildFailed(name, child.last_words())
        with suppress(OSError), create_connection((_HOST, port), timeout=1.0):
            return
        time.sleep(_LOOK_AGAIN_S)
    raise ChildFailed(name, f"it did not accept within {_START_S:g} s")
