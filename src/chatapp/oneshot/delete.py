"""``chatcore delete``: show what that would do, ask, delete, show what was done."""

import asyncio

from chatapp.exits import Exit
from chatapp.faults import NotConfirmed, SettingWrong
from chatapp.oneshot import records
from chatapp.oneshot.asking import ask, can_ask
from chatapp.oneshot.declared import DeleteSettings
from chatapp.oneshot.output import Output
from chatapp.oneshot.passwords import known_password
from chatapp.oneshot.reading import Reading
from chatapp.oneshot.session import talk
from chatcore.commands import DeliveryMode, Inbox, Outbox
from transports import Client


def run(settings: DeleteSettings) -> int:
    """Delete the account, or only tell what that would do; the exit status."""
    if not (settings.dry_run or settings.yes or can_ask()):
        raise SettingWrong("There is no terminal to ask on: give --yes to delete.")
    password = known_password(settings.password_file)
    username = settings.username
    inbox, outbox = policy_of(settings)

    async def plan(client: Client, output: Output) -> None:
        would_be = await client.delete(
            username, password, inbox=inbox, outbox=outbox, dry_run=True
        )
        await output.print(records.deletion(username, would_be))

    async def delete(client: Client, output: Output) -> None:
        async with asyncio.TaskGroup() as tasks:
            if inbox is Inbox.DELIVER:
                # What waits comes to a session, which ends with the deletion.
                await client.login(username, password, delivery=DeliveryMode.MANUAL)
                tasks.create_task(Reading(client, output).run())
            receipt = await client.delete(
                username, password, inbox=inbox, outbox=outbox
            )
        await output.print(records.deletion(username, receipt))

    talk(settings, plan)
    if settings.dry_run:
        return Exit.DONE
    # The link is not held open while somebody thinks.
    if not settings.yes and ask(f"Delete {username} for ever? yes or [no]: ") != "yes":
        raise NotConfirmed("Nothing was changed.")
    talk(settings, delete)
    return Exit.DONE


def policy_of(settings: DeleteSettings) -> tuple[Inbox, Outbox]:
    """What becomes of the messages, whichever flags say it."""
    inbox, _, outbox = (settings.preset or "").partition("+")
    return (
        Inbox[(inbox or settings.inbox or "deliver").upper()],
        Outbox[(outbox or settings.outbox or "keep").upper()],
    )
