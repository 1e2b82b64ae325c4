"""Commands in forks of one process that has imported them: ``python -m`` this module.

Most of what a short command takes is its imports. Here each is a process still, with
pipes, an environment and a folder of its own, which ends as any interpreter does; what
is left out is the start, which ``test_starting`` and whatever starts ``COMMAND`` show.

A ``Request`` is read from standard input as a line of JSON, and an ``Answer`` written.
No thread and no event loop runs in the process that forks.
"""

import gc
import json
import os
import selectors
import signal
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Final

from chatapp.cli import main
from chatapp.commands import COMMANDS
from transports.registry import TRANSPORTS

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command to run to its end.

    Attributes:
        words: what follows ``chatcore``.
        given: on its standard input, which ends there.
        folder: where it runs.
        within_s: how long it may take.
    """

    words: list[str]
    given: str
    environment: dict[str, str]
    folder: str
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of it; no status where it did not end in time."""

    status: int | None
    out: str
    errors: str


def load() -> None:
    """Import what commands import when they run."""
    for command in COMMANDS.values():
        command.load_settings()
        command.load_run()
    for module in {*TRANSPORTS.built_in.values(), "chatstores.sqlite"}:
        import_module(module)
    gc.freeze()  # what is not walked is not copied


def run_each() -> int:
    """Fork for each request until there are no more; returns in each child, too."""
    load()
    while line := _line():
        request = Request(**json.loads(line))
        pipes = [os.pipe() for _ in (_STDIN, _STDOUT, _STDERR)]
        child = os.fork()
        if not child:
            return _be(request, pipes)
        (theirs, given), (out, theirs_out), (errors, theirs_errors) = pipes
        for end in (theirs, theirs_out, theirs_errors):
            os.close(end)
        answer = _exchange(child, request, given, out, errors)
        sys.stdout.write(f"{json.dumps(asdict(answer))}\n")
        sys.stdout.flush()
    return 0


def _line() -> bytes:
    line = b""
    while not line.endswith(b"\n") and (part := os.read(_STDIN, _CHUNK_BYTES)):
        line += part
    return line


def _be(request: Request, pipes: list[tuple[int, int]]) -> int:
    """Run the command in this process, on these pipes; its exit status."""
    ends = (pipes[_STDIN][0], pipes[_STDOUT][1], pipes[_STDERR][1])
    for number, end in enumerate(ends):
        os.dup2(end, number)
    for end in (it for pipe in pipes for it in pipe):
        os.close(end)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    sys.argv[1:] = request.words
    return main()


def _exchange(
    child: int, request: Request, given: int, out: int, errors: int
) -> Answer:
    """Give a child its input, and take all that it says until its end."""
    said: dict[int, bytes] = {out: b"", errors: b""}
    rest = request.given.encode()
    deadline_s = time.monotonic() + request.within_s
    os.set_blocking(given, False)
    with selectors.DefaultSelector() as open_ends:
        open_ends.register(given, selectors.EVENT_WRITE)
        for source in said:
            open_ends.register(source, selectors.EVENT_READ)
        while open_ends.get_map() and (left_s := deadline_s - time.monotonic()) > 0:
            for ready, _ in open_ends.select(left_s):
                if ready.fd == given:
                    try:
                        rest = rest[os.write(given, rest) :]
                    except BrokenPipeError:
                        rest = b""
                    is_over = not rest
                else:
                    part = os.read(ready.fd, _CHUNK_BYTES)
                    said[ready.fd] += part
                    is_over = not part
                if is_over:
                    open_ends.unregister(ready.fd)
                    os.close(ready.fd)
        is_late = bool(open_ends.get_map())
        for end in open_ends.get_map().values():
            os.close(end.fd)
    if is_late:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Answer(
        status=None if is_late else status,
        out=said[out].decode(),
        errors=said[errors].decode(),
    )


if __name__ == "__main__":
    sys.exit(run_each())
