"""The plug-in of pytest: fixtures ``chat`` and ``client``, and what they are told by.

A chat runs on the event loop of its test, and which plug-in runs that one is the
application's choice. So ``chat`` itself is no coroutine: when it is set up it sees who
runs its test, and asks for the fixture that this one runs: one for anyio's plug-in, and
for pytest-asyncio one for each scope of its loops (``chattesting.asyncio_fixtures``),
which is only registered beside it.

Nothing of the chat is imported before a test asks for it: see ``chattesting``.
"""

import inspect
import sys
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from chattesting import ChatSettings, ClientFactory, ManualClock, RunningChat

_MARK: Final = "chat_settings"
_SYNCHRONOUS: Final = (
    "The fixture chat runs on an event loop, and {name} is synchronous: make it an "
    "'async def' that pytest-asyncio or anyio's plug-in runs."
)
_NOBODY: Final = (
    "The fixture chat runs on the event loop of its test, and nobody runs {name}. "
    "Either: pip install pytest-asyncio, and mark it asyncio (or set asyncio_mode = "
    "auto); or: pip install anyio, and mark it anyio."
)
_OTHER_BACKEND: Final = (
    "The fixture chat runs on asyncio, and {name} runs on {backend}: give the test a "
    "fixture anyio_backend that returns 'asyncio'."
)


@pytest.fixture
def chat_settings() -> "ChatSettings":
    """What ``chat`` is told (chattesting.ChatSettings); yours to override.

    The mark ``chat_settings(limits=…, policy=…)`` changes some of it for a test.
    """
    from chattesting.settings import ChatSettings  # noqa: PLC0415  # see above

    return ChatSettings()


@pytest.fixture
def chat_clock() -> "ManualClock":
    """The clock of ``chat``, which stands still until it is advanced."""
    from chattesting.manual_clock import ManualClock  # noqa: PLC0415  # see above

    return ManualClock()


@pytest.fixture
def chat(
    request: pytest.FixtureRequest,
    # Asked for here as well, where parameters of theirs are seen at collection.
    chat_settings: "ChatSettings",  # noqa: ARG001
    chat_clock: "ManualClock",  # noqa: ARG001
) -> "RunningChat":
    """A chat that runs while the test does (chattesting.RunningChat).

    It keeps everything in memory, is reached at ``chat.url`` within the process, and
    has no port. ``await chat.client("ada")`` logs in, ``await chat.advance(60)`` lets
    time pass.
    """
    running: RunningChat = request.getfixturevalue(_fixture_for(request))
    return running


class ShortNames:
    """What is left to others where they have a fixture of the same name."""

    @pytest.fixture
    def client(self, chat: "RunningChat") -> "ClientFactory":
        """Makes clients that are logged in, and closes them at the end of the test.

        ``ada = await client("ada")``; see chattesting.ClientFactory.
        """
        return chat.client


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark, and register what depends on who else is there."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(**settings): what the fixture chat is told, as the fields of "
        "chattesting.ChatSettings",
    )
    plugins = config.pluginmanager
    if _has_pytest_asyncio(config):
        plugins.register(import_module("chattesting.asyncio_fixtures"))
    if not _is_offered("client", config):
        plugins.register(ShortNames(), "chattesting-client")


def _has_pytest_asyncio(config: pytest.Config) -> bool:
    plugin = sys.modules.get("pytest_asyncio.plugin")
    return plugin is not None and config.pluginmanager.is_registered(plugin)


def _is_offered(name: str, config: pytest.Config) -> bool:
    """Whether another plug-in has a fixture of this name: of two, chance would choose.

    Those of an application's own conftest.py come before any plug-in's.
    """
    return any(
        isinstance(it, type(chat)) and getattr(it, "name", "") == name
        for plugin in config.pluginmanager.get_plugins()
        if not getattr(plugin, "__file__", "").endswith("conftest.py")
        for it in [*vars(type(plugin)).values(), *_members(plugin)]
    )


def _members(plugin: object) -> list[object]:
    return list(getattr(plugin, "__dict__", {}).values())


# ---- who runs the test


@pytest.fixture
def _chat_settings_in_force(
    request: pytest.FixtureRequest, chat_settings: "ChatSettings"
) -> "ChatSettings":
    """The settings, as the marks of a test and of what it stands in change them."""
    changes: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(_MARK))):
        if mark.args:
            pytest.fail(
                f"The mark {_MARK} takes names: {_MARK}(limits=…).", pytrace=False
            )
        changes |= mark.kwargs
    known = [it.name for it in fields(chat_settings)]
    if unknown := changes.keys() - set(known):
        text = f"The mark {_MARK} takes {', '.join(known)}; not {', '.join(unknown)}."
        pytest.fail(text, pytrace=False)
    return replace(chat_settings, **changes)


@pytest.fixture
async def _chat_on_anyio(
    _chat_settings_in_force: "ChatSettings", chat_clock: "ManualClock"
) -> AsyncIterator["RunningChat"]:
    from chattesting.running_chat import open_chat  # noqa: PLC0415  # see above

    async with open_chat(_chat_settings_in_force, clock=chat_clock) as running:
        yield running


def _fixture_for(request: pytest.FixtureRequest) -> str:
    """The fixture that whoever runs this test sets up; fails where nobody does."""
    name, function = request.node.name, request.function
    given = getattr(function, "hypothesis", None)
    if not inspect.iscoroutinefunction(function if given is None else given.inner_test):
        pytest.fail(_SYNCHRONOUS.format(name=name), pytrace=False)
    mark = request.node.get_closest_marker("asyncio")
    if mark is not None and _has_pytest_asyncio(request.config):
        scope = mark.kwargs.get("loop_scope") or mark.kwargs.get("scope")
        scope = scope or request.config.getini("asyncio_default_test_loop_scope")
        return f"_chat_on_{scope}_loop"
    if "anyio_backend" not in request.fixturenames:
        pytest.fail(_NOBODY.format(name=name), pytrace=False)
    backend = request.getfixturevalue("anyio_backend")
    backend = backend if isinstance(backend, str) else backend[0]
    if backend != "asyncio":
        pytest.fail(_OTHER_BACKEND.format(name=name, backend=backend), pytrace=False)
    return "_chat_on_anyio"
