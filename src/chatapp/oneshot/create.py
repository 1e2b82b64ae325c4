"""``chatcore create``: make an account."""

from chatapp.exits import Exit
from chatapp.oneshot import records
from chatapp.oneshot.declared import CreateSettings
from chatapp.oneshot.output import Output
from chatapp.oneshot.passwords import VARIABLE, chosen_password
from chatapp.oneshot.session import talk
from transports import Client


def run(settings: CreateSettings) -> int:
    """Make the account and print its id; the exit status."""
    password = chosen_password(
        settings.password_file, flag="--password-file", variable=VARIABLE
    )

    async def create(client: Client, output: Output) -> Exit:
        account = await client.create(settings.name, password)
        await output.print(records.created(settings.name, account))
        return Exit.DONE

    return talk(settings, create)
