"""The machine of a run: what it is, and which two cores server and load get.

The two are not threads of one physical core where that can be avoided: those share what
is measured.
"""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import apsw

from chatbench.errors import CannotCompare
from chatbench.results import Machine

_LIBRARIES: Final = (
    "chatcore",
    "grpcio",
    "protobuf",
    "websockets",
    "msgspec",
    "apsw",
    "uvloop",
    "argon2-cffi",
    "hdrhistogram",
)
_HERE: Final = Path(__file__).resolve().parent
_OURS: Final = "benchmarks/src"
"""Where this package is in a checkout."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where server and load run; None leaves it to the system."""

    server: int | None
    generator: int | None

    @property
    def are_apart(self) -> bool:
        """Whether each has a core of its own."""
        return self.server is not None and self.generator is not None

    def __str__(self) -> str:
        if not self.are_apart:
            return "not pinned: fewer than two cores"
        kind = "a thread of the same core" if self._are_siblings else "another core"
        return f"server on {self.server}, generator on {self.generator}, {kind}"

    @property
    def _are_siblings(self) -> bool:
        return self.server is not None and self.generator in _siblings(self.server)


def check_system() -> None:
    """Refuse a system whose processes cannot be measured.

    Raises:
        CannotCompare: it is not Linux.
    """
    if sys.platform != "linux":
        raise CannotCompare(
            "The comparison needs Linux: it reads the server's clock from /proc."
        )


def choose_cores() -> Cores:
    """Two of the cores that this process may use, on two physical ones if possible."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:  # noqa: PLR2004  # one for each
        return Cores(None, None)
    first, *others = usable
    apart = [it for it in others if it not in _siblings(first)]
    return Cores(first, (apart or others)[0])


def _siblings(core: int) -> set[int]:
    """The threads of a core's physical core, itself among them."""
    listed = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    if not listed.exists():
        return {core}
    found: set[int] = set()
    for part in listed.read_text(encoding="ascii").strip().split(","):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


def describe_machine(cores: Cores) -> Machine:
    """What the run takes place on."""
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        pinned=cores.are_apart,
        versions=_versions(),
    )


def _cpu_name() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in {"model name", "cpu model", "hardware"}:
            return value.strip()
    return platform.processor() or "unknown"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found | {"sqlite": apsw.sqlite_lib_version()}


def commit_of_source() -> str:
    """The commit that this source is of, and the server's beside it, with ``+`` if
    either was changed.

    ``unknown`` where it is not in its own checkout, such as in an installation inside
    some other project's.
    """
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() / _OURS / _HERE.name != _HERE:
        return "unknown"
    commit = _git("rev-parse", "--short=10", "HEAD")
    if commit is None:
        return "unknown"
    sources = [str(Path(top) / it) for it in ("src", _OURS)]
    changed = _git("status", "--porcelain", "--", *sources)
    return commit + ("+" if changed else "")


def _git(*arguments: str) -> str | None:
    """What git says of the folder of this source; None if it does not."""
    try:
        done = subprocess.run(  # noqa: S603  # with words of ours
            ["git", "-C", str(_HERE), *arguments],  # noqa: S607  # the user's git
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
