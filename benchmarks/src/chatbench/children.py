"""Processes of the harness: started on a core of their own, and never left behind.

The affinity is set on the thread that starts the process, and set back afterwards: so
the child has it from its first instruction, and each of its threads inherits it. Ctrl-C
is for the run, which ends its children in order: they have sessions of their own.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from chatbench.errors import ChildFailed

_STOP_S: Final = 5.0
_LINE_BYTES: Final = 4096


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Have what is started inside run on this core only; None leaves it alone."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment() -> dict[str, str]:
    """Ours, without the user's own settings of chatcore."""
    return {k: v for k, v in os.environ.items() if not k.startswith("CHATCORE_")}


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    core: int | None,
    log: Path,
    stdin: int = subprocess.DEVNULL,
) -> Iterator["Child"]:
    """A process while the block runs; its stderr goes to ``log``.

    At the end it gets SIGTERM, and SIGKILL where it has not ended 5 s later.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as stderr, signals_held_back(), pinned(core):
            process = subprocess.Popen(  # noqa: S603  # a program of ours
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment(),
                start_new_session=True,
            )
        yield Child(name, process, log)
    finally:
        if process is not None:
            _stop(process)


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come after the block: in the midst of being started, a
    process would be left behind without anybody who knows of it.

    Only the main thread gets signals. A child has none of this: what handles a signal
    here is not inherited (execve(2)), while a blocked one would be.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def hold(number: int, _frame: object) -> None:
        arrived.append(number)

    before = {it: signal.signal(it, hold) for it in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for held in arrived:
            signal.raise_signal(held)


class Child:
    """One such process."""

    def __init__(
        self, name: str, process: "subprocess.Popen[bytes]", log: Path
    ) -> None:
        self._name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read_line(self, within_s: float) -> str:
        """The first line of its output.

        Raises:
            ChildFailed: it ended before, or it takes longer.
        """
        deadline_s = time.monotonic() + within_s
        line = b""
        output = _open(self._process.stdout)
        while not line.endswith(b"\n"):
            left_s = deadline_s - time.monotonic()
            ready, _, _ = select.select([output], [], [], max(left_s, 0))
            if not ready:
                raise ChildFailed(self._name, f"nothing was said in {within_s:g} s")
            # The descriptor itself, since a buffered reader may wait for more.
            part = os.read(output.fileno(), _LINE_BYTES)
            if not part:
                self._process.wait(_STOP_S)
                raise ChildFailed(self._name, self.last_words())
            line += part
        return line.decode(errors="replace").strip()

    def ask(self, question: bytes, within_s: float) -> bytes:
        """The last line of all that it answers, until its end.

        Raises:
            ChildFailed: it failed, said nothing, or takes longer.
        """
        try:
            answer, _ = self._process.communicate(question, timeout=within_s)
        except subprocess.TimeoutExpired as late:
            reason = f"it had not ended after {within_s:g} s"
            raise ChildFailed(self._name, reason) from late
        lines = answer.splitlines()
        if self._process.returncode != 0 or not lines:
            raise ChildFailed(self._name, self.last_words())
        return lines[-1]

    def last_words(self) -> str:
        """The last line that it wrote to its log, or how it ended."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        said = [line for line in text.splitlines() if line.strip()]
        if said:
            return said[-1].strip()
        return f"it ended with status {self._process.returncode} and said nothing"

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ChildFailed("a process", "its output is not ours")
    return stream


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End it, whatever interrupts us meanwhile."""
    try:
        process.terminate()
        process.wait(_STOP_S)
    except BaseException as error:
        process.kill()
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
