"""One store's connection and caches, as one thing to work on.

The functions of ``accounts``, ``mailboxes`` and ``deletions`` take it; the ``writer``
begins and ends its transactions.
"""

from contextlib import suppress

import apsw

from chatcore.errors import Outage
from chatstores.sqlite.cache import Cache
from chatstores.sqlite.wal import WalGrowth, close_whole
from chatstores.sqlite.webhook_table import WebhookTable
from chatstores.sqlite.write_batch import WriteBatch


class Database:
    """What a transaction works on. Used by one thread."""

    def __init__(
        self, connection: apsw.Connection, growth: WalGrowth | None = None
    ) -> None:
        self._growth = growth
        self.batch = WriteBatch(connection)
        self.cache = Cache(self.batch)
        self.webhooks = WebhookTable(connection)
        self._stale = False

    def begin(self) -> None:
        """Start a transaction."""
        self.batch.begin()
        if self._stale:
            self.batch.recall()
            self.cache.forget_all()
            self.webhooks.recall()
            self._stale = False

    def commit(self) -> None:
        """End it; see ``WriteBatch.commit``.

        One that only reads has it all, also where the journal, which it has applied
        for that, cannot be written to the tables now.
        """
        try:
            self.batch.commit()
            self.webhooks.committed()
            if self._growth is not None:
                self._growth.look()
        except (apsw.Error, Outage):
            if not self.batch.only_reads:
                raise
            self._stale = True
            self.batch.roll_back()

    def roll_back(self) -> None:
        """Leave everything as it was at ``begin``.

        The caches are read anew at the next ``begin``: on a disk that fails just now
        that may fail as well, and then fails that transaction.
        """
        self._stale = True
        self.webhooks.rolled_back()
        self.batch.roll_back()

    def close(self) -> None:
        """Give the file back; see ``wal.close_whole``.

        On a disk that fails the journal stays, and the next opening applies it. So it
        does in a replica, of which this may not know all.
        """
        if self.batch.replica is None:
            with suppress(apsw.Error, Outage):
                self.batch.apply_journal()
        if self._growth is not None:
            self._growth.close()
        close_whole(self.batch.connection)
