"""A link of two coroutines: what they raise ends it, quietly or by name."""

import asyncio
from collections.abc import Sequence

import pytest

from chatcore.errors import CloseCode
from transports.errors import LinkClosed, PeerFinished
from transports.task_link import TaskLink

NAME = f"{__name__}.Attic"


class Attic(TaskLink):
    """Raises what it is told to, in both directions."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    async def receive(self) -> Sequence[bytes]:
        raise self._fault

    async def send(self, frames: Sequence[bytes]) -> None:  # noqa: ARG002  # it raises
        raise self._fault


class Ends:
    """Takes how a link ends."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[LinkClosed] = asyncio.Queue()

    def frames_received(self, frames: Sequence[bytes]) -> None:
        raise AssertionError(frames)

    def reading_ended(self, end: LinkClosed) -> None:
        self.told.put_nowait(end)

    def resume_writing(self) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("fault", "code", "is_gone", "logged"),
    [
        (LinkClosed(), CloseCode.LINK_LOST, True, []),
        (PeerFinished(), CloseCode.LINK_LOST, False, []),
        (ConnectionResetError(104, "reset"), CloseCode.LINK_LOST, True, []),
        (LinkClosed(CloseCode.BROKEN_FRAME), CloseCode.BROKEN_FRAME, False, []),
        (
            ZeroDivisionError(),
            CloseCode.LINK_LOST,
            True,
            [f"{NAME} could not read", f"{NAME} could not write"],
        ),
    ],
    ids=["gone", "finished", "system", "code", "fault"],
)
async def test_what_a_coroutine_raises_is_the_end_of_its_link(
    fault: Exception,
    code: CloseCode,
    is_gone: bool,  # noqa: FBT001  # of a parameter list
    logged: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    link, handler = Attic(fault), Ends()

    link.start(handler)
    link.write([b"a frame"])
    async with asyncio.timeout(10):
        ends = [await handler.told.get() for _ in range(2)]

    assert {(it.code, it.is_gone) for it in ends} == {(code, is_gone)}
    assert [it.getMessage() for it in caplog.records] == logged
    assert not link.is_clogged
