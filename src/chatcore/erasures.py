"""Deciding deletions so that the erasure log has each of them (D5).

The record comes first, and is on the disk before the store decides; with the decision
the store takes the record's mark. So whatever a crash leaves, the log has every
deletion that was answered. It may have one more, which was decided by the chat and not
by the store: the next start carries it out, as a restore of an older copy would. What
the store has refused is withdrawn in the log.
"""

from contextlib import suppress
from functools import partial

from chatcore.errors import Outage
from chatcore.fair_semaphore import FairSemaphore
from chatcore.ids import AccountId, Epoch, IdempotencyKey
from chatcore.model import Erasure, LogMark
from chatcore.ports import Clock, ErasureLog
from chatcore.store import Store


class Erasures:
    """Decides deletions in the store, by way of the log where there is one."""

    def __init__(self, store: Store, log: ErasureLog | None, clock: Clock) -> None:
        self._store = store
        self._log = log
        # The next record is written when it is known what became of the last.
        self._turn = FairSemaphore(clock, at_once=1)
        self._unsettled: LogMark | None = None

    async def catch_up(self) -> None:
        """Carry out what the log has and the store has not: it is an older copy, or a
        crash came between the two.
        """
        if self._log is None:
            return
        identity, mark = await self._store.identity(), await self._store.log_mark()
        for logged in await self._log.after(identity, mark):
            await self._store.erase_again(logged)

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
    ) -> bool:
        """See ``Store.delete_account``; refused while the log cannot be written."""
        log = self._log
        decide = partial(
            self._store.delete_account,
            account,
            epoch,
            discard=discard,
            retract=retract,
            delivered=delivered,
            key=key,
            at_ms=at_ms,
        )
        if log is None:
            return await decide()
        async with self._turn.acquired():
            await self._settle(log)
            mark = await log.append(
                Erasure(
                    account=account,
                    discard=discard,
                    retract=retract,
                    key=key,
                    at_ms=at_ms,
                )
            )
            self._unsettled = mark
            try:
                is_decided = await decide(mark=mark)
            except Outage:
                await self._try_to_settle(log)
                raise
            await self._try_to_settle(log)
            return is_decided

    async def settle(self) -> None:
        """Withdraw what the store has refused and the log could not be told of yet."""
        if self._log is not None and self._unsettled is not None:
            async with self._turn.acquired():
                await self._settle(self._log)

    async def _try_to_settle(self, log: ErasureLog) -> None:
        """What cannot be settled now is at the next tick, or before the next record."""
        with suppress(Outage):
            await self._settle(log)

    async def _settle(self, log: ErasureLog) -> None:
        if self._unsettled is None:
            return
        reached = await self._store.log_mark()
        if reached.sequence < self._unsettled.sequence:
            await log.withdraw(self._unsettled)
        self._unsettled = None
