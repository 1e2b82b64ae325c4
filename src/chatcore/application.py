"""Asking the embedding application: it may take its time, and only so much."""

from collections.abc import Coroutine, Sequence
from typing import TypeVar

from chatcore.commands import Send
from chatcore.errors import ApplicationUnavailable, Refusal
from chatcore.ids import Username
from chatcore.limits import Limits
from chatcore.ports import Clock, ListPolicy, SendPolicy

_T = TypeVar("_T")


class Application:
    """What code of the application is asked by: policies, identities, credentials.

    Without a bound one that never answers would hold a session's other commands, and
    the end of the server, for ever.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits

    async def ask(self, question: Coroutine[object, None, _T]) -> _T:
        """What the application answers; what it raises is raised.

        Raises:
            ApplicationUnavailable: nothing, in ``application_within_s``; whatever runs
                there is cancelled, and not waited for.
        """
        try:
            return await self._clock.within(self._limits.application_within_s, question)
        except TimeoutError:
            raise ApplicationUnavailable(
                retry_after_ms=self._limits.retry_after_ms
            ) from None


class TimedSendPolicy:
    """A ``SendPolicy`` that answers in time, or refuses."""

    def __init__(self, policy: SendPolicy, application: Application) -> None:
        self._policy = policy
        self._application = application

    async def judge(
        self, sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        """See ``chatcore.ports.SendPolicy``."""
        return await self._application.ask(self._policy.judge(sender, sends))


class TimedListPolicy:
    """A ``ListPolicy`` that answers in time, or refuses."""

    def __init__(self, policy: ListPolicy, application: Application) -> None:
        self._policy = policy
        self._application = application

    async def visible(
        self, asker: Username, names: Sequence[Username]
    ) -> Sequence[bool]:
        """See ``chatcore.ports.ListPolicy``."""
        return await self._application.ask(self._policy.visible(asker, names))
