"""The command as a process: servers that say when they are ready, clients on pipes."""

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from tests.app.forked_commands import Answer, Request
from transports import connect

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
_PYTHON = (sys.executable, "-W", "error", "-m")
COMMAND = (*_PYTHON, "chatapp")
SPLITTING = (*_PYTHON, "tests.faults.split_chatcore")
PATIENCE_S = 20.0
CHEAP = ("--insecure-fast-hash", "--log-level", "warning")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without a developer's own settings of chatcore, and with these."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("CHATCORE_")}
    return {
        **ours,
        "PYTHONPATH": f"{SRC}{os.pathsep}{ROOT}",
        "PYTHONUTF8": "1",
        **(extra or {}),
    }


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server process that accepts on these URLs; ``metrics`` is where those are."""

    process: "subprocess.Popen[str]"
    urls: tuple[str, ...]
    metrics: str = ""

    @property
    def url(self) -> str:
        return self.urls[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def running_server(
    *flags: str,
    listeners: int = 1,
    extra: Mapping[str, str] | None = None,
    program: Sequence[str] = SPLITTING,
) -> Iterator[RunningServer]:
    """A server with these flags, ended at the end if it still runs.

    Its frames come apart at random, unless ``program`` is the plain ``COMMAND``.
    """
    with subprocess.Popen(
        [*program, "serve", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(extra),
    ) as process:
        try:
            assert process.stdout is not None
            lines = listeners + ("--metrics" in flags)
            ready = [process.stdout.readline().split() for _ in range(lines)]
            if not all(ready):
                process.wait(PATIENCE_S)
                assert process.stderr is not None
                raise AssertionError(process.stderr.read())
            metrics = "".join(ready.pop(0)[1:] if lines > listeners else [])
            assert all(word == "ready" for word, _ in ready)
            yield RunningServer(process, tuple(url for _, url in ready), metrics)
        finally:
            process.kill()


def on_memory() -> tuple[str, ...]:
    """Flags of a server that starts at once and forgets everything."""
    return ("--listen", "tcp://127.0.0.1:0", "--store", "memory:", *CHEAP)


def on_disk(folder: Path) -> tuple[str, ...]:
    """Flags of a server with its store in a folder."""
    store = f"sqlite:///{folder / 'chat.db'}"
    return ("--listen", "tcp://127.0.0.1:0", "--store", store, *CHEAP)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    status: int
    lines: list[str]
    errors: str


def chatcore(
    *arguments: str,
    lines: Sequence[str] = (),
    extra: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Finished:
    """Run the command to its end, with these lines on its standard input.

    It is a process that has its imports done: see ``forked_commands``.
    """
    request = Request(
        words=list(arguments),
        given="".join(f"{line}\n" for line in lines),
        environment=environment(extra),
        folder=str(folder or Path.cwd()),
        within_s=PATIENCE_S * 2,
    )
    process = _forking_process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{json.dumps(asdict(request))}\n")
    process.stdin.flush()
    answer = Answer(**json.loads(process.stdout.readline()))
    assert answer.status is not None, f"{arguments} did not end: {answer}"
    return Finished(answer.status, answer.out.splitlines(), answer.errors)


@cache
def _forking_process() -> "subprocess.Popen[str]":
    """What forks for each command; it ends with this process."""
    process = subprocess.Popen(
        [*_PYTHON, "tests.app.forked_commands"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    atexit.register(process.communicate)
    return process


def client(url: str, *lines: str, flags: Sequence[str] = ()) -> Finished:
    """Run a client on a pipe to the end of its input."""
    return chatcore("client", "--connect", url, *flags, lines=lines)


PASSWORD = "correct horse"


def with_accounts(url: str, *names: str) -> None:
    """Make accounts with ``PASSWORD``."""

    async def make() -> None:
        async with connect(url) as client:
            for name in names:
                await client.create(name, PASSWORD)

    asyncio.run(make())


def with_messages(url: str, sender: str, recipient: str, *bodies: str) -> None:
    """Have messages sent."""

    async def send() -> None:
        async with connect(url) as client:
            await client.login(sender, PASSWORD)
            await client.send_all([(recipient, body) for body in bodies])

    asyncio.run(send())
