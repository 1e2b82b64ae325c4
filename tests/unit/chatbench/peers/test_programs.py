"""Which peers there are, and how one is started, told of and ended."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from chatbench.errors import ChildFailed
from chatbench.peers import (
    PEERS,
    installed_peers,
    peer_program,
    peer_promise,
    peer_server,
)
from chatbench.peers.mosquitto import MOSQUITTO
from chatbench.peers.program import Unavailable

LISTENING = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    while True:
        listener.accept()[0].close()
"""
FAILING = "import sys; sys.exit('the port is taken')"


def python(program: str, folder: Path, port: int) -> Sequence[str]:
    assert folder.is_dir()
    return [sys.executable, "-c", program, str(port)]


LISTENER = replace(
    MOSQUITTO,
    name="listener",
    is_installed=lambda: True,
    version=lambda: "1",
    prepare=lambda folder, port: python(LISTENING, folder, port),
)


@pytest.fixture(autouse=True)
def more_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = replace(
        LISTENER,
        name="failing",
        prepare=lambda folder, port: python(FAILING, folder, port),
    )
    absent = replace(LISTENER, name="absent", is_installed=lambda: False)
    for program in (LISTENER, failing, absent):
        monkeypatch.setitem(PEERS, program.name, program)


def test_a_contestant_says_what_it_is() -> None:
    contestants = {it.name: it for it in installed_peers()}

    listener = contestants["listener"]

    assert (listener.server, listener.transport, listener.store) == (
        "peer",
        "mqtt",
        "memory",
    )


def test_what_is_not_installed_is_not_among_the_contestants() -> None:
    assert "absent" not in {it.name for it in installed_peers()}


def test_what_is_not_installed_is_refused_by_one_clear_line() -> None:
    with pytest.raises(Unavailable) as refused:
        peer_promise("absent")

    assert str(refused.value) == ("absent is not installed: apt-get install mosquitto.")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Unavailable, match=r"No peer is called tigase; .* mosquitto"):
        peer_program("tigase")


def test_a_promise_has_the_version_that_the_program_tells() -> None:
    promise = peer_promise("listener")

    assert promise.version == "1"
    assert (promise.acknowledged, promise.stored, promise.synced) == (
        True,
        False,
        False,
    )


def test_a_server_accepts_while_the_block_runs(tmp_path: Path) -> None:
    with peer_server(LISTENER.contestant, tmp_path, None) as (url, pid):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()

    address = urlsplit(url)
    assert (address.scheme, address.hostname) == ("mqtt", "127.0.0.1")
    assert str(address.port).encode() in command
    assert not Path(f"/proc/{pid}").exists()


def test_a_twin_is_the_same_server(tmp_path: Path) -> None:
    twin = msgspec.structs.replace(
        LISTENER.contestant, name="listener'", twin_of="listener"
    )

    with peer_server(twin, tmp_path, None) as (url, _):
        assert url.startswith("mqtt://")


def test_a_server_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path,
) -> None:
    failing = PEERS["failing"].contestant

    with (
        pytest.raises(ChildFailed, match="failing failed: the port is taken"),
        peer_server(failing, tmp_path, None),
    ):
        pass
