"""Frames to values and back, in protobuf, JSON or msgpack (W2, W3, W5)."""

from functools import cache
from typing import Final

from transports.codec.base import AT_A_STRETCH, BrokenFrame, Codec, UnknownCodec
from transports.codec.maps import json_codec, msgpack_codec
from transports.codec.protobuf import ProtobufCodec
from transports.codec.splitting import ItemTooLarge, split

__all__ = [
    "AT_A_STRETCH",
    "CODECS",
    "BrokenFrame",
    "Codec",
    "ItemTooLarge",
    "UnknownCodec",
    "codec",
    "split",
]

CODECS: Final = ("protobuf", "json", "msgpack")
"""The name of each codec, as handshakes say it."""


@cache
def codec(name: str) -> Codec:
    """The codec of this name, the same object each time.

    Raises:
        UnknownCodec: ``name`` is not in ``CODECS``.
    """
    match name:
        case "protobuf":
            return ProtobufCodec()
        case "json":
            return json_codec()
        case "msgpack":
            return msgpack_codec()
        case _:
            raise UnknownCodec(name, CODECS)
