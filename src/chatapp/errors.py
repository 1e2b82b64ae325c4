"""Why the command itself stops: one numbered line each, and the exit status.

The numbers go on where others end: 1xx to 5xx and 4000 to 4999 in ``chatcore.errors``,
6xx in ``chatstores.errors``. ``docs/settings.md`` lists them.
"""

import signal
from typing import ClassVar

from chatapp.exit_codes import ExitCode


class CommandFailed(Exception):
    """The command ends with one line on stderr and an exit status."""

    code: ClassVar[int] = 700
    status: ClassVar[ExitCode] = ExitCode.REFUSED

    @property
    def text(self) -> str:
        """What went wrong, without the number."""
        return super().__str__()

    def __str__(self) -> str:
        return f"[{self.code}] {self.text}"


class SettingWrong(CommandFailed):
    """A setting that does not exist, or a value that it cannot have."""

    code = 701
    status = ExitCode.MISUSED


class UsageWrong(SettingWrong):
    """Words or flags that the command does not know; ``command`` is how it began."""

    def __init__(self, command: str, text: str) -> None:
        self.command = command
        super().__init__(text)


class CannotServe(CommandFailed):
    """An address that cannot be listened on."""

    code = 702


class CannotStore(CommandFailed):
    """A store that cannot be opened."""

    code = 703


class CannotReach(CommandFailed):
    """A server that cannot be connected to."""

    code = 704
    status = ExitCode.NOT_REACHED


class DatasetMissing(CommandFailed):
    """Something asked for the whole dataset, which is not installed."""

    code = 705
    status = ExitCode.MISUSED


class ServerFailed(CommandFailed):
    """The demo's server did not start, or did not stop as it should."""

    code = 706


class ReplayWrong(CommandFailed):
    """The demo lost, repeated or reordered a message."""

    code = 707


class CannotWrite(CommandFailed):
    """A file that was asked for, or the output, cannot be written."""

    code = 708


class ExtraMissing(CommandFailed):
    """Something whose libraries are not installed; its text says what brings them."""

    code = 709
    status = ExitCode.MISUSED


class PasswordMissing(CommandFailed):
    """No password was given, and there is no terminal to ask for it."""

    code = 710
    status = ExitCode.MISUSED


class PasswordsDiffer(CommandFailed):
    """A new password was typed in two ways."""

    code = 711
    status = ExitCode.MISUSED


class NotConfirmed(CommandFailed):
    """Somebody was asked whether to go on, and did not say yes."""

    code = 712


class CannotBench(CommandFailed):
    """The comparison cannot be run as asked, or here, or a file holds no results."""

    code = 713
    status = ExitCode.MISUSED


class WouldOverwrite(CommandFailed):
    """A file that was to be written is there, and nobody said that it may go."""

    code = 714


class CannotLoad(CommandFailed):
    """A part of the application that was named cannot be found, or is no such part."""

    code = 720
    status = ExitCode.MISUSED


class AdminAskedWrongly(CommandFailed):
    """A command that the operator's socket does not know, or not in this way."""

    code = 721
    status = ExitCode.MISUSED


class Interrupted(Exception):
    """A signal asked the command to end: it does, without a word."""

    def __init__(self, number: int) -> None:
        self.status = (
            ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        )
        super().__init__(f"signal {number}")
