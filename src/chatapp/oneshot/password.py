"""``chatcore password``: replace a password."""

from chatapp.exit_codes import ExitCode
from chatapp.oneshot import records
from chatapp.oneshot.passwords import NEW_VARIABLE, chosen_password, known_password
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.session import talk
from chatapp.oneshot.settings import PasswordSettings
from chatcore.commands import DeliveryMode
from transports import Client


def run(settings: PasswordSettings) -> int:
    """Replace it; the exit status."""
    old = known_password(settings.password_file)
    new = chosen_password(
        settings.new_password_file, flag="--new-password-file", variable=NEW_VARIABLE
    )

    async def change(client: Client, output: RecordWriter) -> ExitCode:
        await client.login(settings.username, old, delivery=DeliveryMode.MANUAL)
        await client.change_password(old, new)
        await output.print(records.password_changed(settings.username))
        return ExitCode.DONE

    return talk(settings, change)
