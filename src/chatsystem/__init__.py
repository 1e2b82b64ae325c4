"""What the chat asks of the machine: time, secrets, password hashing, names."""

from chatcore.ports import Environment
from chatsystem.clock import SystemClock
from chatsystem.entropy import SystemEntropy
from chatsystem.names import PrecisNames
from chatsystem.passwords import (
    INSECURE_FAST_HASH,
    Argon2Passwords,
    HashSettings,
)
from chatsystem.process import allow_many_sockets, loop_factory

__all__ = [
    "INSECURE_FAST_HASH",
    "HashSettings",
    "allow_many_sockets",
    "loop_factory",
    "system_environment",
]


def system_environment(hashing: HashSettings | None = None) -> Environment:
    """The environment of a real server; ``hashing`` says what a password costs."""
    return Environment(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        passwords=Argon2Passwords(hashing or HashSettings()),
        names=PrecisNames(),
    )
