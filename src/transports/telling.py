"""Running what tells an application of messages, for as long as a chat is served."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence

from chatcore import Chat

_log = logging.getLogger(__name__)


def begin_telling(
    chat: Chat, tasks: asyncio.TaskGroup
) -> Sequence["asyncio.Task[None]"]:
    """Run the chat's handlers and webhooks, where there are some."""
    work: list[Coroutine[object, None, None]] = []
    if chat.handlers is not None:
        work.append(chat.handlers.run())
    if chat.webhooks is not None:
        work.append(chat.send_webhooks())
    return [tasks.create_task(_guard(it)) for it in work]


async def finish_telling(chat: Chat, telling: Sequence["asyncio.Task[None]"]) -> None:
    """Let them finish what they have begun, for some seconds, and end them."""
    for it in (chat.handlers, chat.webhooks):
        if it is not None:
            await it.finish()
    for task in telling:
        task.cancel()


async def _guard(work: Coroutine[object, None, None]) -> None:
    """A fault in it ends it, and not the chat."""
    try:
        await work
    except Exception:  # noqa: BLE001  # as above
        _log.exception("Messages are told no more, by a fault of the server")
