"""A screen on a terminal: what comes in appears above the line being typed.

prompt_toolkit edits the line and redraws it; standard output is patched while it runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from chatapp.client.commands import VERBS
from chatapp.client.screen import Abandoned, SecretsDiffer
from chatapp.sanitize import sanitize


class Terminal:
    """See ``chatapp.client.screen.Screen``."""

    def __init__(self) -> None:
        words = WordCompleter(list(VERBS), sentence=True)
        self._lines: PromptSession[str] = PromptSession(
            completer=words, complete_while_typing=False, key_bindings=_clearing()
        )
        # Answers and passwords have sessions of their own: no history keeps them.
        self._answers: PromptSession[str] = PromptSession()
        self._secrets: PromptSession[str] = PromptSession(is_password=True)

    async def next_command(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        return await _ask(self._lines, prompt)

    async def ask(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        return await _ask(self._answers, prompt)

    async def ask_secret(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        return await _ask(self._secrets, prompt)

    async def ask_new_secret(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        typed = await self.ask_secret(prompt)
        if typed is not None and await self.ask_secret("Once more: ") != typed:
            raise SecretsDiffer
        return typed

    def hint(self, line: str) -> None:
        """See ``chatapp.client.screen.Screen``."""
        self.show(line)

    def show(self, line: str) -> None:
        """See ``chatapp.client.screen.Screen``."""
        print(sanitize(line))  # noqa: T201  # this is what it is for


async def _ask(session: PromptSession[str], prompt: str) -> str | None:
    try:
        return await session.prompt_async(prompt)
    except EOFError:
        return None
    except KeyboardInterrupt:
        raise Abandoned from None


def _clearing() -> KeyBindings:
    """Ctrl-C takes back what is typed; where nothing is, it ends the asking."""
    keys = KeyBindings()

    @keys.add("c-c")
    def clear(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    return keys


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    """A terminal, while the block runs."""
    with patch_stdout():
        yield Terminal()
