"""One store's file, caches and closed doors, as one thing to work on.

The functions of ``accounts``, ``mailboxes`` and ``deletions`` take it; the ``writer``
begins and ends its transactions.
"""

from contextlib import suppress

import apsw

from chatcore.ids import AccountId
from stores.sqlite.known import Known
from stores.sqlite.ledger import Ledger


class Books:
    """What a transaction works on. Used by one thread.

    Attributes:
        closing: the mailboxes that decline deposits; they are open in a new process.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.ledger = Ledger(connection)
        self.known = Known(self.ledger)
        self.closing: set[AccountId] = set()
        self._closing_before: frozenset[AccountId] = frozenset()
        self._stale = False

    def begin(self) -> None:
        """Start a transaction."""
        self.ledger.begin()
        self._closing_before = frozenset(self.closing)
        if self._stale:
            self.ledger.recall_deletions()
            self.known.forget_all()
            self._stale = False

    def commit(self) -> None:
        """End it; see ``Ledger.commit``."""
        self.ledger.commit()

    def roll_back(self) -> None:
        """Leave everything as it was at ``begin``.

        The caches are read anew at the next ``begin``: on a disk that fails just now
        that may fail as well, and then fails that transaction.
        """
        self._stale = True
        self.closing = set(self._closing_before)
        self.ledger.roll_back()

    def close_mailbox(self, account: AccountId) -> None:
        """Decline deposits to it, when there is such an account."""
        if self.known.account(account) is not None:
            self.closing.add(account)

    def close(self) -> None:
        """Give the file back.

        On a disk that fails the log is not copied back into the file; the next opening
        does it.
        """
        with suppress(apsw.Error):
            self.ledger.connection.close()
