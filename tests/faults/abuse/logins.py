"""Attacks by passwords (B4): wrong ones by the thousand, and accounts without end."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from chatbench.children import running
from chatbench.wire.connection import CannotOpen
from chatcore.commands import Create, Login, Request
from chatcore.events import LoggedIn, Refused
from tests.faults.abuse.floods import give_way, together
from tests.faults.abuse.intruders import PASSWORD, Intruder, intruder
from tests.faults.abuse.payloads import one
from tests.faults.abuse.targets import Findings, Target

SECONDS: Final = 20.0
_LINKS: Final = 100
_LOGIN_S: Final = 5.0
"""What a right login may take, its being asked to try again included."""
_VICTIMS: Final = ("victim", "victim2", "victim3")
_OVERTIME_S: Final = 30.0


async def wrong_passwords(target: Target) -> Findings:
    """100 links guess passwords, some of them the victim's, who logs in meanwhile."""
    return await _beside_victims(target, _guess)


async def accounts_made(target: Target) -> Findings:
    """100 links make accounts with the longest passwords, each of which is hashed."""
    return await _beside_victims(target, _create)


async def _beside_victims(
    target: Target, attempt: Callable[[Intruder, int, int], bytes]
) -> Findings:
    """The attempts of 100 links, and what became of right logins from elsewhere."""
    findings = Findings()
    for name in _VICTIMS:
        async with intruder(target, source="127.0.0.1", name=name):
            pass
    command = [sys.executable, "-m", "tests.faults", "victim"]
    victim = running(
        "the victim", command, core=None, log=Path("/dev/null"), stdin=subprocess.PIPE
    )
    with victim as child:
        give_way()
        told = asyncio.to_thread(
            child.ask, msgspec.json.encode(target), target.seconds + _OVERTIME_S
        )
        answers: list[int] = []
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(told)
            attempts = (
                _attempts(target, index, attempt, answers) for index in range(_LINKS)
            )
            await together(attempts)
        logins = msgspec.json.decode(asked.result(), type=list[float])
    _judge(findings, logins)
    findings.figures["attempts_answered"] = sum(answers)
    return findings


def _judge(findings: Findings, logins: Sequence[float]) -> None:
    """Of right logins: seconds each took, below 0 for one that did not get through."""
    through = [seconds for seconds in logins if seconds >= 0]
    findings.figures |= {
        "right_logins": len(logins),
        "right_logins_through": len(through),
        "slowest_login_s": round(max(through, default=0.0), 2),
    }
    late = sum(seconds > _LOGIN_S for seconds in through) + len(logins) - len(through)
    findings.expect(
        met=bool(logins) and late == 0,
        otherwise=f"{late} of {len(logins)} right logins were not through within "
        f"{_LOGIN_S:.0f} s.",
    )


# ---- the attackers


def _guess(link: Intruder, index: int, number: int) -> bytes:
    name = _VICTIMS[0] if index % 2 else f"name{index}x{number}"
    login = Login(username=name, password=f"wrong password {number}")
    return link.codec.encode_commands([Request(2, login)])


def _create(link: Intruder, index: int, number: int) -> bytes:
    create = Create(f"made{index}x{number}", "x" * 1024)
    return link.codec.encode_commands([Request(2, create)])


async def _attempts(
    target: Target,
    index: int,
    attempt: Callable[[Intruder, int, int], bytes],
    answers: list[int],
) -> None:
    """One attempt after another, on a new link whenever the old one is ended."""
    until_s = target.deadline_s()
    number = 0
    while time.monotonic() < until_s:
        with suppress(CannotOpen, TimeoutError):
            async with intruder(target, source=f"127.0.0.{2 + index % 4}") as link:
                while not link.ended and time.monotonic() < until_s:
                    number += 1
                    heard = sum(link.counts.values())
                    link.write(attempt(link, index, number))
                    while sum(link.counts.values()) == heard and not link.ended:
                        await asyncio.sleep(0.005)
                        if time.monotonic() >= until_s:
                            break
        await asyncio.sleep(0.05)
    answers.append(number)


# ---- the victim, in a process of its own


def main() -> int:
    """Log in with the right passwords until the time is over, and tell how it went."""
    target = msgspec.json.decode(sys.stdin.buffer.read(), type=Target)
    logins = asyncio.run(_log_in_again_and_again(target))
    sys.stdout.write(msgspec.json.encode(logins).decode() + "\n")
    return 0


async def _log_in_again_and_again(target: Target) -> list[float]:
    logins: list[float] = []
    until_s = target.deadline_s()
    while time.monotonic() < until_s:
        name = _VICTIMS[len(logins) % len(_VICTIMS)]
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(_LOGIN_S + 1.0):
                is_in = await _log_in(target, name)
        except (CannotOpen, TimeoutError):
            is_in = False
        logins.append(time.monotonic() - began_s if is_in else -1.0)
        await asyncio.sleep(0.1)
    return logins


async def _log_in(target: Target, name: str) -> bool:
    """Whether it got in; asked to try again, it does when it was told to."""
    async with intruder(target, source="127.0.0.1") as link:
        frame = one(Login(username=name, password=PASSWORD), 3)
        while True:
            link.write(frame)
            event = await link.answer(LoggedIn)
            match event:
                case LoggedIn():
                    return True
                case Refused(_, refusal):
                    wait_ms = refusal.fields.get("retry_after_ms")
                    if wait_ms is None:
                        return False
                    await asyncio.sleep(int(wait_ms) / 1000)
                case _:
                    return False
