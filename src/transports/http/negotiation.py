"""What both ends agree on: paths, headers, and how an end or an error is told (W1)."""

from typing import Final

import msgspec

from chatcore.errors import CloseCode
from transports.errors import LinkClosed

PATH: Final = "/chat"
"""Where a server of ours is mounted."""
LINKS: Final = "/links"
LINKS_END: Final = "/links/end"
EVENTS: Final = "/events"
FRAMES: Final = "/frames"
HTTP: Final = "http/1.1"
"""The protocol, as TLS calls it (RFC 7301)."""
PROTOCOL: Final = "chat.v1.json"
"""Version 1, with the codec json."""
ANY_VERSION: Final = "chat.v"
PROTOCOL_HEADER: Final = "chat-protocol"
"""What a client asks for, and each answer of ours says."""
LINK_HEADER: Final = "chat-link"
"""Has the secret of a link in each request that is about one."""
ONCE: Final = "once"
"""What a query may have instead, where no header can be set: it works once."""
EVENT_STREAM: Final = "text/event-stream"
JSON: Final = "application/json"
CLOSE_EVENT: Final = b"close"


class LinkOpened(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to one who opens a link.

    Attributes:
        link: the link's secret.
        once: stands for it in one request for its events.
        events_within_ms: how soon that has to come.
    """

    link: str
    once: str
    events_within_ms: int

    def __repr__(self) -> str:
        """Without what lets somebody in (B8)."""
        return f"LinkOpened(events_within_ms={self.events_within_ms})"


class Ending(msgspec.Struct, frozen=True):
    """Why something was refused, or a link has ended: a close code of the chat's, or a
    status of HTTP's where none fits, which are below 1000; and a sentence.
    """

    code: int
    text: str

    @property
    def closed(self) -> LinkClosed:
        """What that is to who has a link."""
        try:
            return LinkClosed(CloseCode(self.code), self.text)
        except ValueError:
            return LinkClosed(CloseCode.LINK_LOST, self.text)
