"""The floor's server as a process: says where it is, and ends in order."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from transports import connect

SRC: Final = Path(__file__).resolve().parents[4] / "src"
COMMAND: Final = (sys.executable, "-W", "error", "-m", "chatbench.floor.server")
PATIENCE_S: Final = 20.0


def start(*flags: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )


def ready_url(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    word, _, url = server.stdout.readline().strip().partition(" ")
    assert word == "ready"
    return url


@pytest.mark.parametrize(
    ("transport", "flags"),
    [
        ("tcp", ["--echo"]),
        ("websocket", ["--echo", "--single", "--loop", "uvloop"]),
        ("grpc", ["--echo"]),
        ("grpc", ["--single"]),
    ],
)
def test_it_ends_in_order_on_sigterm(transport: str, flags: list[str]) -> None:
    with start("--transport", transport, *flags) as server:
        url = ready_url(server)

        server.terminate()
        _, errors = server.communicate(timeout=PATIENCE_S)

    assert url.startswith({"websocket": "ws"}.get(transport, transport) + "://")
    assert (server.returncode, errors) == (0, "")


async def test_a_single_costly_chat_on_disk_delivers(tmp_path: Path) -> None:
    flags = ["--transport", "tcp", "--single", "--plant", "cpu_us=20"]
    database = tmp_path / "chat.db"
    with start(*flags, "--store", f"sqlite:///{database}") as server:
        async with connect(ready_url(server)) as ada:
            await ada.login("ada", "correct horse", create=True)
            await ada.send("ada", "hello")
            message = await anext(aiter(ada.messages()))

        server.terminate()
        _, errors = server.communicate(timeout=PATIENCE_S)

    assert message.body == "hello"
    assert (server.returncode, errors) == (0, "")
    assert database.exists()


@pytest.mark.parametrize(
    "flags",
    [
        ("--transport", "pigeon"),
        ("--transport", "tcp", "--plant", "delay_ms=5"),
        ("--transport", "tcp", "--echo", "--plant", "cpu_us=5"),
    ],
)
def test_what_it_cannot_do_is_refused_in_words(flags: tuple[str, ...]) -> None:
    with start(*flags) as server:
        said, errors = server.communicate(timeout=PATIENCE_S)

    assert (server.returncode, said) == (2, "")
    assert "error: " in errors
