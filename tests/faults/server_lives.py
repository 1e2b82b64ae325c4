"""Servers in forks of one process that has imported them: ``python -m`` this module.

An argument is the file of a store that is not ours: see ``tests.stores``.

A line on standard input is what follows ``chatcore`` in one life of a server whose
frames come apart (``splitting``). Its child says ``pid N``, and then what the command
says. When it has ended, however that was, ``ended STATUS`` is said, and the next line
may come. Most of a restart would be imports, which are done once before the first fork.
No thread and no event loop runs in the process that forks.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from chatapp.cli import main
from tests.faults.splitting import splitting_transports
from tests.stores import kind_of
from transports import register_transport

_LOADED: Final = ("chatapp.serve", "chatstores.sqlite", "transports.tcp")
"""What a server on TCP with a file imports when it is first asked for."""


def say(line: str) -> None:
    """Tell whoever has started this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def live_again_and_again() -> int:
    """Fork for each line until there are no more; returns in each child, too."""
    for module in _LOADED:
        import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
            say(f"pid {os.getpid()}")
            for scheme, transport in splitting_transports("").items():
                register_transport(scheme, transport)
            return main(line.split())
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")
    return 0


if __name__ == "__main__":
    for file in sys.argv[1:]:
        kind_of(Path(file))
    sys.exit(live_again_and_again())
