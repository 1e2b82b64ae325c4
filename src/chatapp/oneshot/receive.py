"""``chatcore receive``: print the messages that wait, or that come."""

import asyncio

from chatapp.exit_codes import ExitCode
from chatapp.oneshot.mail_printer import MailPrinter
from chatapp.oneshot.passwords import known_password
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.session import talk
from chatapp.oneshot.settings import ReceiveSettings
from chatcore.commands import DeliveryMode
from transports import Client


def run(settings: ReceiveSettings) -> int:
    """Print them; the exit status."""
    password = known_password(settings.password_file)
    comes_by_itself = settings.follow or settings.wait is not None

    async def receive(client: Client, output: RecordWriter) -> ExitCode:
        await client.login(
            settings.username,
            password,
            delivery=DeliveryMode.PUSH if comes_by_itself else DeliveryMode.MANUAL,
        )
        reading = MailPrinter(client, output, count=settings.count)
        async with asyncio.TaskGroup() as tasks:
            # A reader that has gone is noticed at once, not at the next message.
            watching = tasks.create_task(output.watch_reader())
            printing = tasks.create_task(reading.run())
            if not settings.follow:
                until_s = asyncio.get_running_loop().time() + (settings.wait or 0.0)
                await _until_nothing_waits(client, printing, tasks)
                reading.end_at(until_s)
            await printing
            watching.cancel()
        if settings.wait is not None and not reading.printed:
            return ExitCode.NOTHING_RECEIVED
        return ExitCode.DONE

    return talk(settings, receive)


async def _until_nothing_waits(
    client: Client, printing: asyncio.Task[None], tasks: asyncio.TaskGroup
) -> None:
    """Return when all that was queued is acknowledged, or enough was printed."""
    delivering = tasks.create_task(client.deliver())
    await asyncio.wait({printing, delivering}, return_when=asyncio.FIRST_COMPLETED)
    delivering.cancel()
