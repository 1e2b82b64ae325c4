"""Where commands that show tables and bars print them."""

from rich.console import Console


class CommandConsole(Console):
    """A console that leaves it to the command what a broken pipe means."""

    def on_broken_pipe(self) -> None:
        """Raise ``BrokenPipeError``, for which there is an exit status."""
        raise BrokenPipeError
