"""The matrix: each transport with each codec that it carries, over each store.

A transport joins by a line in ``TRANSPORTS``, a store by one in ``tests.stores``;
``options`` puts others in their place. Nothing here needs pytest: a conftest may import
it before the marks of ``cells`` are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from tests.stores import StoreKind
from transports.codec import CODECS


class Carried(NamedTuple):
    """Where a transport listens, and what it carries.

    Attributes:
        listens: a URL.
        codecs: their names, the best one first.
        tells_code: whether a link has room for the code that it is closed with, beside
            its frames.
    """

    listens: str
    codecs: Sequence[str]
    tells_code: bool = True


TRANSPORTS: Final[Mapping[str, Carried]] = {
    "loopback": Carried("loopback:", CODECS, tells_code=False),
    "tcp": Carried("tcp://127.0.0.1:0", CODECS, tells_code=False),
    "websocket": Carried("ws://127.0.0.1:0", CODECS),
    "grpc": Carried("grpc://127.0.0.1:0", ("protobuf",)),
    "http": Carried("http://127.0.0.1:0", ("json",)),
}

SECURE: Final[Mapping[str, Carried]] = {
    "tcps": Carried("tcps://127.0.0.1:0", ("msgpack",), tells_code=False),
    "wss": Carried("wss://127.0.0.1:0", ("json",)),
    "grpcs": Carried("grpcs://127.0.0.1:0", ("protobuf",)),
    "https": Carried("https://127.0.0.1:0", ("json",)),
}
"""The same with TLS, with one codec each: what is above knows nothing of it."""

BELOW_ASGI: Final[Mapping[str, Carried]] = {
    "asgi": Carried("asgi://127.0.0.1:0", CODECS),
    "asgi-http": Carried("asgi-http://127.0.0.1:0", ("json",)),
}
"""An application of ASGI (``tests.conformance.asgi``), by WebSocket and by HTTP."""

_RARE_TESTS: Final = 3
"""Of so many tests one runs over TLS too, and another one below ASGI, where it does not
run over all cells."""

TARGET: Final = StoreKind(name="target", url="", durable=False)
"""The store of a server that is up already: nobody here knows which it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place in the matrix.

    Attributes:
        transport: by its name in ``TRANSPORTS``.
        codec: by its name.
        store: one of ``tests.stores``, or ``TARGET``.
        turn: the sum of the three's places in their rows; its parity is another one in
            the cell beside it, whichever way one goes.
        folder: its test's own.
        listens: the URL to serve on, or that is served already.
        tells_code: see ``Carried``.
    """

    transport: str
    codec: str
    store: StoreKind
    turn: int = 0
    folder: Path = Path()
    listens: str = ""
    tells_code: bool = True

    def __str__(self) -> str:
        return f"{self.transport}-{self.codec}-{self.store}"

    @property
    def is_target(self) -> bool:
        """Whether its server is up already, and not the test's own."""
        return self.store == TARGET

    @property
    def store_url(self) -> str:
        """The store; the same one each time where it keeps what it has."""
        return self.store.url_in(self.folder)


class Matrix:
    """Transports with their codecs over stores, in rows.

    The first store is the one of tests that no store can change. Loopback, or else the
    first transport, is the one of tests that no wire can change. Of each of ``rare``,
    whose rows come after the others, some tests meet one; there it is one of ``cells``.
    Where it is ``about_stores``, tests that no store can change have no cell.
    """

    def __init__(
        self,
        transports: Mapping[str, Carried],
        stores: Sequence[StoreKind],
        *rare: Mapping[str, Carried],
        about_stores: bool = False,
    ) -> None:
        self._about_stores = about_stores
        self._rare = rare
        self._first_codecs = {name: it.codecs[0] for name, it in transports.items()}
        self._first_store = stores[0]
        self._lead = "loopback" if "loopback" in transports else next(iter(transports))
        rows = dict(transports)
        for some in rare:
            rows.update(some)
        self.cells = [
            Cell(
                transport=name,
                codec=codec,
                store=store,
                turn=row + column + layer,
                listens=carried.listens,
                tells_code=carried.tells_code,
            )
            for row, (name, carried) in enumerate(rows.items())
            for column, codec in enumerate(carried.codecs)
            for layer, store in enumerate(stores)
        ]

    def chosen_for(self, test: str) -> list[Cell]:
        """A cell of each transport for this test, and perhaps one of the rare ones.

        The codecs and the stores go in turn from transport to transport, and from test
        to test: each test meets all of them, and all tests together each cell.
        """
        turn = crc32(test.encode())
        chosen: list[Cell] = []
        for row, name in enumerate(self._first_codecs):
            cells = [it for it in self.cells if it.transport == name]
            codecs = list(dict.fromkeys(it.codec for it in cells))
            stores = list(dict.fromkeys(it.store for it in cells))
            codec = codecs[(row + turn) % len(codecs)]
            store = stores[(row + turn // len(codecs)) % len(stores)]
            chosen += [it for it in cells if (it.codec, it.store) == (codec, store)]
        return chosen + self._chosen_rare(turn)

    def _chosen_rare(self, turn: int) -> list[Cell]:
        """One cell of each kind for some tests; all tests together meet each."""
        chosen: list[Cell] = []
        for number, rows in enumerate(self._rare):
            cells = [it for it in self.cells if it.transport in rows]
            if turn % _RARE_TESTS == number:
                chosen.append(cells[turn // _RARE_TESTS % len(cells)])
        return chosen

    def wires(self) -> list[Cell]:
        """Each transport and codec, over the first store."""
        if self._about_stores:
            return []
        return [
            it
            for it in self.cells
            if it.store == self._first_store and it.transport in self._first_codecs
        ]

    def transports(self) -> list[Cell]:
        """Each transport with its first codec, over the first store."""
        return [
            it for it in self.wires() if it.codec == self._first_codecs[it.transport]
        ]

    def listeners(self) -> list[Cell]:
        """The same, of transports that listen: below ASGI a server of others does."""
        return [it for it in self.transports() if it.transport not in BELOW_ASGI]

    def stores(self) -> list[Cell]:
        """One transport with its first codec, over each store."""
        codec = self._first_codecs[self._lead]
        lead = [it for it in self.cells if it.transport == self._lead]
        return [it for it in lead if it.codec == codec]

    def durable_stores(self) -> list[Cell]:
        """The same over stores that a test can close and open again."""
        return [it for it in self.stores() if it.store.durable]


def whole(matrix: Matrix) -> list[Cell]:
    """All of it; a test of ``each_cell`` runs over what is chosen of it for that."""
    return matrix.cells
