"""Where a link can end at the worst moment, and how: the words of test and server."""

from enum import Enum
from typing import Final


class Point(Enum):
    """A moment in the way of one message, or of one deletion."""

    BEFORE_READ = "before_read"
    """The command has arrived, and nobody has read it."""
    STORED_BEFORE_RECEIPT = "stored_before_receipt"
    """It is committed, and its receipt is not written."""
    RECEIPT_WRITTEN = "receipt_written"
    """The receipt has been written."""
    DELIVERED_BEFORE_ACKNOWLEDGEMENT = "delivered_before_acknowledgement"
    """The delivery has been written, and is not acknowledged."""
    AMID_DELETION = "amid_deletion"
    """Of what a deletion delivers, the first message is acknowledged."""


class Way(Enum):
    """How a link ends."""

    CUT = "cut"
    """The link alone; the server goes on."""
    KILLED = "killed"
    """With the server's process, which has no time to do anything."""


TRANSPORTS: Final = {"tcp": "tcp", "websocket": "ws", "grpc": "grpc", "http": "http"}
"""The transports by name, with their URL schemes."""
