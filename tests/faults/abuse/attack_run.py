"""One attack on one server, with a bystander beside it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from chatbench.children import Child, running
from chatbench.errors import BenchError, ChildFailed
from chatbench.wire.connection import CannotOpen
from chatcore.errors import ChatError
from tests.faults.abuse.bystander import Seen
from tests.faults.abuse.databases import Databases
from tests.faults.abuse.intruders import PASSWORD, intruder
from tests.faults.abuse.outcomes import Outcome
from tests.faults.abuse.servers import (
    RunningServer,
    certificate_authority,
    memory_of,
    serving_process,
)
from tests.faults.abuse.targets import Attack, Findings, Target
from transports import connect

_BASELINE_S: Final = 1.0
_READY_S: Final = 30.0
_OVERTIME_S: Final = 60.0
"""How much longer than told an attacker may take: it may have to wait for answers."""
_TOO_MUCH_MIB: Final = 1024.0
"""Where an attack is ended, so that it does not take the machine with it."""
_NEWCOMER_S: Final = 5.0
_LOG_KIB: Final = 256.0
"""What a server may log in one attack."""
_TRIES: Final = 3


class AttackRun:
    """What all attacks of a run share: a folder, databases, and the control.

    The control is a server that nobody attacks, with a bystander of its own during each
    attack: how long that one waits is what the machine does, with the attackers on it.
    """

    def __init__(self, folder: Path, control_url: str, options: Sequence[str]) -> None:
        self.control_url = control_url
        self.databases = Databases(folder)
        self.options = options

    def run(
        self, attack: Attack, transport: str, loop: str, *, seconds: float
    ) -> Outcome:
        """Carry an attack out; whatever goes wrong is a failure of the outcome.

        Where the machine was too busy to tell, it is carried out again.
        """
        tries = 0
        while True:
            tries += 1
            outcome = Outcome(
                attack=attack.name,
                transport=transport,
                loop=loop,
                allowed_ms=attack.worst_s * 1000,
                tries=tries,
            )
            self._run(attack, outcome, seconds)
            outcome.judge()
            if tries == _TRIES or not outcome.is_doubtful:
                return outcome

    def _run(self, attack: Attack, outcome: Outcome, seconds: float) -> None:
        database = self.databases.path(attack.database)
        with tempfile.TemporaryDirectory(prefix="chatcore-abuse-") as name:
            folder = Path(name)
            serving = serving_process(
                attack,
                outcome.transport,
                outcome.loop,
                folder,
                database=database,
                options=self.options,
            )
            try:
                with serving as server:
                    _attack(attack, server, outcome, seconds, folder, self.control_url)
                    # It need not end in order, and may be busy for a long time.
                    os.kill(server.pid, signal.SIGKILL)
            except BenchError as error:
                outcome.failures.append(str(error))


@contextmanager
def attack_run(options: Sequence[str]) -> Iterator[AttackRun]:
    """The ground of a run while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="chatcore-abuse-") as name:
        folder = Path(name)
        (folder / "control").mkdir()
        with serving_process(
            Attack(name="none", says="", run=_nothing),
            "tcp",
            "asyncio",
            folder / "control",
            database=None,
            options=(),
        ) as control:
            yield AttackRun(folder, control.url, options)


async def _nothing(_: Target) -> Findings:
    return Findings()


def _attack(
    attack: Attack,
    server: RunningServer,
    outcome: Outcome,
    seconds: float,
    folder: Path,
    control_url: str,
) -> None:
    target = Target(
        url=server.url,
        transport=outcome.transport,
        pid=server.pid,
        seconds=attack.seconds or seconds,
        ca=str(certificate_authority(folder)) if attack.has_tls else "",
    )
    with (
        _process("bystander", *server.beside, target.ca, folder=folder) as beside,
        _process("bystander", control_url, "tcp", "", folder=folder) as control,
        _process("attacker", attack.name, folder=folder) as attacker,
    ):
        for child in (beside, control):
            if child.read_line(_READY_S) != "ready":
                raise ChildFailed("the bystander", "it could not log in")
        time.sleep(_BASELINE_S)
        outcome.before_mib = server.memory().now
        cpu_s, starved_s = server.cpu_s(), server.starved_s()
        began_s = time.monotonic()
        findings = _findings(attacker, target)
        ended_s = time.monotonic()
        outcome.attack_s = ended_s - began_s
        outcome.server_cpu_s = server.cpu_s() - cpu_s
        outcome.starved_s = server.starved_s() - starved_s
        time.sleep(attack.settle_s)
        outcome.after_mib = server.memory().now
        seen, elsewhere = (_seen(child) for child in (beside, control))
    outcome.peak_mib = server.memory().peak
    outcome.figures = findings.figures
    outcome.failures += findings.faults
    outcome.messages = len(seen.began_s)
    outcome.baseline_ms = seen.worst_s(0.0, began_s) * 1000
    outcome.control_ms = elsewhere.worst_s(began_s, ended_s + 1.0) * 1000
    outcome.worst_ms = max(seen.worst_s(began_s, ended_s + 1.0), seen.waiting_s) * 1000
    outcome.failures += [f"The bystander: {it}" for it in seen.faults]
    outcome.log_kib = server.log.stat().st_size / 1024
    if outcome.log_kib > _LOG_KIB:
        outcome.failures.append(f"The server logged {outcome.log_kib:.0f} KiB.")
    if not server.is_alive:
        outcome.failures.append(f"The server has ended: {server.child.last_words()}")
        return
    if not seen.waiting_s:  # otherwise nobody is answered, and that is told already
        url, transport = server.beside
        newcomers = msgspec.structs.replace(target, url=url, transport=transport)
        outcome.failures += asyncio.run(_newcomer(newcomers))
        if url != server.url:
            outcome.failures += asyncio.run(_newcomer_by_library(server.url))


def _seen(bystander: Child) -> Seen:
    """What a bystander saw, which ends with this."""
    return msgspec.json.decode(bystander.ask(b"", _OVERTIME_S), type=Seen)


def _findings(attacker: Child, target: Target) -> Findings:
    """What the attackers tell; they are ended where the server holds far too much."""
    with _guarded(attacker, target.pid) as exceeded:
        try:
            told = attacker.ask(
                msgspec.json.encode(target), target.seconds + _OVERTIME_S
            )
        except ChildFailed as failed:
            if exceeded.is_set():
                held = f"It was ended when the server held {_TOO_MUCH_MIB:.0f} MiB."
                return Findings(faults=[held])
            return Findings(faults=[str(failed)])
    return msgspec.json.decode(told, type=Findings)


@contextmanager
def _process(word: str, *words: str, folder: Path) -> Iterator[Child]:
    """A process of this harness; see ``tests/faults/__main__.py``."""
    command = [sys.executable, "-m", "tests.faults", word, *words]
    log = folder / f"{word}.log"
    with running(
        f"the {word}", command, core=None, log=log, stdin=subprocess.PIPE
    ) as child:
        yield child


@contextmanager
def _guarded(attacker: Child, server: int) -> Iterator[threading.Event]:
    """End the attacker when the server has far too much in memory; tells whether."""
    exceeded, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            if memory_of(server).now > _TOO_MUCH_MIB:
                exceeded.set()
                os.kill(attacker.pid, signal.SIGTERM)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield exceeded
    finally:
        over.set()
        thread.join()


async def _newcomer_by_library(url: str) -> list[str]:
    """The same on a transport for which there is no wire of the comparison's."""
    try:
        async with asyncio.timeout(_NEWCOMER_S), connect(url, reconnect=None) as client:
            await client.login("newcomer-too", PASSWORD, create=True)
            return []
    except (ChatError, TimeoutError) as error:
        return [f"Nobody can log in afterwards: {error!r}"]


async def _newcomer(target: Target) -> list[str]:
    """Whether somebody new can log in afterwards."""
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(_NEWCOMER_S):
            async with intruder(target, source="127.0.0.1", name="newcomer"):
                return []
    except (CannotOpen, TimeoutError) as error:
        waited_s = time.monotonic() - began_s
        reason = str(error) or f"no answer in {waited_s:.1f} s"
        return [f"Nobody can log in afterwards: {reason}"]
