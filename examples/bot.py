"""A bot: it answers what begins with "!", each message once, also when it is killed.

It acknowledges a message by asking for the next one, which is after its answer is
stored. Killed in between, it has the message again and answers it again, under the same
key: that is derived from the message's position, so that the answer is stored once.

    python examples/bot.py tcp://127.0.0.1:7400 helper

The password is asked for, or comes from CHATCORE_PASSWORD.
"""

import asyncio
import getpass
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime

from chatcore import (
    Client,
    Delivered,
    KeyExpired,
    KeyReused,
    NoSuchRecipient,
    ReconnectPolicy,
    connect,
    derived_key,
)

HELP = "I know: !echo TEXT, !time, !help"
ALWAYS = ReconnectPolicy(longest_delay_s=1.0, give_up_s=float("inf"))


def answer_to(body: str) -> str | None:
    """What the bot says; None for what is not said to it, such as by another bot."""
    if not body.startswith("!"):
        return None
    command, _, rest = body[1:].partition(" ")
    match command:
        case "echo" if rest:
            return f"you said: {rest}"
        case "time":
            return f"it is {datetime.now(UTC):%H:%M:%S} UTC"
        case _:
            return HELP


async def answer(client: Client, message: Delivered) -> None:
    """Answer one message, if it is a question."""
    body = answer_to(message.body)
    if body is None or message.sender_deleted:
        return
    key = derived_key(message.sent_at_ms, "answer", message.position)
    try:
        await client.send(message.sender, body, key=key)
    except KeyReused:
        pass  # another answer to it, such as another time, was stored before a crash
    except KeyExpired:
        await client.send(message.sender, body)  # it has waited for a week
    except NoSuchRecipient:
        pass  # who asked is deleted


async def main(url: str, username: str) -> None:
    password = os.environ.get("CHATCORE_PASSWORD") or getpass.getpass()
    async with connect(url, reconnect=ALWAYS) as client:
        await client.login(username, password, create=True)
        print(f"{client.username} is here", flush=True)
        async for message in client.messages():
            await answer(client, message)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # the block of connect has logged out
        asyncio.run(main(*sys.argv[1:3]))
