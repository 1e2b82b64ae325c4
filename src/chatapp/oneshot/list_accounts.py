"""``chatcore list``: print who has an account."""

from chatapp.exit_codes import ExitCode
from chatapp.oneshot import records
from chatapp.oneshot.passwords import known_password
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.session import talk
from chatapp.oneshot.settings import ListSettings
from chatcore.commands import DeliveryMode
from transports import Client


def run(settings: ListSettings) -> int:
    """Print a line for each account that matches; the exit status."""
    password = known_password(settings.password_file)

    async def show(client: Client, output: RecordWriter) -> ExitCode:
        await client.login(settings.username, password, delivery=DeliveryMode.MANUAL)
        async for entry in client.list(settings.pattern):
            await output.print(records.entry(entry))
        return ExitCode.DONE

    return talk(settings, show)
