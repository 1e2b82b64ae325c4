"""Writes down for ``history`` what clients of the library see, as they see it.

One ``Recorder`` for a run, one ``Witness`` for each client process in it::

    recorder = Recorder()
    ada = await recorder.login(client, "ada", process="ada's phone")
    await ada.send("bob", "hello")
    async for mail in ada.mail():
        ...
    recorder.restarted()
    await recorder.look_into(store)
    assert judge(recorder.records) == []
"""

import secrets
import time
from collections.abc import AsyncIterator

from chatcore import events
from chatcore.commands import InboxAction, OutboxAction
from chatcore.errors import Closed, OutcomeUnknown, Refusal
from chatcore.ids import BEFORE_FIRST, AccountId, IdempotencyKey
from chatcore.model import DeletionReceipt
from chatcore.store import Store
from tests.proof import history
from transports import Client
from transports.client.key_generator import KeyGenerator

PAGE = 1000


class Recorder:
    """The one observer of a run."""

    def __init__(self) -> None:
        self.records: list[history.Record] = []
        self.accounts: set[AccountId] = set()
        self.keys = KeyGenerator(secrets.randbits)

    async def login(
        self, client: Client, username: str, password: str, *, process: str
    ) -> "Witness":
        """Log a client in; its account is made when there is none."""
        login = await client.login(username, password, create=True)
        if login.account not in self.accounts:
            self.accounts.add(login.account)
            self.records.append(history.Created(login.account, login.username))
        began = history.Began(process, login.account, login.acknowledged)
        self.records.append(began)
        return Witness(self, client, process, login.account)

    def restarted(self) -> None:
        """Another server process has taken over."""
        self.records.append(history.Restarted())

    async def look_into(self, store: Store) -> None:
        """Note what is left in each mailbox; nobody may use the store meanwhile."""
        gone = {it.account for it in self.records if isinstance(it, history.Deleted)}
        for account in self.accounts - gone:
            positions: list[int] = []
            after = BEFORE_FIRST
            while mail := await store.read(
                account, after=after, messages=PAGE, body_bytes=PAGE * PAGE
            ):
                after = mail[-1].position
                positions += [it.position for it in mail]
            self.records.append(history.Remains(account, tuple(positions)))


class Witness:
    """One logged-in client, whose doings are written down."""

    def __init__(
        self, recorder: Recorder, client: Client, process: str, account: AccountId
    ) -> None:
        self._recorder = recorder
        self._client = client
        self._process = process
        self.account = account

    async def send(
        self, recipient: str, body: str, *, key: IdempotencyKey | None = None
    ) -> events.Accepted | Refusal | None:
        """Send; the receipt, the refusal, or None where nobody knows."""
        records = self._recorder.records
        if key is None:
            key = self._recorder.keys.make(time.time_ns() // 1_000_000)
        records.append(history.Sent(key, self.account, recipient, body))
        try:
            receipt = await self._client.send(recipient, body, key=key)
        except OutcomeUnknown:
            return None
        except Refusal as refusal:
            records.append(history.Refused(key))
            return refusal
        except Closed:
            return None
        records.append(history.Receipt(key, receipt.recipient_id, receipt.position))
        return receipt

    async def mail(self) -> AsyncIterator[events.Delivered | events.Bounced]:
        """The client's mail; asking for more acknowledges what came before."""
        records, process, account = (
            self._recorder.records,
            self._process,
            self.account,
        )
        handed = BEFORE_FIRST
        async for it in self._client.mail():
            if handed:
                records.append(history.Acknowledged(account, handed))
            handed = it.position
            if isinstance(it, events.Delivered):
                records.append(
                    history.Delivered(
                        process, account, handed, it.follows, it.sender_id, it.body
                    )
                )
            else:
                records.append(
                    history.Bounced(
                        process,
                        account,
                        handed,
                        it.follows,
                        it.recipient_id,
                        it.positions,
                    )
                )
            yield it

    async def delete(
        self, username: str, password: str, *, inbox: InboxAction, outbox: OutboxAction
    ) -> DeletionReceipt:
        """Delete the account that is logged in."""
        receipt = await self._client.delete(
            username, password, inbox=inbox, outbox=outbox
        )
        self._recorder.records.append(
            history.Deleted(
                self.account,
                outbox is OutboxAction.RETRACT,
                inbox is InboxAction.DISCARD,
            )
        )
        return receipt
