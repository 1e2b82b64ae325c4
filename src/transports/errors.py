"""What transports raise, and how an error of the system is told."""

import os
from collections.abc import Mapping
from typing import Final

from chatcore.errors import ChatError, CloseCode


class LinkClosed(ChatError):
    """The link is gone; ``code`` and ``text`` as the peer gave them, if it did.

    Without a text it is the code's.
    """

    def __init__(
        self, code: CloseCode = CloseCode.LINK_LOST, text: str | None = None
    ) -> None:
        if text is None:
            lost = code is CloseCode.LINK_LOST
            text = "The link is gone." if lost else code.text
        self.code = code
        self.text = text
        super().__init__(f"[{int(code)}] {text}")

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be written any more either."""
        return self.code is CloseCode.LINK_LOST

    def anew(self) -> "LinkClosed":
        """The same end, without where it was met: whoever keeps that keeps all that the
        frames there have, such as a connection.
        """
        return type(self)(self.code, self.text)


def frame_too_large(limit: int) -> LinkClosed:
    """How a link ends whose peer has written a frame over the limit (W6)."""
    text = f"A frame has at most {limit} bytes."
    return LinkClosed(CloseCode.FRAME_TOO_LARGE, text)


class PeerFinished(LinkClosed):
    """The peer writes no more; it may still read what it is owed."""

    @property
    def is_gone(self) -> bool:
        """See ``LinkClosed``."""
        return False


class BadUrl(ChatError):
    """A URL that no transport can listen on or dial."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url!r} cannot be used: {reason}.")


class CannotListen(ChatError):
    """An address that the machine does not let us have."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"Cannot listen on {url}: {reason}.")


class CannotConnect(ChatError):
    """A server that was not reached, or did not greet as one of ours."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"Cannot connect to {url}: {reason}.")


class WrongTransport(CannotConnect):
    """A server that speaks something else than the URL says.

    ``speaks`` is the URL scheme of what it does: ``tcp``, ``ws``, ``grpc``, ``http``,
    those with TLS, ``tls`` where no more is known, or ``web`` for a server of HTTP that
    is none of ours.
    """

    def __init__(self, url: str, speaks: str) -> None:
        self.speaks = speaks
        without = " without TLS" if url.partition(":")[0] == f"{speaks}s" else ""
        super().__init__(url, f"this port speaks {_SPOKEN[speaks]}{without}")


_SPOKEN: Final[Mapping[str, str]] = {
    "tcp": "raw TCP",
    "ws": "WebSocket",
    "grpc": "gRPC",
    "http": "HTTP",
    "web": "HTTP, and is no chat server",
    "tcps": "raw TCP with TLS",
    "wss": "WebSocket with TLS",
    "grpcs": "gRPC with TLS",
    "https": "HTTP with TLS",
    "tls": "TLS",
}


_NO_CERTIFICATE: Final = "it wants a client's certificate"
_ALERTS: Final[Mapping[str, str]] = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _NO_CERTIFICATE,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": f"it refuses; perhaps {_NO_CERTIFICATE}",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not accept this client's certificate",
}


def reason_of(error: OSError) -> str:
    """What an error of the system says, without asyncio's details."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    # The attributes of ssl's errors, which say more than the system's text would.
    if unverified := getattr(error, "verify_message", ""):
        return f"its certificate is not accepted: {str(unverified).rstrip('.')}"
    if fault := getattr(error, "reason", ""):
        return _ALERTS.get(fault, f"TLS failed: {fault.replace('_', ' ').lower()}")
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
