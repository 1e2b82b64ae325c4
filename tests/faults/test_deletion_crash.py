"""A deletion whose server is killed while the bounces go out (D4, D5, D6)."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import pytest

from chatcore.commands import Delete, InboxAction
from chatcore.errors import NoSuchRecipient
from chatcore.events import Accepted, Bounced, Deleted
from chatcore.ids import IdempotencyKey, Position
from chatcore.model import DeletionReceipt
from chatstores import open_store
from chatsystem.clock import SystemClock
from tests.faults.servers import server_process
from tests.stores import StoreKind
from transports import Client, ReconnectPolicy, connect
from transports.client.key_generator import KeyGenerator

PASSWORD: Final = "correct horse"
SENDERS: Final = [f"sender{n:02}" for n in range(50)]
EACH: Final = 100
STEP: Final = 50
PATIENT: Final = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.1)
COUNTED: Final = DeletionReceipt(
    discarded=len(SENDERS) * EACH, bounces=len(SENDERS) * EACH // STEP
)


@pytest.mark.slow
@pytest.mark.rule("D4", "D5", "D6", "A5")
async def test_a_deletion_that_a_crash_interrupts_bounces_each_message_once(
    tmp_path: Path, durable_kind: StoreKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small steps leave much to do between the decision and the last bounce.
    monkeypatch.setenv("CHATCORE_LIMIT_CLEANUP_ROWS", str(STEP))
    monkeypatch.setenv("CHATCORE_LIMIT_BOUNCE_MESSAGES", str(STEP))
    key = KeyGenerator(secrets.randbits).make(SystemClock().now_ms())
    async with (
        server_process(tmp_path, durable_kind) as server,
        connected(server.url) as deleter,
    ):
        await deleter.create("bob", PASSWORD)
        stored = await positions_of_all(server.url)
        would = await deleter.delete(
            "bob", PASSWORD, inbox=InboxAction.DISCARD, dry_run=True
        )

        async with connected(server.url) as watcher, asyncio.TaskGroup() as tasks:
            await watcher.login(SENDERS[0], PASSWORD)
            deleting = tasks.create_task(delete_bob(deleter, key))
            watched = await next_bounces(watcher, 1)
            await server.kill()
            had_no_answer = not deleting.done()
            left_to_do = await pending_deletions(durable_kind.url_in(tmp_path))
            await server.start()
            did = await deleting
            watched += await next_bounces(watcher, EACH // STEP - 1)
            watcher.acknowledge()
            # It may be between two links yet: what asks something waits for the next.
            await watcher.logout()

        bounced = {it: await waiting_bounces(server.url, it) for it in SENDERS}
        bounced[SENDERS[0]] = [*watched, *bounced[SENDERS[0]]]
        async with connected(server.url) as anyone:
            again = await delete_bob(anyone, key)
            await anyone.login(SENDERS[1], PASSWORD)
            with pytest.raises(NoSuchRecipient):
                await anyone.send("bob", "still there?")

    assert had_no_answer
    assert left_to_do == 1
    assert (would.discarded, would.bounces) == (COUNTED.discarded, COUNTED.bounces)
    assert did == again == COUNTED
    for sender in SENDERS:
        named = Counter(it for bounce in bounced[sender] for it in bounce.positions)
        assert named == Counter(stored[sender]), sender
        assert {it.recipient for it in bounced[sender]} == {"bob"}


def connected(url: str) -> AbstractAsyncContextManager[Client]:
    """A client that waits for its server as long as a restart takes."""
    return connect(url, reconnect=PATIENT)


async def positions_of_all(url: str) -> Mapping[str, list[Position]]:
    """Have each sender write to ``bob``; the positions that its messages were given."""

    async def write(sender: str) -> list[Position]:
        async with connected(url) as client:
            await client.login(sender, PASSWORD, create=True)
            receipts = await client.send_all([("bob", str(n)) for n in range(EACH)])
            return [it.position for it in receipts if isinstance(it, Accepted)]

    async with asyncio.TaskGroup() as tasks:
        writing = {it: tasks.create_task(write(it)) for it in SENDERS}
    return {sender: task.result() for sender, task in writing.items()}


async def delete_bob(client: Client, key: IdempotencyKey) -> DeletionReceipt:
    """Delete ``bob`` under a key of our own, so that another client can repeat it."""
    command = Delete(
        username="bob", password=PASSWORD, inbox=InboxAction.DISCARD, key=bytes(key)
    )
    return (await client._ask(command, Deleted)).receipt


async def next_bounces(client: Client, count: int) -> list[Bounced]:
    """The next pieces of mail, which have to be bounces."""
    mail = client.mail()
    bounces: list[Bounced] = []
    async with asyncio.timeout(20):
        while len(bounces) < count:
            piece = await anext(mail)
            assert isinstance(piece, Bounced), piece
            bounces.append(piece)
    return bounces


async def waiting_bounces(url: str, sender: str) -> list[Bounced]:
    """All that waits for a sender."""
    async with connected(url) as client:
        queued = (await client.login(sender, PASSWORD)).queued
        return await next_bounces(client, queued)


async def pending_deletions(url: str) -> int:
    """How many deletions a store has not worked off, while no server runs on it."""
    async with open_store(url) as store:
        return len(await store.pending_deletions())
