"""The schema: which one this version knows, and how a file gets there.

The steps are ``schema/NNNN_name.sql``. ``PRAGMA user_version`` counts those that a
file has; the rest are run in the one transaction that also raises the count. They are
read when this module is imported, and never again: a program may give up its rights,
or change its root, before it opens a store.
"""

import logging
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import apsw

from chatstores.errors import SchemaUnreadable, StoreNotOurs, StoreTooNew, reason_of
from chatstores.sqlite.copies import copy_whole, refuse_without_room
from chatstores.sqlite.values import fetch_int

_log = logging.getLogger(__name__)

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


def migrate(
    connection: apsw.Connection, *, path: Path, keeps_copy: bool = True
) -> None:
    """Bring the file to the newest schema, in one transaction that excludes others.

    With ``keeps_copy`` what is in it is copied first, to ``chat.db.before-3`` for the
    schema 3. Raises ``CopyFailed`` when there is no room for that, and changes nothing.
    """
    known = steps()
    found = _known_version(connection, path=path, known=len(known))
    if found == len(known):
        return
    if found and keeps_copy:
        _keep_copy(connection, path, becomes=len(known))
    connection.execute("BEGIN EXCLUSIVE")
    try:
        for step in known[found:]:
            connection.execute(step)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(known)}")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _keep_copy(connection: apsw.Connection, path: Path, *, becomes: int) -> None:
    kept = path.with_name(f"{path.name}.before-{becomes}")
    refuse_without_room(connection, kept)
    report = copy_whole(connection, kept, replace=True)
    _log.info(
        "%s is brought to schema %d; as it was, with schema %d, it is kept in %s "
        "(%d bytes): remove that when you trust this version",
        path,
        becomes,
        report.schema,
        kept,
        report.copied_bytes,
    )


def _known_version(connection: apsw.Connection, *, path: Path, known: int) -> int:
    found = fetch_int(connection, "PRAGMA user_version")
    if found > known:
        raise StoreTooNew(path=str(path), found=found, known=known)
    return found
