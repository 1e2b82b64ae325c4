"""Idempotency keys on the server's clock (M2, B7): UUIDv7 (RFC 9562, 6.2).

A key above all earlier ones of its pair costs the store no look-up, so between two
welcomes the clock never goes back here, and within a millisecond the random part counts
up. That is for speed alone: where a server's own clock has gone back, keys follow it
down, since one that is too far ahead is refused.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chatcore.commands import Command, Create, Delete, Send
from chatcore.ids import IdempotencyKey

_RANDOM_BITS: Final = 74
_LOW_BITS: Final = 62
_MOST_MS: Final = (1 << 48) - 1
_AHEAD_MS: Final = 5000
"""So far keys may stay ahead of the server's clock, to be above those before."""


class KeyGenerator:
    """Makes keys.

    ``random_bits(n)`` draws n of them, as ``secrets.randbits`` does. ``now_ms`` is any
    steady clock, always the same, which ``set_server_time`` corrects.
    """

    def __init__(self, random_bits: Callable[[int], int]) -> None:
        self._random_bits = random_bits
        self._ahead_ms = 0
        self._last_ms = 0
        self._random = 0

    def set_server_time(self, server_time_ms: int, now_ms: int) -> None:
        """Follow the clock that a server's welcome told, also back."""
        self._ahead_ms = server_time_ms - now_ms
        if self._last_ms > server_time_ms + _AHEAD_MS:
            self._last_ms = 0

    def make(self, now_ms: int) -> IdempotencyKey:
        """A new key, above all that were made since the server's clock went back."""
        at_ms = max(now_ms + self._ahead_ms, self._last_ms, 0)
        at_ms = min(at_ms, _MOST_MS)
        if at_ms > self._last_ms:
            # The top bit is left free, for counting up.
            self._random = self._random_bits(_RANDOM_BITS - 1)
        else:
            self._random += 1
        self._last_ms = at_ms
        high, low = divmod(self._random, 1 << _LOW_BITS)
        value = at_ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
        return IdempotencyKey(value.to_bytes(16))


def steady_ms(now_s: float) -> int:
    """A steady clock's seconds as what keys are made from."""
    return int(now_s * 1000)


def wants_key(command: Command) -> bool:
    """Whether a command should have a key, and has none (M2, D6)."""
    match command:
        case Send(key=b"") | Create(key=b"") | Delete(key=b"", dry_run=False):
            return True
        case _:
            return False


def with_key(command: Command, key: IdempotencyKey) -> Command:
    """The same command under another key."""
    match command:
        case Send():
            return Send(command.recipient, command.body, key)
        case Create() | Delete():
            return replace(command, key=key)
        case _:
            return command
