"""Why the command itself stops: one numbered line each, and the exit status.

The numbers go on where others end: 1xx to 5xx and 4000 to 4999 in ``chatcore.errors``,
6xx in ``stores.errors``. ``docs/settings.md`` lists them.
"""

from typing import ClassVar, Final

REFUSED: Final = 1
"""Exit status: the work could not be done, or part of it was refused."""

MISUSED: Final = 2
"""Exit status: what was asked makes no sense; nothing was begun."""

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the signal's number."""

PIPE_BROKEN: Final = 141
"""Exit status when nobody reads the output any more, as of SIGPIPE."""


class CommandFailed(Exception):
    """The command ends with one line on stderr and an exit status."""

    code: ClassVar[int] = 700
    status: ClassVar[int] = REFUSED

    def __str__(self) -> str:
        return f"[{self.code}] {super().__str__()}"


class SettingWrong(CommandFailed):
    """A setting that does not exist, or a value that it cannot have."""

    code = 701
    status = MISUSED


class CannotServe(CommandFailed):
    """An address that cannot be listened on."""

    code = 702


class CannotStore(CommandFailed):
    """A store that cannot be opened."""

    code = 703


class CannotReach(CommandFailed):
    """A server that cannot be connected to."""

    code = 704


class DatasetMissing(CommandFailed):
    """Something asked for the whole dataset, which is not installed."""

    code = 705
    status = MISUSED


class ServerFailed(CommandFailed):
    """The demo's server did not start, or did not stop as it should."""

    code = 706


class ReplayWrong(CommandFailed):
    """The demo lost, repeated or reordered a message."""

    code = 707


class CannotWrite(CommandFailed):
    """A file that was asked for cannot be written."""

    code = 708


class ExtraMissing(CommandFailed):
    """A transport whose library is not installed."""

    code = 709
    status = MISUSED
