"""A database that keeps the rows of a store: what it has to guarantee."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class KeptRow(NamedTuple):
    """A row as it is kept: under a key of its table; with None there is none."""

    table: str
    key: bytes
    row: bytes | None


class WriteRefused(Exception):
    """A database that cannot take this write, and is as before; it may take others."""


class RowDatabase(Protocol):
    """Tables of rows under keys, all of which mean nothing here.

    Its methods are called one at a time, from threads. It is one process's: opening it
    while another has it open is refused (``chatstores.errors.StoreInUse``). After a
    link was lost, nothing that was sent over it may be carried out any more once
    another method has returned.

    ``durable`` says whether what ``write`` has returned from survives a crash.
    """

    @property
    def durable(self) -> bool:
        """See above."""
        ...

    def load(self, table: str) -> Iterable[tuple[bytes, bytes]]:
        """The keys and rows of a table, in any order; none where it has none yet."""
        ...

    def last_commit(self) -> str:
        """The commit of the last ``write`` that was carried out; asked after each whose
        outcome was unknown. Whatever it raises is an outage.
        """
        ...

    def write(self, commit: str, rows: Sequence[KeptRow], *, gives_room: bool) -> None:
        """Keep these rows, in this order, and that this was the last commit: all of it
        or nothing.

        Raises ``WriteRefused``; ``StoreUnavailable`` when nothing was sent; after
        anything else the outcome is unknown. What ``gives_room`` should be taken also
        by a database that is full.
        """
        ...
