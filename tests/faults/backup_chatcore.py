"""The command ``chatcore`` with a store that dies where no operator could kill it.

``python -m tests.faults.backup_chatcore serve --store dying:///chat.db …``: the process
is killed at the first deletion, after the erasure log has it and before the store does.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatapp.cli import main
from chatcore.store import Store
from chatstores import register_store
from chatstores.sqlite import open_sqlite_url

SCHEME = "dying"


async def _die(*_: object, **__: object) -> bool:
    """In place of ``chatcore.store.Store.delete_account``."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@asynccontextmanager
async def open_dying(url: str) -> AsyncIterator[Store]:
    """The SQLite store of this URL, which deletes no account."""
    async with open_sqlite_url(url.replace(SCHEME, "sqlite", 1)) as store:
        store.delete_account = _die  # type: ignore[method-assign]  # that is the point
        yield store


if __name__ == "__main__":
    register_store(SCHEME, open_dying)
    sys.exit(main())
