"""What a client makes of the limits in a server's welcome: it trusts none of them."""

from dataclasses import dataclass
from typing import Final

from chatcore.errors import InvalidBody
from chatcore.events import Welcome
from chatcore.limits import KIB, MIB
from transports.client.errors import ProtocolError

LARGEST_FRAME: Final = 4 * MIB
"""The most that is read or written as one frame, whatever a server tells: 4 MiB of
empty events take 77 (protobuf) to 513 MiB (msgpack) to decode."""

MOST_WINDOW: Final = 16 * KIB
"""The most messages that are kept unread for one link."""

_SMALLEST_FRAME: Final = 256
"""What holds a resume in any codec."""

_KEY_TIME_END_MS: Final = 1 << 47
"""Half of what a key has room for (RFC 9562, 5.7), in the year 6429."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """A server's limits, within what a client puts up with.

    Before the first welcome they are a server's defaults.

    Attributes:
        frame_bytes: the largest frame that the server reads after a login.
        login_frame_bytes: the largest that it reads before.
        body_bytes: the largest body that it accepts.
        window_messages: how much mail it sends without acknowledgement.
    """

    frame_bytes: int = MIB
    login_frame_bytes: int = 32 * KIB
    body_bytes: int = 64 * KIB
    window_messages: int = 256

    def refusal_of(self, body: str) -> InvalidBody | None:
        """Why the server would not take this body (M6); None where it does."""
        try:
            size = len(body) if body.isascii() else len(body.encode())
        except UnicodeEncodeError:  # a lone surrogate is no text
            return InvalidBody(maximum=self.body_bytes, bytes="none")
        if size > self.body_bytes:
            return InvalidBody(maximum=self.body_bytes, bytes=size)
        return None


def read_limits(welcome: Welcome) -> ServerLimits:
    """The limits of a welcome; what is too large is cut to what a client takes.

    Raises:
        ProtocolError: with these numbers nothing could be said, or no key made.
    """
    login_frame_bytes = welcome.login_frame_bytes or welcome.frame_bytes
    too_small = {
        "frame_bytes": welcome.frame_bytes < _SMALLEST_FRAME,
        "login_frame_bytes": login_frame_bytes < _SMALLEST_FRAME,
        "body_bytes": welcome.body_bytes < 1,
        "window_messages": welcome.window_messages < 1,
    }
    for name, is_too_small in too_small.items():
        if is_too_small:
            raise ProtocolError(f"Welcome tells a {name} that is too small")
    if not 0 <= welcome.server_time_ms < _KEY_TIME_END_MS:
        raise ProtocolError("Welcome tells a server_time_ms that is none")
    frame_bytes = min(welcome.frame_bytes, LARGEST_FRAME)
    return ServerLimits(
        frame_bytes=frame_bytes,
        login_frame_bytes=min(login_frame_bytes, frame_bytes),
        body_bytes=min(welcome.body_bytes, LARGEST_FRAME),
        window_messages=min(welcome.window_messages, MOST_WINDOW),
    )
