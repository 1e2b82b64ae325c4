"""``chatcore delete``: show what that would do, ask, delete, show what was done."""

import asyncio

from chatapp.errors import NotConfirmed, SettingWrong
from chatapp.exit_codes import ExitCode
from chatapp.oneshot import records
from chatapp.oneshot.mail_printer import MailPrinter
from chatapp.oneshot.passwords import known_password
from chatapp.oneshot.prompts import ask, can_ask
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.session import talk
from chatapp.oneshot.settings import DeleteSettings
from chatcore.commands import DeliveryMode, InboxAction, OutboxAction
from transports import Client


def run(settings: DeleteSettings) -> int:
    """Delete the account, or only tell what that would do; the exit status."""
    if not (settings.dry_run or settings.yes or can_ask()):
        raise SettingWrong("There is no terminal to ask on: give --yes to delete.")
    password = known_password(settings.password_file)
    username = settings.username
    inbox, outbox = policy_of(settings)

    async def plan(client: Client, output: RecordWriter) -> None:
        would_be = await client.delete(
            username, password, inbox=inbox, outbox=outbox, dry_run=True
        )
        await output.print(records.deletion(username, would_be))

    async def delete(client: Client, output: RecordWriter) -> None:
        async with asyncio.TaskGroup() as tasks:
            if inbox is InboxAction.DELIVER:
                # What waits comes to a session, which ends with the deletion.
                await client.login(username, password, delivery=DeliveryMode.MANUAL)
                tasks.create_task(MailPrinter(client, output).run())
            receipt = await client.delete(
                username, password, inbox=inbox, outbox=outbox
            )
        await output.print(records.deletion(username, receipt))

    talk(settings, plan)
    if settings.dry_run:
        return ExitCode.DONE
    # The link is not held open while somebody thinks.
    if not settings.yes and ask(f"Delete {username} for ever? yes or [no]: ") != "yes":
        raise NotConfirmed("Nothing was changed.")
    talk(settings, delete)
    return ExitCode.DONE


def policy_of(settings: DeleteSettings) -> tuple[InboxAction, OutboxAction]:
    """What becomes of the messages, whichever flags say it."""
    inbox, _, outbox = (settings.preset or "").partition("+")
    return (
        InboxAction[(inbox or settings.inbox or "deliver").upper()],
        OutboxAction[(outbox or settings.outbox or "keep").upper()],
    )
