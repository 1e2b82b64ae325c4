"""The process of the attackers: is told a target on its input, tells its findings.

python -m tests.faults attacker NAME
"""

import asyncio
import ipaddress
import os
import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from chatbench.wire.connection import CannotOpen
from tests.faults.abuse.catalogue import attack_named
from tests.faults.abuse.floods import give_way
from tests.faults.abuse.targets import Attack, Findings, Target
from transports.base import parse_address

_REFUSED: Final = (CannotOpen, OSError)  # TimeoutError is one
"""What the server may do to an attacker: what it may not, the bystander sees."""


def main(name: str) -> int:
    """Carry one attack out; the exit status."""
    attack = attack_named(name)
    target = msgspec.json.decode(sys.stdin.buffer.read(), type=Target)
    if not ipaddress.ip_address(parse_address(target.url).host).is_loopback:
        sys.stderr.write("Only this machine itself may be attacked.\n")
        return 2
    if attack.gives_way:
        give_way()
    findings = asyncio.run(_carried_out(attack, target))
    sys.stdout.write(msgspec.json.encode(findings).decode() + "\n")
    sys.stdout.flush()
    # The sockets close with the process, all at once, as a real attacker's would.
    os._exit(0)


async def _carried_out(attack: Attack, target: Target) -> Findings:
    """What it found; to be refused is no fault of the server's."""
    try:
        return await attack.run(target)
    except Exception as error:  # noqa: BLE001  # told as what it is
        failed = [it for it in _leaves(error) if not isinstance(it, _REFUSED)]
    faults = [f"The attacker failed: {it!r}" for it in failed]
    return Findings(figures={"refused": 1}, faults=faults)


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
