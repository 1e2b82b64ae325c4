"""Attacks by mail: notices that nobody takes, a mailbox that one sender fills."""

import asyncio
import time
from typing import Final

from chatcore.commands import Acknowledge
from tests.faults.abuse.databases import NOTICE_MAILBOXES, NOTICE_MESSAGES
from tests.faults.abuse.floods import TINY, tell
from tests.faults.abuse.intruders import Intruder, holds_within, intruder
from tests.faults.abuse.payloads import one, sends
from tests.faults.abuse.targets import Findings, Target

_VICTIM: Final = "victim"
_FILLED: Final = 10_000
"""What a mailbox takes by default (M6)."""
_MORE: Final = 500
_ANSWER_S: Final = 5.0


async def notices_unread(target: Target) -> Findings:
    """A sender that reads nothing, while its messages are acknowledged one by one.

    They waited in twenty mailboxes, so that no window bounds them (M8).
    """
    findings = Findings()
    async with intruder(target, name="peer0", receive_bytes=TINY) as sender:
        sender.stop_reading()
        until_s = target.deadline_s()
        counts: list[int] = []
        async with asyncio.TaskGroup() as tasks:
            for index in range(1, NOTICE_MAILBOXES + 1):
                name = f"peer{index}"
                tasks.create_task(_acknowledge_each(target, name, until_s, counts))
        tell(findings, [sender])
        findings.figures["notices"] = sum(counts)
    return findings


async def _acknowledge_each(
    target: Target, name: str, until_s: float, counts: list[int]
) -> None:
    async with intruder(target, name=name) as link:
        acknowledged = 0
        while acknowledged < NOTICE_MESSAGES and time.monotonic() < until_s:
            if link.ended:
                break
            delivered = link.counts["Delivered"]
            for position in range(acknowledged + 1, delivered + 1):
                link.write(one(Acknowledge(position), 0))
            acknowledged = delivered
            await asyncio.sleep(0.001)
        counts.append(acknowledged)


async def mailbox_filled(target: Target) -> Findings:
    """One sender fills somebody's mailbox; another one has to get something in (B6)."""
    findings = Findings()
    async with intruder(target, name=_VICTIM):
        pass  # the account is there now, and nobody reads its mail
    async with intruder(target, name="intruder") as link:
        for _ in range(0, _FILLED + _MORE, _MORE):
            link.write(sends(_VICTIM, _MORE))
        await holds_within(
            lambda: _answers(link) >= _FILLED + _MORE or link.ended != "",
            target.seconds,
        )
        findings.figures["accepted"] = link.counts["Accepted"]
        findings.figures["refused"] = link.counts["Refused"]
    async with intruder(target, source="127.0.0.1", name="friend") as friend:
        friend.write(sends(_VICTIM, 1))
        await holds_within(lambda: _answers(friend) > 0, _ANSWER_S)
        findings.expect(
            met=friend.counts["Accepted"] == 1,
            otherwise="Once one sender had filled a mailbox, nobody else could send.",
        )
    return findings


def _answers(link: Intruder) -> int:
    return link.counts["Accepted"] + link.counts["Refused"]
