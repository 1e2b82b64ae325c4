"""Attempts at showing who one is, counted whatever is shown (B4, B5)."""

from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

from chatcore.addresses import hash_address
from chatcore.ids import AccountId, Username
from chatcore.limits import Limits
from chatcore.model import Account
from chatcore.ports import Clock
from chatcore.rate_limiter import Caller, RateKind, RateLimiter
from chatcore.store import Store
from chatcore.throttle import Throttle

_MS: Final = 1000
_NOBODY: Final = AccountId(0)

_T = TypeVar("_T")


class Attempts:
    """Lets attempts be made, slower and slower where they are wrong.

    Attributes:
        throttle: remembers the wrong ones.
    """

    def __init__(
        self, store: Store, clock: Clock, limits: Limits, rates: RateLimiter
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._rates = rates
        self.throttle = Throttle(limits, clock)

    async def make(
        self,
        username: Username | None,
        account: Account | None,
        network: str,
        check: Callable[[], Coroutine[object, None, _T | None]],
    ) -> _T | None:
        """What ``check`` finds; None where what was shown is wrong, which is counted.

        ``account`` is that of the name, if it has one. Without a name, which then only
        the proof tells, there is nobody to guess at: attempts have their rate alone.

        Raises:
            RateExceeded, TooManyAttempts: it was not looked at.
        """
        self._rates.take(Caller(network=network), {RateKind.LOGINS: 1})
        if username is None:
            return await check()
        throttle = self.throttle
        throttle.refuse_pair(username, network)
        if throttle.is_busy(username) and not await self._knows(account, network):
            throttle.refuse_stranger(username)
        # Again: others from there may have begun while the store was asked.
        throttle.refuse_pair(username, network)
        throttle.begin(username, network)
        is_right: bool | None = None
        try:
            found = await check()
            is_right = found is not None
        finally:
            throttle.end(username, network, is_right=is_right)
        return found

    async def _knows(self, account: Account | None, network: str) -> bool:
        """Whether the account was logged in to from there of late (B4).

        For a name that no account has the store is asked as well.
        """
        if not network:
            return False
        now_ms = self._clock.now_ms()
        account_id = account.id if account is not None else _NOBODY
        return await self._store.knows_address(
            account_id,
            hash_address(account_id, network),
            since_ms=now_ms - int(self._limits.known_address_s * _MS),
        )
