"""The server that is attacked: ``chatcore serve`` in a folder of its own, and what the
kernel says of its process.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import trustme

from chatbench.children import Child, running
from chatbench.errors import ChildFailed
from chatcore import Limits
from tests.faults.abuse.targets import MIB, Attack
from tests.stores import first_durable
from transports.registry import SCHEMES
from transports.tls import SECURE_SCHEMES

_EVERYWHERE: Final = {"loopback_counts": "1"}
"""Limits of every server that is attacked, as far as it knows them: bounds for each
address leave this machine's own out by default, and all attackers are on it."""
_START_S: Final = 30.0
_KIB: Final = 1024
_TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """What a process has in memory, in MiB: now, and at most since it was started."""

    now: float
    peak: float


class RunningServer(NamedTuple):
    """A server that accepts.

    Attributes:
        url: where it is attacked.
        beside: where those are who have done nothing, and by which transport.
    """

    url: str
    beside: tuple[str, str]
    child: Child
    log: Path

    @property
    def pid(self) -> int:
        """Its process."""
        return self.child.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended by itself."""
        return not self.child.has_ended()

    def memory(self) -> Memory:
        """See ``Memory``; zeros once it has ended."""
        return memory_of(self.pid)

    def cpu_s(self) -> float:
        """Processor time that it has used, see proc_pid_stat(5)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return 0.0
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_S

    def starved_s(self) -> float:
        """How long its event loop could have run and had no processor (sched-stats)."""
        pid = self.pid
        try:
            stat = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii")
        except OSError:
            return 0.0
        return int(stat.split()[1]) / 1e9


def memory_of(pid: int) -> Memory:
    """What a process has in memory; zeros once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return Memory(0.0, 0.0)
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    now, peak = (
        int(lines.get(name, "0").split()[0]) * _KIB / MIB for name in ("VmRSS", "VmHWM")
    )
    return Memory(now, peak)


def certificate_authority(folder: Path) -> Path:
    """Whom a server with TLS has its certificate from."""
    return folder / "ca.pem"


def _certificate(folder: Path, transport: str) -> list[str]:
    """Flags for a certificate, whose key is RSA's, which costs most.

    On gRPC it is as ``chatcore cert`` makes it: see docs/security.md for what RSA does
    to grpcio.
    """
    key = trustme.KeyType.ECDSA if transport == "grpc" else trustme.KeyType.RSA
    ca = trustme.CA()
    ca.cert_pem.write_to_path(certificate_authority(folder))
    issued = ca.issue_cert("127.0.0.1", key_type=key)
    both = folder / "server.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(both)
    return ["--tls-certificate", str(both), "--tls-key", str(both)]


@contextmanager
def serving_process(
    attack: Attack,
    transport: str,
    loop: str,
    folder: Path,
    *,
    database: Path | None,
    options: Sequence[str],
) -> Iterator[RunningServer]:
    """The server of one attack while the block runs, its files in ``folder``.

    What is in the folder ``database`` is copied; ``options`` are flags of ``chatcore
    serve`` that come after the attack's own.

    Raises:
        ChildFailed: it does not start.
    """
    if database is not None:
        shutil.copytree(database, folder, dirs_exist_ok=True)
    query = f"?{attack.query}" if attack.query else ""
    scheme = SCHEMES[transport]
    certificate: list[str] = []
    if attack.has_tls:
        scheme = SECURE_SCHEMES[scheme]
        certificate = _certificate(folder, transport)
    command = [sys.executable, "-m", "chatapp", "serve", "--loop", loop]
    command += ["--listen", f"{scheme}://127.0.0.1:0{query}"]
    if transport == "http":  # no bystander of ours speaks it
        command += ["--listen", "tcp://127.0.0.1:0"]
    command += ["--store", first_durable().url_in(folder)]
    command += certificate
    command += ["--insecure-fast-hash"] if attack.fast_hash else []
    for name, value in (_EVERYWHERE | attack.limits).items():
        if name in Limits.__dataclass_fields__:
            command += ["--limit", f"{name}={value}"]
    command += options
    log = folder / "server.log"
    with running("the server", command, core=None, log=log) as child:
        transports = [transport] if transport != "http" else [transport, "tcp"]
        urls = _ready_urls(child, len(transports))
        yield RunningServer(urls[0], (urls[-1], transports[-1]), child, log)


def _ready_urls(server: Child, number: int) -> list[str]:
    lines: list[str] = []
    while len(lines) < number:
        lines += server.read_line(_START_S).splitlines()
    if any(not it.startswith("ready ") for it in lines):
        raise ChildFailed("the server", server.last_words())
    return [it.removeprefix("ready ") for it in lines]
