"""A link around a link: for what changes one thing and leaves the rest as it is."""

from collections.abc import Callable, Sequence

from chatcore.errors import CloseCode
from transports.base import FrameHandler, Link
from transports.errors import LinkClosed
from transports.request_headers import headers_of


class WrappedLink:
    """See ``transports.base.Link``; all of it is asked of ``link``.

    Attributes:
        handler: who gets what arrives.
    """

    handler: FrameHandler

    def __init__(self, link: Link) -> None:
        self.link = link
        self.peer = link.peer
        self.address = link.address
        self.opened_s = link.opened_s
        self.headers = headers_of(link)

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        return self.link.active_s

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``."""
        return self.link.taken_s

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self.handler = handler
        self.link.start(self)

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        self.handler.frames_received(frames)

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        self.handler.reading_ended(end)

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        self.handler.resume_writing()

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return self.link.is_clogged

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        self.link.write(frames)

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``."""
        await self.link.close(code, text)

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self.link.abort()

    @property
    def most_frame_bytes(self) -> int:
        """See ``transports.base.Link``."""
        return self.link.most_frame_bytes

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``."""
        self.link.allow(frame_bytes)

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``."""
        self.link.hold_reading(on=on)

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``."""
        self.link.report_held(report)
