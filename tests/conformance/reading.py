"""Reading from a client of the library, with an end to the waiting."""

import asyncio
from typing import Final

from chatcore.events import Bounced, Delivered
from transports import Client

WITHIN_S: Final = 10.0


async def take(client: Client, count: int) -> list[Delivered]:
    """The next messages; the last of them is not acknowledged yet (M5)."""
    messages = client.messages()
    async with asyncio.timeout(WITHIN_S):
        return [await anext(messages) for _ in range(count)]


async def take_bodies(client: Client, count: int) -> list[str]:
    """What the next messages say."""
    return [it.body for it in await take(client, count)]


async def take_bounce(client: Client) -> Bounced:
    """The next piece of mail, which has to be a bounce."""
    async with asyncio.timeout(WITHIN_S):
        mail = await anext(client.mail())
    assert isinstance(mail, Bounced), mail
    return mail
