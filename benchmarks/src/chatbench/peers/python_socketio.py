"""python-socketio: a 1:1 relay of ours on it, over WebSocket alone.

It is no chat server but the library that many would build one with, so the relay is as
little as a chat needs: it knows who is who, passes a message on, and acknowledges it.
The library is not among our dependencies: where it and aiohttp are importable, it runs.
"""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chatbench.peers.program import PeerProgram


def _is_installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("socketio", "aiohttp"))


def _version() -> str:
    return importlib.metadata.version("python-socketio")


def _prepare(folder: Path, port: int) -> Sequence[str]:
    del folder  # it keeps nothing
    return [sys.executable, "-m", "chatbench.peers.socketio_relay", str(port)]


PYTHON_SOCKETIO: Final = PeerProgram(
    name="python-socketio",
    transport="socketio",
    codec="json",
    store="none",
    acknowledged=True,
    stored=False,
    synced=False,
    how_to_install="pip install python-socketio aiohttp",
    is_installed=_is_installed,
    version=_version,
    prepare=_prepare,
)
