"""Pagination over all messages, for what has no index.

There is no index of messages by sender: every deposit would pay for it, and only
deletions want it. They scan the table instead, a page to a transaction, so that nobody
waits for more than one page. Behind a scan no message of a deleted sender can appear:
positions only rise, and a deleted sender sends no more.
"""

from typing import Final, NamedTuple

from chatcore.ids import BEFORE_FIRST, AccountId, Position
from chatstores.sqlite.write_batch import WriteBatch

PAGE_ROWS: Final = 5000
"""A few milliseconds."""


class Cursor(NamedTuple):
    """A place in the table of messages, which is sorted by it."""

    account: AccountId
    position: Position


START: Final = Cursor(AccountId(0), BEFORE_FIRST)
END: Final = Cursor(AccountId(2**63 - 1), BEFORE_FIRST)


def page_end(batch: WriteBatch, after: Cursor) -> Cursor:
    """Where the page that starts after ``after`` ends; ``END`` on the last page."""
    row = batch.row(
        "SELECT account, position FROM message WHERE (account, position) > (?, ?) "
        "ORDER BY account, position LIMIT 1 OFFSET ?",
        *after,
        PAGE_ROWS - 1,
    )
    return Cursor(*row) if row else END
