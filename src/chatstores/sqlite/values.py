"""Rows as SQLite answers them: the one place where their types are taken on trust."""

from typing import Any, TypeAlias

import apsw

Value: TypeAlias = int | float | str | bytes | None
"""What SQLite stores."""

Row: TypeAlias = tuple[Any, ...]
"""One row of an answer. STRICT tables hold each column to its declared type."""


def fetch_int(connection: apsw.Connection, sql: str) -> int:
    """The only number that ``sql`` answers."""
    row: Row = next(connection.execute(sql))
    number: int = row[0]
    return number
