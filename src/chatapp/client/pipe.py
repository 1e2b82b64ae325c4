"""A screen without a terminal: lines from a pipe or file, results to stdout."""

import sys
from collections import deque
from typing import Final

from chatapp.line_reader import LineReader
from chatapp.sanitize import sanitize

_STDIN: Final = 0


class Pipe:
    """See ``chatapp.client.screen.Screen``; prompts are not shown."""

    def __init__(self, descriptor: int = _STDIN) -> None:
        self._incoming = LineReader(descriptor)
        self._lines: deque[bytes] = deque()
        if hasattr(sys.stdout, "reconfigure"):
            # A terminal's encoding may lack what a message has.
            sys.stdout.reconfigure(errors="backslashreplace")

    async def ask(self, prompt: str) -> str | None:  # noqa: ARG002  # nobody sees it
        """See ``chatapp.client.screen.Screen``."""
        if not self._lines:
            self._lines.extend(await self._incoming.next())
        if not self._lines:
            return None
        return self._lines.popleft().decode("utf-8", "replace")

    # Whatever is asked for is the next line: nobody sees it, and nothing was mistyped.
    next_command = ask_secret = ask_new_secret = ask

    def hint(self, line: str) -> None:
        """See ``chatapp.client.screen.Screen``."""

    def show(self, line: str) -> None:
        """See ``chatapp.client.screen.Screen``."""
        print(sanitize(line), flush=True)  # noqa: T201  # this is what it is for
