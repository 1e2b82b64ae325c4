"""``chatcore list``: print who has an account."""

from chatapp.exits import Exit
from chatapp.oneshot import records
from chatapp.oneshot.declared import ListSettings
from chatapp.oneshot.output import Output
from chatapp.oneshot.passwords import known_password
from chatapp.oneshot.session import talk
from chatcore.commands import DeliveryMode
from transports import Client


def run(settings: ListSettings) -> int:
    """Print a line for each account that matches; the exit status."""
    password = known_password(settings.password_file)

    async def show(client: Client, output: Output) -> Exit:
        await client.login(settings.username, password, delivery=DeliveryMode.MANUAL)
        async for entry in client.list(settings.pattern):
            await output.print(records.entry(entry))
        return Exit.DONE

    return talk(settings, show)
