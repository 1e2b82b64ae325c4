"""Attacks by what stands in frames: many commands, costly ones, none at all."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from chatcore.commands import ChangePassword, Delete, Deliver, Resume
from tests.faults.abuse.floods import Content, constant, flood, tell
from tests.faults.abuse.intruders import intruders
from tests.faults.abuse.payloads import (
    commands_without_content,
    costly_lists,
    costly_names,
    json_frames,
    logouts,
    one,
    refused_acknowledges,
    repeated,
    sends,
    unknown_commands,
)
from tests.faults.abuse.targets import Findings, Target

_MOST: Final = 8192
"""Commands in a frame: what a server took before it was bounded, and those below for
one that takes 1024, or 32 KiB before login."""
_FEWER: Final = 1000
_LARGE: Final = 900_000
_SMALL: Final = 30_000
"""Under what a frame may have before login, once that has a limit of its own."""


def _name(index: int) -> str:
    return f"intruder{index}"


# ---- answers that nobody reads


async def refused_acknowledges_unread(target: Target) -> Findings:
    """Before login; what the server answers piles up."""
    return await flood(target, _acknowledges(), reads=False)


async def refused_acknowledges_unread_in(target: Target) -> Findings:
    """The same after login."""
    return await flood(target, _acknowledges(), names=_name, reads=False)


def _acknowledges() -> list[Content]:
    return [constant(refused_acknowledges(times)) for times in (_MOST, _FEWER)]


# ---- names


async def names_before_login(target: Target) -> Findings:
    """Names that take long to prepare, to be created, logged in to and deleted."""
    return await flood(
        target,
        [
            constant(costly_names("create", 255, 200)),
            constant(costly_names("create", 64, 140)),
            constant(costly_names("login", 64, 140)),
            constant(costly_names("delete", 64, 140)),
            constant(costly_names("login", 255, 35, digits=True)),
        ],
    )


async def names_of_recipients(target: Target) -> Findings:
    """The same as recipients of messages, after login."""
    return await flood(
        target,
        [
            constant(costly_names("send", 64, _FEWER)),
            constant(costly_names("send", 255, 200)),
            constant(costly_names("send", 255, 1000, digits=True)),
        ],
        names=_name,
    )


async def costly_patterns(target: Target) -> Findings:
    """Lists whose patterns take long to judge, over names made for them."""
    content = constant(costly_lists(2))
    return await flood(target, [content] * 4, names=_name)


# ---- commands that cost a peer next to nothing


async def logouts_by_two(target: Target) -> Findings:
    """Empty logouts in frames as large as go, before login, from two peers."""
    return await flood(target, [_logouts(_MOST), _logouts(_FEWER)])


async def logouts_by_eight(target: Target) -> Findings:
    """The same from eight peers at once."""
    return await flood(target, [_logouts(_MOST), *[_logouts(_FEWER)] * 7])


async def logouts_in(target: Target) -> Findings:
    """The same after login: each but the first is refused."""
    return await flood(
        target, [*[_logouts(_MOST)] * 2, *[_logouts(_FEWER)] * 2], names=_name
    )


def _logouts(times: int) -> Content:
    return constant(logouts(times))


async def empty_frames(target: Target) -> Findings:
    """Frames without a command, from four peers."""
    if target.transport == "tcp":
        many = constant(bytes(4) * 16_384)
        return await flood(target, [many] * 4, raw=True)
    # Many to a write: the server has to have the work, and not this machine's kernel.
    return await flood(target, [constant(b"")] * 4, times=256)


async def empty_commands(target: Target) -> Findings:
    """Frames of 8192 commands that say nothing, or that nobody knows."""
    kinds = (commands_without_content, unknown_commands)
    contents = [constant(of(times)) for of in kinds for times in (_MOST, _FEWER)]
    return await flood(target, contents)


async def empty_lines(target: Target) -> Findings:
    """Lines of JSON without anything in them, from four peers."""
    lines = constant(b"\n" * 65_536)
    return await flood(target, [lines] * 4, codec="json", raw=True)


async def slow_json(target: Target) -> Findings:
    """JSON that takes the codec's general way: deep, wide, unknown, wrong."""
    return await _json(target, lambda _: "")


async def slow_json_in(target: Target) -> Findings:
    """The same after login."""
    return await _json(target, _name)


async def _json(target: Target, names: Callable[[int], str]) -> Findings:
    """Each frame again and again on a link of its own, since some of them end it."""
    findings = Findings()
    frames = [*json_frames(_SMALL), *json_frames(_LARGE)]
    share_s = target.seconds / len(frames)
    async with AsyncExitStack() as stack:
        links = await intruders(stack, target, len(frames), codec="json", names=names)
        for link, frame in zip(links, frames, strict=False):
            link.be_deaf()
            until_s = time.monotonic() + share_s
            most_bytes = target.bytes // len(frames)
            await link.flood(constant(frame), until_s, most_bytes=most_bytes)
        tell(findings, links)
    return findings


# ---- commands that make the server look something up


async def resumes(target: Target) -> Findings:
    """Tokens that nobody has: each is looked up in the store."""
    contents = [repeated(Resume(bytes([it]) * 32), times=700) for it in range(4)]
    return await flood(target, [constant(it) for it in contents])


async def valid_sends(target: Target) -> Findings:
    """Nothing but sends, in frames of a thousand, from four peers to themselves."""
    contents = [constant(sends(_name(index), 1000)) for index in range(4)]
    return await flood(target, contents, names=_name)


async def refused_sends(target: Target) -> Findings:
    """Sends to nobody, as many a frame as go, from four peers."""
    contents = [constant(sends("nobody", times)) for times in (_MOST, _FEWER)] * 2
    return await flood(target, contents, names=_name)


async def delivers(target: Target) -> Findings:
    """Nothing but ``deliver``: eight run, and the others are refused."""
    contents = [constant(repeated(Deliver(), times=it)) for it in (_MOST, _FEWER)]
    return await flood(target, contents, names=_name)


async def deletions(target: Target) -> Findings:
    """Deletions of others with a wrong password: a way around limits of logins."""
    wrong = one(Delete(username="bystander", password="wrong password"))
    return await flood(target, [constant(wrong * 100)] * 4)


async def wrong_old_passwords(target: Target) -> Findings:
    """Changes of the password with a wrong old one: each of them is hashed."""
    wrong = one(ChangePassword("wrong password", "correct horse 2"))
    return await flood(target, [constant(wrong * 100)] * 4, names=_name)
