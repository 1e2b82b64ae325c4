"""Where a shell talks with somebody, as a protocol."""

from typing import Protocol


class Abandoned(Exception):
    """Whoever was asked pressed Ctrl-C instead of answering."""


class SecretsDiffer(Exception):
    """A new password was typed in two ways."""


class Screen(Protocol):
    """A terminal or a pipe.

    What asks returns None at the end of the input.
    """

    async def next_command(self, prompt: str) -> str | None:
        """The next line, without its end.

        Raises:
            Abandoned: by Ctrl-C on an empty line; one that has text is cleared.
        """
        ...

    async def ask(self, prompt: str) -> str | None:
        """An answer that a command needs, without its end.

        Raises:
            Abandoned: by Ctrl-C.
        """
        ...

    async def ask_secret(self, prompt: str) -> str | None:
        """The same for a password: what is typed is not shown."""
        ...

    async def ask_new_secret(self, prompt: str) -> str | None:
        """The same for one that is new: where nobody sees it, it is typed twice.

        Raises:
            SecretsDiffer: not the same both times.
        """
        ...

    def hint(self, line: str) -> None:
        """Show a line that only somebody who types has a use for."""
        ...

    def show(self, line: str) -> None:
        """Show a line, above the one that is being typed."""
        ...
