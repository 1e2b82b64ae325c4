"""Commands that were read and not carried out, counted (W8, B1, B2)."""

from collections.abc import Sequence
from typing import Final

from chatcore.commands import Request

_COMMAND_BYTES: Final = 256
"""What a short command holds beside its text."""


class CommandQueue:
    """A queue of commands, and the bytes of the frames that they came in.

    A frame's bytes count until the last of its commands is done.

    Attributes:
        frame_bytes: of all frames that have a command which is not done.
    """

    __slots__ = ("_done", "_frames", "_put", "_requests", "frame_bytes")

    def __init__(self) -> None:
        self._requests: list[Request] = []
        # Commands up to here, bytes. No deque: an empty one takes 0.7 KiB.
        self._frames: list[tuple[int, int]] = []
        self._put = 0
        self._done = 0
        self.frame_bytes = 0

    def __len__(self) -> int:
        """How many are not done: those that wait, and those being carried out."""
        return self._put - self._done

    @property
    def held_bytes(self) -> int:
        """What they hold in memory, about."""
        return self.frame_bytes + len(self) * _COMMAND_BYTES

    @property
    def waits(self) -> bool:
        """Whether there is something to carry out."""
        return bool(self._requests)

    @property
    def waiting(self) -> Sequence[Request]:
        """What is to be carried out, in order."""
        return self._requests

    def put(self, requests: Sequence[Request], frame_bytes: int) -> None:
        """Queue what came in one frame."""
        self._requests.extend(requests)
        self._put += len(requests)
        self._frames.append((self._put, frame_bytes))
        self.frame_bytes += frame_bytes

    def take(self, most: int) -> Sequence[Request]:
        """At most so many commands, to be carried out now."""
        if len(self._requests) <= most:
            taken, self._requests = self._requests, []
        else:
            taken = self._requests[:most]
            del self._requests[:most]
        return taken

    def finish(self, commands: int) -> None:
        """Take note that so many were carried out."""
        self._done = min(self._done + commands, self._put)  # it may be dropped
        done_frames = 0
        for last, frame_bytes in self._frames:
            if last > self._done:
                break
            self.frame_bytes -= frame_bytes
            done_frames += 1
        if done_frames:
            del self._frames[:done_frames]

    def drop(self) -> None:
        """Let go of all that waits: nobody wants it carried out any more."""
        self._requests = []
        self._frames.clear()
        self._done = self._put
        self.frame_bytes = 0
