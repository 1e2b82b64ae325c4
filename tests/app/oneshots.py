"""One-shot commands: in this process where nothing has to end or break, else outside.

A command in this process writes to the same descriptors and talks to the same servers;
only the interpreter's start is left out.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatapp.cli import main
from tests.app.processes import COMMAND, PASSWORD, PATIENCE_S, environment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed, and its exit status."""

    status: int
    text: str
    errors: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def records(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]

    @property
    def bodies(self) -> list[object]:
        return [it["body"] for it in self.records if it["type"] == "message"]

    @property
    def error(self) -> dict[str, object]:
        """The one error that JSON tells on stderr."""
        (line,) = self.errors.splitlines()
        found: dict[str, object] = json.loads(line)["error"]
        return found


class Commands:
    """Runs one-shot commands in this process, with the right password."""

    def __init__(
        self,
        url: str,
        folder: Path,
        patch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self._folder = folder
        self._patch = patch
        self._capture = capture
        for name in list(os.environ):
            if name.startswith("CHATCORE_"):
                patch.delenv(name)
        self.set(CHATCORE_CONNECT=url, CHATCORE_PASSWORD=PASSWORD)

    def set(self, **variables: str) -> None:
        """Change the environment, until the end of the test."""
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def __call__(self, *arguments: str, given: str | bytes = b"") -> Outcome:
        """Run one to its end, with this on its standard input."""
        file = self._folder / "stdin"
        file.write_bytes(given.encode() if isinstance(given, str) else given)
        self._capture.readouterr()
        with file.open(encoding="utf-8") as stdin, self._patch.context() as patch:
            patch.setattr("sys.stdin", stdin)
            status = main(arguments)
        said = self._capture.readouterr()
        return Outcome(status, said.out, said.err)

    def received(self, username: str) -> list[object]:
        """What waits for an account: the bodies, after which nothing does."""
        done = self("receive", "--as", username, "--json")
        assert done.status == 0, done.errors
        return done.bodies


@contextmanager
def started(
    url: str,
    *arguments: str,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
) -> Iterator["subprocess.Popen[str]"]:
    """A command as a process, without a terminal, killed at the end if it runs."""
    known = {"CHATCORE_CONNECT": url, "CHATCORE_PASSWORD": PASSWORD}
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(known),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[str]") -> str:
    """The next line that a command prints."""
    assert process.stdout is not None
    return process.stdout.readline()


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit status, once it has ended by itself, and what it said on stderr."""
    assert process.stderr is not None
    return process.wait(PATIENCE_S), process.stderr.read()
