"""A deletion whose server is killed while the bounces go out (D4, D5, D6)."""

import asyncio
from collections import Counter
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from chatcore.commands import Delete, Inbox
from chatcore.errors import NoSuchRecipient
from chatcore.events import Accepted, Bounced, Deleted
from chatcore.ids import Position
from chatcore.model import DeletionReceipt
from stores import open_store
from tests.faults.servers import server_process
from transports import Client, Reconnecting, connect
from transports.client.keys import KeyMaker
from transports.system.clock import SystemClock

PASSWORD: Final = "correct horse"
SENDERS: Final = [f"sender{n:02}" for n in range(50)]
EACH: Final = 100
STEP: Final = 50
PATIENT: Final = Reconnecting(first_delay_s=0.01, longest_delay_s=0.1)


@pytest.mark.slow
@pytest.mark.rule("D4", "D5", "D6", "A5")
async def test_a_deletion_that_a_crash_interrupts_bounces_each_message_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small steps leave a wide gap between the decision and the last bounce.
    monkeypatch.setenv("CHATCORE_LIMIT_CLEANUP_ROWS", str(STEP))
    monkeypatch.setenv("CHATCORE_LIMIT_BOUNCE_MESSAGES", str(STEP))
    key = KeyMaker(SystemClock().now_ms).make()
    deletion = Delete(
        username="bob", password=PASSWORD, inbox=Inbox.DISCARD, key=bytes(key)
    )
    async with server_process(tmp_path) as server, connected(server.url) as deleter:
        await deleter.create("bob", PASSWORD)
        receipts = await send_from_all(server.url)
        would = await deleter.delete(
            "bob", PASSWORD, inbox=Inbox.DISCARD, dry_run=True
        )

        async with connected(server.url) as watcher, asyncio.TaskGroup() as tasks:
            await watcher.login(SENDERS[0], PASSWORD)
            deleting = tasks.create_task(deleter._ask(deletion, Deleted))
            watched = [await next_bounce(watcher)]
            await server.kill()
            was_under_way = not deleting.done()
            left = await pending_deletions(tmp_path)
            await server.start()
            first = (await deleting).receipt
            watched += await bounces_until(watcher, EACH - STEP)
            watcher.acknowledge()

        bounced = await bounces_of_all(server.url)
        bounced[SENDERS[0]] += watched
        again = await deleter._ask(deletion, Deleted)
        with pytest.raises(NoSuchRecipient):
            await send_as(server.url, SENDERS[1])

    assert was_under_way
    assert left == 1
    assert would == counted(dry_run=True)
    assert first == again.receipt == counted(dry_run=False)
    for sender in SENDERS:
        named = Counter(it for bounce in bounced[sender] for it in bounce.positions)
        assert named == Counter(receipts[sender]), sender
        assert {it.recipient for it in bounced[sender]} == {"bob"}
