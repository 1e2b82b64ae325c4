"""The life of an application, as its ASGI server tells of it."""

import logging
from contextlib import AbstractAsyncContextManager

from chatcore.errors import ChatError
from transports.asgi.messages import Receive, Send

_log = logging.getLogger(__name__)


async def run_lifespan(
    serving: AbstractAsyncContextManager[object], receive: Receive, send: Send
) -> None:
    """Have the block entered when the server starts, and left when it stops.

    What it fails with is told to the server, which then ends.
    """
    await receive()  # that it starts
    phase = "startup"
    try:
        async with serving:
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()  # that it stops
    except Exception as error:  # noqa: BLE001  # the server has no use for it
        if not isinstance(error, ChatError):
            _log.exception("The chat's %s failed", phase)
        await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
    else:
        await send({"type": "lifespan.shutdown.complete"})
