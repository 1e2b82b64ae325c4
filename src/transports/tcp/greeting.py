"""The first line each way: the version, and the codec of all that follows (W1, W2).

The client writes ``CHAT/1 json``, ``CHAT/1 msgpack`` or ``CHAT/1 protobuf``; the server
answers ``CHAT/1 ok``, or ``CHAT/1 error CODE TEXT`` and closes.
"""

from typing import Final

from chatcore.errors import CloseCode
from transports.base import LinkClosed
from transports.codec import CODECS, Codec, codec
from transports.framing import Framing, LengthFraming, LineFraming

MAX_LINE_BYTES: Final = 256
_NAME: Final = "CHAT"
_VERSION: Final = "1"


def greet(codec_name: str) -> bytes:
    """The client's line."""
    return f"{_NAME}/{_VERSION} {codec_name}\n".encode()


WELCOME: Final = f"{_NAME}/{_VERSION} ok\n".encode()


def refuse(refused: LinkClosed) -> bytes:
    """The server's line to a client that it cannot serve."""
    return f"{_NAME}/{_VERSION} error {int(refused.code)} {refused.text}\n".encode()


def read_greeting(line: bytes) -> Codec:
    """The codec that a client's line asks for.

    Raises:
        LinkClosed: with the code and text to refuse it with.
    """
    words = line.decode("ascii", "replace").split()
    known = ", ".join(CODECS)
    protocol, _, version = (words[0] if words else "").partition("/")
    if protocol != _NAME:
        raise LinkClosed(
            CloseCode.BROKEN_FRAME,
            f"Begin with a line such as {_NAME}/{_VERSION} json; codecs: {known}.",
        )
    if version != _VERSION:
        raise LinkClosed(
            CloseCode.WRONG_VERSION, f"This server speaks version {_VERSION}."
        )
    if len(words) != 2 or words[1] not in CODECS:  # noqa: PLR2004  # version and codec
        raise LinkClosed(
            CloseCode.BROKEN_FRAME, f"Name one codec after the version: {known}."
        )
    return codec(words[1])


def read_welcome(line: bytes) -> None:
    """Check the server's line.

    Raises:
        LinkClosed: the server refused, with its code, or is none of ours.
    """
    if line.strip() == WELCOME.strip():
        return
    words = line.decode("utf-8", "replace").split(maxsplit=3)
    if len(words) == 4 and words[0].startswith(_NAME) and words[1] == "error":  # noqa: PLR2004  # as in refuse()
        try:
            code = CloseCode(int(words[2]))
        except ValueError:
            code = CloseCode.WRONG_VERSION
        raise LinkClosed(code, words[3].strip())
    raise LinkClosed(CloseCode.WRONG_VERSION, "What answers there is no chat server.")


def framing_for(chosen: Codec, frame_bytes: int) -> Framing:
    """JSON is a frame a line; the others stand behind their length (W2)."""
    return LineFraming(frame_bytes) if chosen.text else LengthFraming(frame_bytes)
