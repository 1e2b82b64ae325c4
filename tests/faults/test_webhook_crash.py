"""A server is killed between a message's commit and its webhook, and none is lost."""

import asyncio
from pathlib import Path

import pytest

from chatstores.sqlite.checking import check
from tests.faults.servers import server_process
from tests.webhook_receiver import SECRET, Receiver, receiving
from transports import connect

PASSWORD = "correct horse"
MESSAGES = 60


def webhook_flags(receiver: Receiver, folder: Path) -> str:
    """What tells a server of a receiver."""
    secret = folder / "webhook-secret"
    secret.write_text(SECRET, encoding="ascii")
    secret.chmod(0o600)
    return f"--webhook {receiver.url} --webhook-secret-file {secret}"


async def send(url: str, *bodies: str) -> None:
    """Have messages stored, each with its receipt."""
    async with connect(url) as ada:
        await ada.login("ada", PASSWORD, create=True)
        receipts = await ada.send_all([("ada", body) for body in bodies])
        assert len(receipts) == len(bodies)


@pytest.mark.rule("M1")
async def test_each_message_is_told_at_least_once_however_often_it_is_killed(
    tmp_path: Path,
) -> None:
    async with receiving(is_open=False) as receiver:
        flags = webhook_flags(receiver, tmp_path)
        async with server_process(tmp_path, flags=flags) as server:
            # Some are under way when it is killed, and none was answered.
            await send(server.url, *map(str, range(MESSAGES)))
            await receiver.until(lambda it: len(it.requests) > 0)
            await server.kill()
            before = len(receiver.requests)

            # Some are taken, and it is killed before it has heard of all.
            await server.start()
            await receiver.until(lambda it: len(it.requests) > before)
            receiver.is_open.set()
            await receiver.until(lambda it: len(it.requests) > before + 10)
            await server.kill()

            await server.start()
            await receiver.until_positions(*range(1, MESSAGES + 1))
            status = await server.stop()

    names = {(it.position, it.id) for it in receiver.requests}
    assert len(names) == MESSAGES
    assert all(it.is_signed() for it in receiver.requests)
    assert status == 0
    assert check(tmp_path / "chat.db").findings == []


async def test_what_nobody_could_be_told_of_is_told_after_a_restart(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver:
        flags = webhook_flags(receiver, tmp_path)
    port = int(receiver.url.split(":")[2].partition("/")[0])
    async with server_process(tmp_path, flags=flags) as server:
        await send(server.url, "one", "two")
        await server.kill()
        async with receiving(port=port) as receiver, asyncio.TaskGroup() as tasks:
            tasks.create_task(receiver.until_positions(1, 2))
            await server.start()

    assert {it.data["recipient"]["name"] for it in receiver.requests} == {"ada"}
