"""The matrix: each transport with each codec that it carries, over each store.

A transport joins by a line in ``TRANSPORTS``, a store by one in ``STORES``. A test
takes a ``cell`` and says over which of them it runs:

- ``each_cell``: over the whole matrix;
- ``each_wire``: each transport and codec, over memory: what no store can change;
- ``each_transport``: each transport with its first codec, over memory: timing;
- ``each_store``: loopback with its first codec, over each store: what no wire changes;
- ``each_durable_store``: the same, over stores that outlive their server;
- ``over("tcp")``: one transport with each codec, over memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from transports.codec import CODECS


class Carried(NamedTuple):
    """Where a transport listens, and the codecs that it carries."""

    listens: str
    codecs: Sequence[str]


TRANSPORTS: Final[Mapping[str, Carried]] = {
    "loopback": Carried("loopback:", CODECS),
    "tcp": Carried("tcp://127.0.0.1:0", CODECS),
    "websocket": Carried("ws://127.0.0.1:0", CODECS),
    "grpc": Carried("grpc://127.0.0.1:0", ("protobuf",)),
}

STORES: Final[Mapping[str, str]] = {
    "memory": "memory:",
    "sqlite": "sqlite:///{folder}/chat.db",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place in the matrix.

    Attributes:
        transport: by its name in ``TRANSPORTS``.
        codec: by its name.
        store: by its name in ``STORES``.
        folder: its test's own.
        listens: the URL to serve on.
    """

    transport: str
    codec: str
    store: str
    folder: Path = Path()
    listens: str = ""

    def __str__(self) -> str:
        return f"{self.transport}-{self.codec}-{self.store}"

    @property
    def store_url(self) -> str:
        """The store; the same one each time where it keeps what it has."""
        return STORES[self.store].format(folder=self.folder)


CELLS: Final = [
    Cell(transport=transport, codec=codec, store=store, listens=carried.listens)
    for transport, carried in TRANSPORTS.items()
    for codec in carried.codecs
    for store in STORES
]


def _over(cells: Sequence[Cell]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cell", cells, ids=str, indirect=True)


each_cell: Final = _over(CELLS)

each_wire: Final = _over([it for it in CELLS if it.store == "memory"])

each_transport: Final = _over(
    [
        it
        for it in CELLS
        if it.store == "memory" and it.codec == TRANSPORTS[it.transport].codecs[0]
    ]
)

_ON_LOOPBACK: Final = [
    it
    for it in CELLS
    if it.transport == "loopback" and it.codec == TRANSPORTS["loopback"].codecs[0]
]

each_store: Final = _over(_ON_LOOPBACK)

each_durable_store: Final = _over([it for it in _ON_LOOPBACK if it.store != "memory"])


def over(transport: str, *codecs: str) -> pytest.MarkDecorator:
    """One transport with these codecs, or with all, over memory."""
    return _over(
        [
            it
            for it in CELLS
            if it.transport == transport
            and it.store == "memory"
            and (not codecs or it.codec in codecs)
        ]
    )
