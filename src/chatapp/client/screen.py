"""Where a shell talks with somebody, as a protocol."""

from typing import Protocol


class Screen(Protocol):
    """A terminal or a pipe."""

    async def ask(self, prompt: str) -> str | None:
        """The next line, without its end; None at the end of the input."""
        ...

    async def ask_secret(self, prompt: str) -> str | None:
        """The same for a password: what is typed is not shown."""
        ...

    def show(self, line: str) -> None:
        """Show a line, above the one that is being typed."""
        ...
