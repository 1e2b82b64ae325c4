"""The command ``chatcore`` with a store that does as its standard input says.

``python -m tests.faults.backup_chatcore serve --store told:///chat.db …``. The line
``backup PATH`` has the server make a backup and print ``backup PATH``; from the line
``die`` on the process is killed at the next deletion, after the erasure log has it and
before the store does.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chatapp.cli import main
from chatcore.ids import AccountId, Epoch, IdempotencyKey
from chatcore.model import LogMark
from chatcore.store import Store
from chatstores import register_store
from chatstores.sqlite import SqliteStore, open_sqlite_url

SCHEME = "told"


class ToldStore:
    """A store that kills its process when it was told to."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._dies = False

    def __getattr__(self, name: str) -> object:
        """What it has nothing to do with."""
        return getattr(self._store, name)

    async def delete_account(
        self,
        account: AccountId,
        epoch: Epoch,
        *,
        discard: bool,
        retract: bool,
        delivered: int,
        key: IdempotencyKey,
        at_ms: int,
        mark: LogMark | None = None,
    ) -> bool:
        """See ``chatcore.store.Store``."""
        if self._dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return await self._store.delete_account(
            account,
            epoch,
            discard=discard,
            retract=retract,
            delivered=delivered,
            key=key,
            at_ms=at_ms,
            mark=mark,
        )

    async def listen(self) -> None:
        """Do what the lines of standard input say, to the end of it."""
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            if line[0] == "backup":
                await self._store.backup(Path(line[1]))
            self._dies |= line[0] == "die"
            print(*line, flush=True)  # noqa: T201  # its answer


@asynccontextmanager
async def open_told(url: str) -> AsyncIterator[Store]:
    """The SQLite store of this URL, which listens to standard input."""
    async with open_sqlite_url(url.replace(SCHEME, "sqlite", 1)) as store:
        told = ToldStore(store)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(told.listen())
            yield told  # type: ignore[misc]  # what it has not is the store's
            listening.cancel()


if __name__ == "__main__":
    register_store(SCHEME, open_told)
    sys.exit(main())
