"""Asking whoever sits at the terminal, also where stdin and stdout are pipes."""

import os
import sys
from contextlib import ExitStack, suppress
from getpass import getpass
from pathlib import Path
from typing import Final, TextIO

_TERMINAL: Final = Path("/dev/tty")


def can_ask() -> bool:
    """Whether somebody is there."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


def ask(prompt: str) -> str:
    """The line that is typed; empty at the end of the input."""
    with ExitStack() as opened:
        reading: TextIO = sys.stdin
        writing: TextIO = sys.stderr
        with suppress(OSError):
            reading = opened.enter_context(_TERMINAL.open(encoding="utf-8"))
            writing = opened.enter_context(_TERMINAL.open("w", encoding="utf-8"))
        writing.write(prompt)
        writing.flush()
        return reading.readline().strip()


def ask_secret(prompt: str) -> str:
    """The same for a password: what is typed is not shown."""
    try:
        return getpass(prompt)
    except EOFError:
        return ""
