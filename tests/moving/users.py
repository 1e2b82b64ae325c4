"""Users of the library who write down what they do and see, for ``judge``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from chatcore.commands import DeliveryMode
from chatcore.events import Accepted, Delivered
from chatcore.ids import AccountId
from tests.proof import history
from transports import Client, LinkEvent, ReconnectPolicy, connect

PASSWORD: Final = "correct horse"
SOON: Final = ReconnectPolicy(first_delay_s=0.005, longest_delay_s=0.02)


class User:
    """One client process of one account.

    Attributes:
        links: each link that came up or was lost.
        queued: how many messages waited at the login.
        bodies: of the messages that were handed over, in order.
        positions: of those messages.
    """

    def __init__(self, records: list[history.Record]) -> None:
        self._records = records
        self._client: Client
        self._mail: AsyncIterator[Delivered]
        self._name = ""
        self.account: AccountId
        self.links: list[LinkEvent] = []
        self.queued = 0
        self.bodies: list[str] = []
        self.positions: list[int] = []

    @property
    def client(self) -> Client:
        """What the user calls."""
        return self._client

    async def come(self, client: Client, name: str, delivery: DeliveryMode) -> None:
        """Log in; the account is made when there is none."""
        login = await client.login(name, PASSWORD, create=True, delivery=delivery)
        self._client, self._name = client, name
        self._mail = client.messages()
        self.account, self.queued = login.account, login.queued
        self._records.append(history.Created(login.account, name))
        self._records.append(
            history.Began(self._seat, login.account, login.acknowledged)
        )

    @property
    def _seat(self) -> str:
        return f"{self._name} {id(self)}"

    async def send(self, recipient: str, *bodies: str) -> Sequence[Accepted]:
        """Send messages in one frame; their receipts. Bodies have to be unique."""
        for body in bodies:
            # The library has keys of its own; here a body says as well which send.
            self._records.append(
                history.Sent(body.encode(), self.account, recipient, body)
            )
        receipts: list[Accepted] = []
        answers = await self._client.send_all([(recipient, it) for it in bodies])
        for body, answer in zip(bodies, answers, strict=True):
            assert isinstance(answer, Accepted), answer
            self._records.append(
                history.Receipt(body.encode(), answer.recipient_id, answer.position)
            )
            receipts.append(answer)
        return receipts

    async def take(self, count: int) -> None:
        """Have messages handed over; asking for one acknowledges the one before."""
        for _ in range(count):
            self._note(await anext(self._mail))

    async def take_rest(self) -> None:
        """Have messages handed over until the session ends."""
        async for message in self._mail:
            self._note(message)

    def _note(self, message: Delivered) -> None:
        self.bodies.append(message.body)
        self.positions.append(message.position)
        self._records.append(
            history.Delivered(
                self._seat,
                self.account,
                message.position,
                message.follows,
                message.sender_id,
                message.body,
            )
        )


@asynccontextmanager
async def user(
    records: list[history.Record],
    name: str,
    *urls: str,
    delivery: DeliveryMode = DeliveryMode.PUSH,
) -> AsyncIterator[User]:
    """A user who is logged in over the first of these URLs while the block runs."""
    one = User(records)
    async with connect(
        urls,
        reconnect=SOON,
        on_link=one.links.append,
    ) as client:
        await one.come(client, name, delivery)
        yield one


async def look_into_mailbox(
    records: list[history.Record], name: str, url: str
) -> list[str]:
    """What waits for somebody who has gone, as the next process of theirs sees it."""
    async with user(records, name, url) as one:
        await one.take(one.queued)
        one.client.acknowledge()
    records.append(history.Remains(one.account, tuple(one.positions)))
    return one.bodies
