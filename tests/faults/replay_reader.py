"""The recipient of ``replay_cut``, a process of its own that tells what it is handed.

    python -m tests.faults.replay_reader URL MESSAGES

Each line of its output is a list in JSON: ``["link", true]`` or ``false``, when its
session's link is up or lost; ``["message", position, sender, body]``, as it is handed
over; and last of all ``["queued", number]``, what its mailbox still holds then. Every
tenth message it sends back to whoever wrote it.
"""

import asyncio
import json
import sys
from typing import Final

from chatcore.commands import DeliveryMode
from chatcore.events import Accepted
from transports import Client, LinkUp, ReconnectPolicy, connect

READER: Final = "reader"
PASSWORD: Final = "correct horse"
SOON: Final = ReconnectPolicy(first_delay_s=0.0005, longest_delay_s=0.005)
ANSWERS_EVERY: Final = 10


def tell(*words: object) -> None:
    """Write a line that is out at once."""
    print(json.dumps(words), flush=True)  # noqa: T201  # for the parent process


async def read(url: str, messages: int) -> None:
    """Take so many messages, answer some of them, and tell what is left."""
    async with connect(
        url, reconnect=SOON, on_link=lambda it: tell("link", isinstance(it, LinkUp))
    ) as client:
        await client.login(READER, PASSWORD, create=True)
        answers: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answer(client, answers))
            await hear(client, messages, answers)
        client.acknowledge()
        await client.logout()
        again = await client.login(READER, PASSWORD, delivery=DeliveryMode.MANUAL)
        tell("queued", again.queued)


async def hear(
    client: Client, messages: int, answers: asyncio.Queue[tuple[str, str] | None]
) -> None:
    """Tell each message; the number that comes after the last ends it."""
    heard = 0
    async for message in client.messages():
        tell("message", message.position, message.sender, message.body)
        heard += 1
        if heard % ANSWERS_EVERY == 0:
            answers.put_nowait((message.sender, message.body))
        if heard == messages:
            answers.put_nowait(None)
            return


async def answer(
    client: Client, answers: asyncio.Queue[tuple[str, str] | None]
) -> None:
    """Send what is to be sent back, in order."""
    while (message := await answers.get()) is not None:
        (receipt,) = await client.send_all([message])
        assert isinstance(receipt, Accepted), receipt


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1], int(sys.argv[2])))
