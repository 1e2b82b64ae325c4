"""What the harness knows of another's server: how to find it, start it, and its word.

Each module beside this one that is named after a server holds one value or two of it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatbench.cells import Contestant
from chatbench.errors import BenchError

_SYSTEM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where servers are, and which the PATH of an ordinary user may lack."""
_ANSWER_S: Final = 20.0


class Unavailable(BenchError):
    """A peer that was asked for cannot be run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerProgram:
    """One of others' servers, in one setting.

    Attributes:
        name: of its contestant.
        transport: its protocol: ``xmpp``, ``mqtt`` or ``socketio``; its URL's scheme.
        codec: how that writes a message.
        store: where a message is between its acknowledgement and its delivery.
        acknowledged: whether the server tells the sender that it took a message.
        stored: whether it has written the message to a file by then.
        synced: whether it has synced that file by then.
        how_to_install: a command, for whoever has not got it.
        is_installed: whether all that it needs is here.
        version: as the installed program tells it.
        prepare: writes its settings into a folder, for a port, and gives the command
            that runs it in the foreground.
    """

    name: str
    transport: str
    codec: str
    store: str
    acknowledged: bool
    stored: bool
    synced: bool
    how_to_install: str
    is_installed: Callable[[], bool]
    version: Callable[[], str]
    prepare: Callable[[Path, int], Sequence[str]]

    @property
    def contestant(self) -> Contestant:
        """It as a contestant; each message is a frame of its own in these protocols."""
        return Contestant(
            name=self.name,
            transport=self.transport,
            codec=self.codec,
            store=self.store,
            server="peer",
            framing="single",
        )


def executable(name: str) -> str | None:
    """Where a program is, also one for the system's administrator."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    return shutil.which(name, path=path)


def required(name: str) -> str:
    """Where a program is that must be there.

    Raises:
        Unavailable: it is not.
    """
    found = executable(name)
    if found is None:
        raise Unavailable(f"The program {name} was not found.")
    return found


def answer_of(command: Sequence[str]) -> str:
    """All that a program says when it is asked, whatever status it ends with.

    Raises:
        Unavailable: it does not start, or does not end.
    """
    try:
        done = subprocess.run(  # noqa: S603  # a program that the user installed
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_ANSWER_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} does not tell its version: {error}") from error
    return done.stdout.decode(errors="replace")
