"""Violations of the bounds of what one peer can do to the others.

A function's name says what is wrong once it was called.
"""

from collections.abc import Sequence
from itertools import takewhile

from chatcore import execution, sending
from chatcore.admission import Admission
from chatcore.commands import Request, Send
from chatcore.connections import Connection
from chatcore.key_clock import KeyClock
from chatcore.rate_limiter import RateLimiter
from chatcore.store import MailboxRoom
from chatcore.throttle import Throttle
from chatstores.sqlite import permissions
from tests.proof.swapping import Method, swap


def notices_wait_without_end() -> None:
    def make(_: Method) -> Method:
        return lambda self, event, *, most_waiting: self.emit(event)  # noqa: ARG005

    swap(Connection, "notify", make)


def a_run_has_no_end() -> None:
    def make(_: Method) -> Method:
        def run_of(requests: Sequence[Request], start: int, _most: int) -> object:
            rest = requests[start:]
            sends = list(takewhile(lambda it: isinstance(it.command, Send), rest))
            return sends or rest[:1]

        return run_of

    swap(execution, "run_of_sends", make)


def everybody_is_admitted() -> None:
    def make(enter: Method) -> Method:
        return lambda self, address: enter(self, address) or True

    swap(Admission, "enter", make)
    swap(Admission, "leave", lambda _: lambda _self, _address: None)


def wrong_passwords_cost_nothing() -> None:
    swap(Throttle, "_refuse", lambda _: staticmethod(lambda _left_s: None))


def no_rate_is_exceeded() -> None:
    swap(RateLimiter, "take", lambda _: lambda *_: None)


def one_sender_may_fill_a_mailbox() -> None:
    swap(
        sending, "MailboxRoom", lambda _: lambda full, *_: MailboxRoom(full, full, full)
    )


def keys_live_by_the_wall_clock() -> None:
    swap(KeyClock, "now_ms", lambda _: lambda self: self._clock.now_ms())


def files_are_made_for_everybody() -> None:
    swap(permissions, "OWNER_ONLY", lambda _: 0o644)
