"""Frames of one item in protobuf, to and from the item's own bytes.

A frame is a message whose one field is repeated. So in protobuf's binary form it is the
field's tag, the item's length and its bytes, for each item (Protocol Buffers, Encoding:
Message Structure). Where people chat, most frames have one item. Without the frame's
message, and the list in it, they cost less.
"""

from typing import Final

_TAG: Final = 0x0A
"""Field 1 of a frame: an item, with its length before it."""
_BITS: Final = 7
_MORE: Final = 1 << _BITS
"""The bit of a length's byte that says that more follows."""


def only_item(frame: bytes) -> bytes | None:
    """The bytes of the one item that ``frame`` consists of.

    None where it is anything else, or longer than two bytes can say: the general way
    reads that, and explains what is wrong.
    """
    start, length = 2, len(frame) - 2
    if length < 1 or frame[0] != _TAG:
        return None
    told = frame[1]
    if told >= _MORE:
        if frame[2] >= _MORE:
            return None
        start, length = 3, length - 1
        told += (frame[2] - 1) << _BITS
    return frame[start:] if told == length else None


def frame_of(item: bytes) -> bytes:
    """The frame that consists of one item."""
    rest = len(item)
    if rest < _MORE:
        return bytes((_TAG, rest)) + item
    head = [_TAG]
    while rest >= _MORE:
        head.append(rest % _MORE | _MORE)
        rest >>= _BITS
    return bytes((*head, rest)) + item
