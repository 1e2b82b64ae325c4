"""The stores that tests run over, in one table: what each is, and how it is begun anew.

No test asks for a store by its name. One that takes ``store_kind`` runs over each kind,
one that takes ``durable_kind`` over those that outlive the chat, one that takes
``counting_kind`` over those that have counters, one that takes ``outbox_kind`` over
those that keep webhooks, and one that takes ``served_kind`` over
those with a server of their own, which the test may kill (``tests.conftest``).
``--store-module FILE.py`` puts another one in the place of ours. Its module has

- ``SCHEME``, and ``URL`` with ``{folder}`` in it, which is a test's own;
- ``STORE``: what opens it, as ``chatstores.register_store`` takes it;
- ``DURABLE``: whether it is; ``COUNTS``, where it has ``counters``: True; ``OUTBOX``,
  where it keeps webhooks: True;
- ``SERVER``, where it needs one: the command that runs it, with ``{folder}``, in which
  it is run; and ``READY``, a part of the line that it prints once it accepts;
- ``CHECK``, where there is one: a command that fails when something is wrong with what
  was left in ``{folder}``.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from chatstores import register_store
from chatstores.sqlite.checking import check
from tests.modules import load

STORE_MODULE: Final = "--store-module"
NEEDED: Final = ("SCHEME", "URL", "STORE", "DURABLE")


class StoreServer:
    """The server that a store needs beside the chat's own process, in its folder."""

    def __init__(self, command: Sequence[str], ready: str, folder: Path) -> None:
        self._command = command
        self._ready = ready
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Run it on what it has left; returns once it accepts."""
        process = subprocess.Popen(
            self._command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._process = process
        assert process.stdout is not None
        said = ""
        while self._ready not in said:
            said = process.stdout.readline()
            assert said, f"{self._command[0]} does not start"

    def kill(self) -> None:
        """End it as a power cut does; returns once it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKind:
    """A store as tests see it.

    Attributes:
        name: what the tests over it are called by.
        durable: as ``chatcore.store.Store`` has it: it is there again after its server.
        counts: whether it has ``counters``, for metrics.
        keeps_webhooks: whether it has an ``outbox``.
        server: runs the server that it needs beside the chat; empty for none.
        ready: what that prints once it accepts.
        check: finds what is wrong with what is left in a folder; empty for nothing.
        small: constants of its caches and pages, and values with which a few rows are
            many.
        module: the file that has to be imported to open it.
    """

    name: str
    url: str
    durable: bool
    counts: bool = False
    keeps_webhooks: bool = False
    server: Sequence[str] = ()
    ready: str = ""
    check: Callable[[Path], str] = lambda _: ""
    small: Mapping[str, int] = field(default_factory=dict, hash=False)
    module: Path | None = None

    def __str__(self) -> str:
        return self.name

    def url_in(self, folder: Path) -> str:
        """The store of this folder; the same one each time where it is durable."""
        return self.url.format(folder=folder)

    @contextmanager
    def running(self, folder: Path) -> Iterator[StoreServer | None]:
        """While the block runs the store of this folder can be opened."""
        if not self.server:
            yield None
            return
        server = StoreServer(_in(folder, self.server), self.ready, folder)
        try:
            server.start()
            yield server
        finally:
            server.kill()


def _in(folder: Path, command: Sequence[str]) -> Sequence[str]:
    return [it.format(folder=folder) for it in command]


def _findings(folder: Path) -> str:
    return "; ".join(map(str, check(folder / "chat.db").findings))


def _checked_by(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(
        _in(folder, command), check=False, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


OURS: Final = (
    StoreKind(
        name="memory", url="memory:", durable=False, counts=True, keeps_webhooks=True
    ),
    StoreKind(
        name="sqlite",
        url="sqlite:///{folder}/chat.db",
        durable=True,
        counts=True,
        keeps_webhooks=True,
        check=_findings,
        small={
            "chatstores.sqlite.cache.CACHED": 2,
            "chatstores.sqlite.accounts.KNOWN_ADDRESSES": 2,
            "chatstores.memory.rows.KNOWN_ADDRESSES": 2,  # what it is compared with
            "chatstores.sqlite.pagination.PAGE_ROWS": 3,
            "chatstores.sqlite.clean_up.PAGE_ROWS": 3,
            "chatstores.sqlite.retention.PURGE_ROWS": 2,
        },
    ),
)


def first_durable(kinds: Sequence[StoreKind] = OURS) -> StoreKind:
    """The store of tests that need one that outlives its server, whichever it is."""
    return next(it for it in kinds if it.durable)


def kinds_of(file: str) -> Sequence[StoreKind]:
    """Ours, or the one of a ``--store-module``; raises ``UnusableModule``."""
    return (kind_of(Path(file)),) if file else OURS


def kind_of(file: Path) -> StoreKind:
    """The store of a module, from now on registered; raises ``UnusableModule``."""
    module = load(STORE_MODULE, file, needed=NEEDED)
    register_store(module.SCHEME, module.STORE)
    return StoreKind(
        name=module.SCHEME,
        url=module.URL,
        durable=module.DURABLE,
        counts=getattr(module, "COUNTS", False),
        keeps_webhooks=getattr(module, "OUTBOX", False),
        server=tuple(getattr(module, "SERVER", ())),
        ready=getattr(module, "READY", ""),
        check=partial(_checked_by, getattr(module, "CHECK", ("true",))),
        module=file,
    )
