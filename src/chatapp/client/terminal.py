"""A screen on a terminal: what comes in appears above the line being typed.

prompt_toolkit edits the line and redraws it; standard output is patched while it runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.patch_stdout import patch_stdout

from chatapp.client.commands import WORDS
from chatapp.sanitize import sanitize


class Terminal:
    """See ``chatapp.client.screen.Screen``."""

    def __init__(self) -> None:
        words = WordCompleter(list(WORDS), sentence=True)
        self._lines: PromptSession[str] = PromptSession(
            completer=words, complete_while_typing=False
        )
        # Passwords have a session of their own: no history keeps them.
        self._secrets: PromptSession[str] = PromptSession(is_password=True)

    async def ask(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        return await _ask(self._lines, prompt)

    async def ask_secret(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        return await _ask(self._secrets, prompt)

    def show(self, line: str) -> None:
        """See ``chatapp.client.screen.Screen``."""
        print(sanitize(line))  # noqa: T201  # this is what it is for


async def _ask(session: PromptSession[str], prompt: str) -> str | None:
    try:
        return await session.prompt_async(prompt)
    except EOFError:
        return None


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    """A terminal, while the block runs."""
    with patch_stdout():
        yield Terminal()
