"""A bridge between two chats: people on one server write to people on the other.

Who is on the west is on the east as "name.west", and the other way round. The bridge is
logged in as each of these stand-ins. What ada writes to bob.west on the east, that
stand-in receives, and the bridge sends it on the west, to bob, as ada.east; bob answers
ada.east.

- Nothing is lost: a message is acknowledged on its side once it is stored on the other.
- Nothing comes twice: it is sent under a key that is derived from where it was taken
  from, so that the bridge may be killed at any time, and so may either server.
- Nothing goes round: what a stand-in receives goes to a person and never to a stand-in,
  and what stand-ins send is not passed on.
- Nothing is overtaken: a stand-in passes on one message after the other. While a
  mailbox is full or a server away, what comes after waits in the store of its own side.

    python examples/bridge.py tcp://127.0.0.1:7400=ada,eve tcp://127.0.0.1:7500=bob

The first server is the east. Names must not hold a dot. The stand-ins' password is in
CHATCORE_PASSWORD; who else knows it could speak in their names.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress

from chatcore import (
    Client,
    Delivered,
    InvalidBody,
    KeyExpired,
    NoSuchRecipient,
    ReconnectPolicy,
    Refusal,
    connect,
    derived_key,
)

ALWAYS = ReconnectPolicy(longest_delay_s=1.0, give_up_s=float("inf"))
RETRY_S = 0.5


class Side:
    """One of the two chats.

    Attributes:
        name: what the stand-ins of its people are called after, on the other side.
        people: who of it is reached from the other side.
        stand_ins: by the name of a person of the other side, its stand-in here.
    """

    def __init__(self, name: str, url: str, people: list[str]) -> None:
        self.name = name
        self.url = url
        self.people = people
        self.stand_ins: dict[str, Client] = {}

    async def admit(self, other: "Side", password: str, opened: AsyncExitStack) -> None:
        """Log in here for each person of the other side."""
        for person in other.people:
            client = await opened.enter_async_context(
                connect(self.url, reconnect=ALWAYS)
            )
            await client.login(f"{person}.{other.name}", password, create=True)
            self.stand_ins[person] = client


async def pass_on(message: Delivered, person: str, here: Side, there: Side) -> None:
    """Send to a person there what their stand-in here has received."""
    speaker = there.stand_ins.get(message.sender)
    if speaker is None:
        await refuse(message, person, here, "only people of this bridge can write here")
        return
    account = here.stand_ins[person].account or 0
    key = derived_key(message.sent_at_ms, here.name, account, message.position)
    while True:
        try:
            await speaker.send(person, message.body, key=key)
        except KeyExpired:
            key = None  # the bridge was away for a week: no key is known for so long
        except (NoSuchRecipient, InvalidBody) as refusal:
            await refuse(message, person, here, str(refusal))
            return
        except Refusal as refusal:
            print(f"{person} cannot have it yet: {refusal}", flush=True)
            await asyncio.sleep(RETRY_S)  # such as a full mailbox
        else:
            return


async def refuse(message: Delivered, person: str, here: Side, why: str) -> None:
    """Tell the sender, unless that is a stand-in, which nobody reads."""
    if message.sender.endswith((".east", ".west")) or message.sender_deleted:
        return
    key = derived_key(message.sent_at_ms, "refused", message.position)
    try:
        await here.stand_ins[person].send(message.sender, why, key=key)
    except Refusal as refusal:
        print(f"{message.sender} cannot be told: {refusal}", flush=True)


async def carry(person: str, here: Side, there: Side) -> None:
    """Pass on all that a stand-in receives; asking for the next acknowledges one."""
    async for message in here.stand_ins[person].messages():
        await pass_on(message, person, here, there)


async def main(*sides: str) -> None:
    password = os.environ["CHATCORE_PASSWORD"]
    parts = [it.rpartition("=") for it in sides]
    east, west = (
        Side(name, url, people.split(","))
        for name, (url, _, people) in zip(("east", "west"), parts, strict=True)
    )
    async with AsyncExitStack() as opened:
        await east.admit(west, password, opened)
        await west.admit(east, password, opened)
        print("the bridge is open", flush=True)
        async with asyncio.TaskGroup() as tasks:
            for here, there in ((east, west), (west, east)):
                for person in here.stand_ins:
                    tasks.create_task(carry(person, here, there))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # what was not passed on comes again
        asyncio.run(main(*sys.argv[1:]))
