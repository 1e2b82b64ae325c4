"""Keep frames under the limit: encode once, and halve only what came out too large."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from chatcore.commands import Request
from chatcore.errors import ChatError

_Item = TypeVar("_Item")


class ItemTooLarge(ChatError):
    """One item that is over the limit of a frame all by itself.

    Attributes:
        item: the command's request, or the event.
        frame_bytes: the size of a frame that holds nothing else.
        limit: the size that a frame may have.
    """

    def __init__(self, item: object, frame_bytes: int, limit: int) -> None:
        self.item = item
        self.frame_bytes = frame_bytes
        self.limit = limit
        kind = type(item.command if isinstance(item, Request) else item).__name__
        super().__init__(
            f"{kind} takes {frame_bytes} bytes; a frame has at most {limit}."
        )


def split(
    items: Sequence[_Item], encode: Callable[[Sequence[_Item]], bytes], limit: int
) -> list[bytes]:
    """Frames of at most ``limit`` bytes that hold ``items`` in order (W6).

    None for no items; one, encoded once, in the common case.

    Raises:
        ItemTooLarge: at the item that does not fit alone.
    """
    if not items:
        return []
    frame = encode(items)
    if len(frame) <= limit:
        return [frame]
    if len(items) == 1:
        raise ItemTooLarge(items[0], len(frame), limit)
    middle = len(items) // 2
    return split(items[:middle], encode, limit) + split(items[middle:], encode, limit)
