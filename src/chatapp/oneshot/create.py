"""``chatcore create``: make an account."""

from chatapp.exit_codes import ExitCode
from chatapp.oneshot import records
from chatapp.oneshot.passwords import VARIABLE, chosen_password
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.session import talk
from chatapp.oneshot.settings import CreateSettings
from transports import Client


def run(settings: CreateSettings) -> int:
    """Make the account and print its id; the exit status."""
    password = chosen_password(
        settings.password_file, flag="--password-file", variable=VARIABLE
    )

    async def create(client: Client, output: RecordWriter) -> ExitCode:
        account = await client.create(
            settings.name, password, invitation=settings.invitation
        )
        await output.print(records.created(settings.name, account))
        return ExitCode.DONE

    return talk(settings, create)
