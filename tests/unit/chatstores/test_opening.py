"""Opening stores by URL, and the URLs that are refused."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

import chatstores
from chatcore.errors import ChatError
from chatcore.store import Store
from chatstores import STORES, open_store, register_store
from chatstores.errors import (
    BadStoreUrl,
    OpeningError,
    UnknownStore,
    without_password,
)
from chatstores.memory import MemoryStore
from chatsystem import schemes
from tests.stores import StoreKind
from tests.unit.chatstores.store_driver import StoreDriver


@asynccontextmanager
async def open_example(url: str) -> AsyncIterator[Store]:
    assert url == "example://here"
    yield MemoryStore()


async def test_a_store_says_whether_it_is_durable(
    store_kind: StoreKind, url: str
) -> None:
    async with open_store(url) as store:
        assert store.durable is store_kind.durable


async def test_each_memory_store_is_another() -> None:
    async with open_store("memory:") as one, open_store("memory:") as other:
        await StoreDriver(one).register("ada")

        assert await other.names(prefix="", after="", limit=1) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chat.db",
        "memory:chat",
        "memory://host",
        "sqlite:",
        "sqlite:chat.db",
        "sqlite://chat.db",
        "sqlite:///",
        "sqlite:////data/chat.db?mode=ro",
        "sqlite:////data/chat.db#1",
        "sqlite:////data/%00",
        "http://[",
    ],
)
async def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(BadStoreUrl) as refused:
        async with open_store(url):
            pass

    assert refused.value.code == 600
    assert repr(url) in refused.value.text


@pytest.mark.rule("B8")
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:secret@host:1/0", "redis://:***@host:1/0"),
        ("redis://ada:se:cret@host", "redis://ada:***@host"),
        ("postgresql://ada:s@cret@host/a@b", "postgresql://ada:***@host/a@b"),
        ("redis://ada@host:1/0", "redis://ada@host:1/0"),
        ("sqlite:////home/a:b@c/chat.db", "sqlite:////home/a:b@c/chat.db"),
        ("memory:", "memory:"),
    ],
)
def test_a_password_in_a_url_is_not_told(url: str, told: str) -> None:
    assert without_password(url) == told
    assert repr(told) in BadStoreUrl(url=url, reason="so").text


def test_an_unknown_scheme_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownStore, match=r"'redis://here'.*memory:, sqlite:"):
        open_store("redis://here")


async def test_a_store_joins_by_being_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(STORES, "registered", {})

    register_store("example", open_example)

    async with open_store("example://here") as store:
        assert await store.sessions() == []


async def test_a_store_joins_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("example", f"{__name__}:open_example", STORES.group)
    installed = EntryPoints([point])
    monkeypatch.setattr(schemes, "entry_points", installed.select)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])

    async with open_store("example://here") as store:
        assert await store.sessions() == []
    with pytest.raises(UnknownStore, match="example:, memory:, sqlite:"):
        open_store("other://here")


def test_the_engines_are_imported_when_they_are_used() -> None:
    program = (
        "import chatstores, sys\n"
        "assert 'apsw' not in sys.modules\n"
        "chatstores.open_store('memory:')\n"
        "assert 'apsw' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True, env=_environment())


def test_every_opening_error_has_its_own_number() -> None:
    errors = OpeningError.__subclasses__()

    assert sorted(it.code for it in errors) == [
        600,
        601,
        602,
        603,
        604,
        605,
        606,
        607,
        608,
        609,
        610,
    ]
    assert issubclass(OpeningError, ChatError)


def _environment() -> dict[str, str]:
    source = Path(chatstores.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(source)}
