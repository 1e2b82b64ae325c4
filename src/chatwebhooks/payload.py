"""What a webhook says, and how it is named."""

import json
from datetime import UTC, datetime
from typing import Final

from chatcore.outbox import QueuedWebhook

STORED: Final = "message.stored"


def webhook_id(identity: bytes, it: QueuedWebhook) -> str:
    """The header ``webhook-id``: the same for each attempt, and of no other message.

    A store that was restored from a backup may give a position anew: at another time.
    """
    chat = identity.hex()[:16]
    return f"{chat}-{it.recipient_id}-{it.position}-{it.sent_at_ms}"


def payload(it: QueuedWebhook) -> bytes:
    """The body: JSON with ``type``, ``timestamp`` and ``data``, as Standard Webhooks
    has it; ``data.body`` only where it is told.
    """
    sent_at = datetime.fromtimestamp(it.sent_at_ms / 1000, UTC)
    data: dict[str, object] = {
        "sender": {"id": it.sender_id, "name": it.sender},
        "recipient": {"id": it.recipient_id, "name": it.recipient},
        "position": it.position,
        "sent_at_ms": it.sent_at_ms,
    }
    if it.body is not None:
        data["body"] = it.body
    said = {
        "type": STORED,
        "timestamp": sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": data,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
