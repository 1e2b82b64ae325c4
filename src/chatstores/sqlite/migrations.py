"""The schema: which one this version knows, and how a file gets there.

The steps are ``schema/NNNN_name.sql``. ``PRAGMA user_version`` counts those that a
file has; the rest are run in the one transaction that also raises the count. They are
read when this module is imported, and never again: a program may give up its rights,
or change its root, before it opens a store.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import apsw

from chatstores.errors import SchemaUnreadable, StoreNotOurs, StoreTooNew, reason_of
from chatstores.sqlite.values import fetch_int

APPLICATION_ID: Final = 0x63686174
"""``chat`` in ASCII: says in the file's header whose it is (SQLite file format 1.3)."""


def read_steps(folder: Traversable) -> tuple[str, ...]:
    """The steps in a folder as SQL, in order; raises ``SchemaUnreadable``."""
    try:
        names = sorted(it.name for it in folder.iterdir() if it.name.endswith(".sql"))
        steps = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    except OSError as error:
        unread = error.filename or folder
        raise SchemaUnreadable(path=str(unread), reason=reason_of(error)) from error
    return tuple(steps)


_STEPS: Final = read_steps(files("chatstores.sqlite.schema"))


def steps() -> tuple[str, ...]:
    """The schema's steps as SQL, in order."""
    return _STEPS


def check_ours(connection: apsw.Connection, *, path: str) -> None:
    """Refuse a file that is another application's; an empty one may become ours."""
    found = fetch_int(connection, "PRAGMA application_id")
    tables = fetch_int(connection, "SELECT count(*) FROM sqlite_schema")
    version = fetch_int(connection, "PRAGMA user_version")
    if found != APPLICATION_ID and (found or tables or version):
        raise StoreNotOurs(path=path, reason="it belongs to another application")


def migrate(connection: apsw.Connection, *, path: str) -> None:
    """Bring the file to the newest schema, in one transaction that excludes others."""
    known = steps()
    connection.execute("BEGIN EXCLUSIVE")
    try:
        found = _known_version(connection, path=path, known=len(known))
        for step in known[found:]:
            connection.execute(step)
        if found < len(known):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(known)}")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _known_version(connection: apsw.Connection, *, path: str, known: int) -> int:
    found = fetch_int(connection, "PRAGMA user_version")
    if found > known:
        raise StoreTooNew(path=path, found=found, known=known)
    return found
