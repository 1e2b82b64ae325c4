"""Carrying out what deletions leave to do, a bounded step at a time (D4, D5).

First what is discarded leaves the account's mailbox, with bounces to its senders; then
what it has sent is taken out or counted. The store keeps how far this has come, so that
any step may be the first of a new process, and done twice does nothing.
"""

from collections.abc import Sequence

from chatcore.bounces import look_ahead, next_chunks
from chatcore.erasures import Erasures
from chatcore.errors import Outage
from chatcore.ids import AccountId
from chatcore.limits import Limits
from chatcore.model import DeletionReceipt, NewMail
from chatcore.ports import Clock
from chatcore.sessions import Sessions
from chatcore.store import Store


class CleanUps:
    """Works off deletions that are decided, and wakes whom their bounces reach."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        erasures: Erasures,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._erasures = erasures
        self._clock = clock
        self._limits = limits
        self._left: list[AccountId] = []
        self._may_have_left = True

    def look_again(self) -> None:
        """The store may have decided a deletion without saying so: find what is left
        to do with the next ``go_on``.
        """
        self._may_have_left = True

    async def finish(self, account: AccountId) -> DeletionReceipt:
        """Do one to its end; what an outage leaves is done later (D5)."""
        try:
            while True:
                receipt = await self._step(account)
                if receipt is not None:
                    return receipt
        except Outage:
            self.look_again()
            raise

    async def go_on(self) -> None:
        """Do a step of one that an earlier run, or an outage, has left (D5)."""
        await self._erasures.settle()
        if self._may_have_left:
            self._left = list(await self._store.pending_deletions())
            self._may_have_left = False
        if self._left and await self._step(self._left[0]) is not None:
            del self._left[0]

    async def _step(self, account: AccountId) -> DeletionReceipt | None:
        """Do one bounded step; the receipt, when it was the last."""
        limits = self._limits
        rows, bounce_messages = limits.cleanup_rows, limits.bounce_positions
        left = await self._store.left_to_discard(
            account, messages=look_ahead(rows=rows, bounce_messages=bounce_messages)
        )
        if left.messages:
            chunks = next_chunks(
                left.messages, rows=rows, bounce_messages=bounce_messages
            )
            self._wake(
                await self._store.discard(
                    account,
                    chunks,
                    discarded=left.discarded,
                    at_ms=self._clock.now_ms(),
                )
            )
            return None
        done = await self._store.clean_up(account, rows=rows)
        return done.receipt if done.finished else None

    def _wake(self, bounces: Sequence[NewMail]) -> None:
        """Have the sessions that are here fetch their bounces."""
        for account, head in bounces:
            session = self._sessions.of_account(account)
            if session is None:
                continue
            session.delivery.nudge(head)
            if session.connection is not None:
                session.connection.sink.wake()
