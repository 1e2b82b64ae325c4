"""The bot and the bridge of examples/, which are killed while they talk."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

import pytest

from chatcore import (
    Chat,
    Client,
    connect,
    open_store,
    serve,
    system_environment,
)
from chatsystem import INSECURE_FAST_HASH
from tests.app.processes import (
    CHEAP,
    COMMAND,
    PASSWORD,
    PATIENCE_S,
    ROOT,
    RunningServer,
    environment,
    on_disk,
    on_memory,
    running_server,
)

EXAMPLES: Final = ROOT / "examples"
MESSAGES: Final = 40


@contextmanager
def example(name: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """An example that is at work, until it is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"CHATCORE_PASSWORD": PASSWORD}),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


@contextmanager
def restarted(server: RunningServer, folder: Path) -> Iterator[RunningServer]:
    """The server again, after it was killed, where it was."""
    server.process.kill()
    server.process.wait(PATIENCE_S)
    store = f"sqlite:///{folder / 'chat.db'}"
    flags = ("--listen", server.url, "--store", store, *CHEAP)
    with running_server(*flags, program=COMMAND) as again:
        yield again


@asynccontextmanager
async def chat() -> AsyncIterator[str]:
    """Where a chat in this process is."""
    async with (
        open_store("memory:") as store,
        serve(
            Chat(store),
            "tcp://127.0.0.1:0",
            environment=system_environment(INSECURE_FAST_HASH),
        ) as urls,
    ):
        yield urls[0]


async def heard(client: Client, most: int) -> list[tuple[str, str]]:
    """The next messages, as sender and body."""
    found: list[tuple[str, str]] = []
    async for message in client.messages():
        found.append((message.sender, message.body))
        if len(found) == most:
            break
    client.acknowledge()
    return found


async def nothing_more(client: Client) -> None:
    """See that nothing else comes before a message to oneself."""
    assert client.username is not None
    await client.send(client.username, "the last")
    assert await heard(client, 1) == [(client.username, "the last")]


@pytest.mark.rule("M2", "M5")
async def test_a_bot_that_is_killed_at_its_work_answers_each_message_once(
    tmp_path: Path,
) -> None:
    with running_server(*on_disk(tmp_path), program=COMMAND) as server:
        async with connect(server.url) as ada:
            await ada.login("ada", PASSWORD, create=True)
            bodies = [f"!echo {it}" for it in range(MESSAGES)]
            answers: list[tuple[str, str]] = []
            with example("bot.py", server.url, "helper"):
                await ada.send_all([("helper", it) for it in bodies])
                answers += await heard(ada, 1)
            # It was killed with messages in its hands.
            with example("bot.py", server.url, "helper"):
                answers += await heard(ada, MESSAGES - len(answers))
                await ada.send("helper", "not for a bot")
                await ada.send("helper", "!help")
                answers += await heard(ada, 1)
                await nothing_more(ada)

    *echoes, (_, help_text) = answers
    assert echoes == [("helper", f"you said: {it}") for it in range(MESSAGES)]
    assert help_text.startswith("I know: !echo")


@pytest.mark.rule("M2", "M3", "M5")
async def test_a_bridge_loses_and_doubles_nothing_whatever_is_killed(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / "east", tmp_path / "west"]
    for folder in folders:
        folder.mkdir()
    from_ada = [f"from the east {it}" for it in range(MESSAGES)]
    from_bob = [f"from the west {it}" for it in range(MESSAGES)]
    with (
        running_server(*on_disk(folders[0]), program=COMMAND) as east,
        running_server(*on_disk(folders[1]), program=COMMAND) as west,
    ):
        sides = [f"{east.url}=ada", f"{west.url}=bob"]
        async with connect(east.url) as ada, connect(west.url) as bob:
            await ada.login("ada", PASSWORD, create=True)
            await bob.login("bob", PASSWORD, create=True)
            with example("bridge.py", *sides):
                await ada.send_all([("bob.west", it) for it in from_ada[:20]])
                await bob.send_all([("ada.east", it) for it in from_bob[:20]])
                to_bob = await heard(bob, 1)
                to_ada = await heard(ada, 1)
            # The bridge was killed with messages in its hands.
            with example("bridge.py", *sides):
                await ada.send_all([("bob.west", it) for it in from_ada[20:]])
                to_bob += await heard(bob, 5)
                with restarted(west, folders[1]):
                    await bob.send_all([("ada.east", it) for it in from_bob[20:]])
                    to_bob += await heard(bob, MESSAGES - len(to_bob))
                    to_ada += await heard(ada, MESSAGES - len(to_ada))
                    await nothing_more(ada)
                    await nothing_more(bob)

    assert to_bob == [("ada.east", it) for it in from_ada]
    assert to_ada == [("bob.west", it) for it in from_bob]


@pytest.fixture
def bridge() -> Any:
    """The bridge as a module, for a test that kills nothing."""
    found = spec_from_file_location("bridge", EXAMPLES / "bridge.py")
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.rule("M6")
async def test_a_bridge_tells_who_is_not_of_it_and_who_is_not_there(
    bridge: Any,
) -> None:
    told: list[tuple[str, str]] = []
    async with AsyncExitStack() as opened:
        urls = [await opened.enter_async_context(chat()) for _ in range(2)]
        east = bridge.Side("east", urls[0], ["ada"])
        west = bridge.Side("west", urls[1], ["zoe"])
        await east.admit(west, PASSWORD, opened)
        await west.admit(east, PASSWORD, opened)
        carrying = asyncio.get_running_loop().create_task(
            bridge.carry("zoe", east, west)
        )
        for name in ("mallory", "ada"):
            async with connect(urls[0]) as client:
                await client.login(name, PASSWORD, create=True)
                await client.send("zoe.west", "are you there?")
                told += await heard(client, 1)
        carrying.cancel()

    assert told == [
        ("zoe.west", "only people of this bridge can write here"),
        ("zoe.west", "[300] There is no account zoe."),
    ]


async def test_the_cells_of_the_notebook_run_one_by_one_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text("utf-8"))
    cells = ["".join(it["source"]) for it in notebook["cells"] if _is_code(it)]
    seen: list[dict[str, Any]] = []
    with running_server(*on_memory(), program=COMMAND) as server:
        monkeypatch.setenv("CHAT_URL", server.url)
        for _ in range(2):
            # As in a kernel: in one namespace, while an event loop runs in the thread.
            kernel: dict[str, Any] = {}
            for cell in cells:
                exec(compile(cell, "cell", "exec"), kernel)  # noqa: S102  # it is ours
            seen.append(kernel)

    assert [[it.position for it in kernel["receipts"]] for kernel in seen] == [
        [1, 2, 3],
        [4, 5, 6],
    ]
    assert [kernel["bodies"] for kernel in seen] == [["a note to myself"]] * 2
    assert [kernel["online"] for kernel in seen] == [["notebook"]] * 2
    assert all(it["outputs"] == [] for it in notebook["cells"] if _is_code(it))


def _is_code(cell: dict[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code")
