"""What the chat asks of the machine: time, secrets, password hashing, names.

What takes long to import is imported when an environment is made.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""

from chatcore.ports import Environment
from chatsystem.hash_settings import INSECURE_FAST_HASH, HashSettings
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
    from chatsystem.clock import SystemClock  # noqa: PLC0415  # as the module says
    from chatsystem.entropy import SystemEntropy  # noqa: PLC0415  # as above
    from chatsystem.names import PrecisNames  # noqa: PLC0415  # as above
    from chatsystem.passwords import Argon2Passwords  # noqa: PLC0415  # as above

    return Environment(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        passwords=Argon2Passwords(hashing or HashSettings()),
        names=PrecisNames(),
    )
