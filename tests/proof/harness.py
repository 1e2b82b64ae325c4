"""The whole chat over a real store, on a stage where time and death are cues.

The chat's coroutines are cranked by hand (``turns``), as in the core's own tests. A
store that needs an event loop gets one that runs only while the chat waits for a call:
each call is done and committed when the chat goes on, and acknowledgements, for which
nobody waits, are committed with the next call or lost with the process.
"""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, cast

from chatcore import Chat, Limits, SecondLogin
from chatcore.ids import AccountId, Epoch, Position
from chatcore.store import Store
from chatstores import open_store
from chatstores.memory import MemoryStore
from tests.stores import StoreKind, first_durable
from tests.unit.chatcore.chat_fixture import ChatFixture

Answer = TypeVar("Answer")


class Killed(BaseException):
    """The server's process has just ended, without a last word."""


class KillPoint(NamedTuple):
    """When the process is to be killed: before or after a call does its work."""

    call: str
    after: bool


class Persistence(Protocol):
    """Where a store is kept while processes come and go."""

    def open(self) -> Store:
        """The store, as a new process finds it."""
        ...

    def run(self, call: Coroutine[object, None, Answer]) -> Answer:
        """Do one call of the store, to its end."""
        ...

    def leave(self, *, killed: bool) -> None:
        """End the process; one that is killed commits nothing more."""
        ...


class MemoryPersistence:
    """One memory store for all: what a store does that forgets nothing."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def open(self) -> Store:
        return self._store

    def run(self, call: Coroutine[object, None, Answer]) -> Answer:
        try:
            call.send(None)
        except StopIteration as end:
            return cast("Answer", end.value)
        raise AssertionError("the memory store never waits")

    def leave(self, *, killed: bool) -> None:
        """Nothing waits to be committed here."""


class FilePersistence:
    """A durable store in files; who is killed leaves them as the disk has them then."""

    def __init__(self, kind: StoreKind, folder: Path) -> None:
        self._kind = kind
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._opened: AbstractAsyncContextManager[Store] | None = None
        self._lives = 0
        self._life.mkdir()

    @property
    def _life(self) -> Path:
        return self._folder / f"life-{self._lives}"

    def open(self) -> Store:
        opened = open_store(self._kind.url_in(self._life))
        store = self._loop.run_until_complete(opened.__aenter__())
        self._opened = opened
        return store

    def run(self, call: Coroutine[object, None, Answer]) -> Answer:
        return self._loop.run_until_complete(call)

    def leave(self, *, killed: bool) -> None:
        if killed:
            before = self._life
            self._lives += 1
            shutil.copytree(before, self._life)
        if self._opened is not None:
            self._loop.run_until_complete(self._opened.__aexit__(None, None, None))
            self._opened = None

    def close(self) -> None:
        """Leave the last process, and the loop with it."""
        self.leave(killed=False)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@contextmanager
def persistence_in(folder: Path, *, durable: bool) -> Iterator[Persistence]:
    """A shelf in a folder, or else one that is gone with the test."""
    if not durable:
        yield MemoryPersistence()
        return
    persistence = FilePersistence(first_durable(), folder)
    try:
        yield persistence
    finally:
        persistence.close()


class KillableStore:
    """A store whose calls run one by one, and can be the last thing a process does.

    Attributes:
        death: when the process is to be killed, if it is.
        told: acknowledgements since the last call, which may not be committed.
    """

    def __init__(self, store: Store, persistence: Persistence) -> None:
        self._store = store
        self._persistence = persistence
        self.durable = store.durable
        self.death: KillPoint | None = None
        self.told: dict[AccountId, Position] = {}

    def __getattr__(self, name: str) -> Callable[..., Coroutine[object, None, object]]:
        """A method of the store, as one that is done when it is awaited."""
        method: Callable[..., Coroutine[object, None, object]]
        method = getattr(self._store, name)

        async def call(*args: object, **named: object) -> object:
            if self.death == KillPoint(name, after=False):
                raise Killed
            self.told.clear()
            answer = self._persistence.run(method(*args, **named))
            if self.death == KillPoint(name, after=True):
                raise Killed
            return answer

        return call

    def acknowledge(
        self,
        account: AccountId,
        epoch: Epoch,
        position: Position,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """See ``chatcore.store.Store``."""
        self.told[account] = position
        self._store.acknowledge(account, epoch, position, committed)


class Harness(ChatFixture):
    """A chat over a store on a shelf; it can die and come back."""

    def __init__(
        self, persistence: Persistence, *, limits: Limits, second_login: SecondLogin
    ) -> None:
        self._persistence = persistence
        super().__init__(limits, second_login=second_login)

    def restart(self) -> None:
        """Begin a new process on what the shelf has; the old one does nothing more."""
        for work in self.scheduler._ready:
            work.close()
        self.scheduler._ready.clear()
        self.surroundings.clock._latches.clear()
        kept = self._persistence.open()
        self.mortal = KillableStore(kept, self._persistence)
        self.kept = cast("Store", self.mortal)
        self.chat = Chat(
            self.kept, limits=self._limits, second_login=self._second_login
        )
        self.do(self.chat.start(self.surroundings.as_environment()))

    def end(self, *, killed: bool) -> None:
        """End the process, with or without a last word."""
        if not killed:
            self.do(self.chat.stop())
        self._persistence.leave(killed=killed)

    def look(self, call: Coroutine[object, None, Answer]) -> Answer:
        """The answer of a call to the store."""
        return MemoryPersistence().run(call)

    def do_and_die(self, work: Coroutine[object, None, None], death: KillPoint) -> bool:
        """Do some work during which the process is killed; False when it was not."""
        self.mortal.death = death
        try:
            self.do(work)
        except Killed:
            return True
        finally:
            self.mortal.death = None
        return False
