"""Servers of contestants: which program they are, and that none is left behind."""

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chatbench.cells import Cell, Contestant, Workload
from chatbench.children import environment, pinned, running
from chatbench.contestants import ChatContestant, echo, over
from chatbench.errors import ChildFailed
from chatbench.servers import StartedServer, command_of, start_server
from chatbench.workloads import logins, rtt

PATIENCE_S = 20.0


def cell(contestant: Contestant, workload: Workload | None = None) -> Cell:
    return Cell(contestant=contestant, workload=workload or rtt())


def program(contestant: Contestant, workload: Workload | None = None) -> str:
    """The words of a server's command that say which program it is, and how."""
    command = command_of(cell(contestant, workload), Path("/there"))
    return " ".join(command[2:])


def test_a_plain_contestant_is_the_product_itself() -> None:
    command = program(ChatContestant("grpc", "sqlite").plain())

    assert command == (
        "chatapp serve --transport grpc --loop asyncio "
        "--store sqlite:////there/chat.db --port 0 --log-level warning "
        "--insecure-fast-hash"
    )


def test_passwords_are_hashed_as_by_default_where_logins_are_measured() -> None:
    assert "--insecure-fast-hash" not in program(
        ChatContestant("tcp").plain(), logins(16)
    )


def test_what_the_product_cannot_do_runs_from_the_floor() -> None:
    planted = Contestant(
        name="planted",
        transport="tcp",
        codec="protobuf",
        store="memory",
        planted="cpu_us=20",
    )

    commands = [
        program(it)
        for it in (echo("websocket"), ChatContestant("tcp").single(), planted)
    ]

    assert [it.split()[0] for it in commands] == ["chatbench.floor.server"] * 3
    assert [it.rpartition(".db ")[2].rpartition("memory: ")[2] for it in commands] == [
        "--echo",
        "--single",
        "--plant cpu_us=20",
    ]


def test_a_server_accepts_while_the_block_runs_and_not_after_it(
    tmp_path: Path,
) -> None:
    plain = cell(ChatContestant("tcp", "sqlite").plain())

    with start_server(plain, tmp_path, None) as server:
        parts = urlsplit(server.wait())
        where = (parts.hostname, parts.port)
        with socket.create_connection(where, PATIENCE_S):
            was_running = Path(f"/proc/{server.pid}").exists()

    assert was_running
    assert (tmp_path / "chat.db").exists()
    assert isinstance(server, StartedServer)
    assert server.child.has_ended()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(where, PATIENCE_S)


def test_a_server_that_does_not_start_is_told_with_its_last_words(
    tmp_path: Path,
) -> None:
    nowhere = cell(ChatContestant("pigeon", "memory").plain())

    with (
        start_server(nowhere, tmp_path, None) as server,
        pytest.raises(ChildFailed, match="pigeon"),
    ):
        server.wait()


def test_a_server_ends_also_when_the_run_is_interrupted(tmp_path: Path) -> None:
    plain = cell(ChatContestant("tcp", "memory").plain())

    with ExitStack() as opened:
        server = opened.enter_context(start_server(plain, tmp_path, None))
        server.wait()
        interrupted = KeyboardInterrupt()
        opened.__exit__(KeyboardInterrupt, interrupted, None)

    assert isinstance(server, StartedServer)
    assert server.child.has_ended()


def test_a_child_runs_on_its_core_and_we_go_on_where_we_were(tmp_path: Path) -> None:
    ours = os.sched_getaffinity(0)
    core = max(ours)
    show = "import os, threading; told = []\n"
    show += "it = threading.Thread(target=lambda: told.append(os.sched_getaffinity(0)))"
    show += "\nit.start(); it.join(); print(*os.sched_getaffinity(0), *told[0])"

    with running(
        "it", [sys.executable, "-c", show], core=core, log=tmp_path / "log"
    ) as child:
        said = child.read_line(PATIENCE_S)

    assert said == f"{core} {core}"
    assert os.sched_getaffinity(0) == ours


def test_our_affinity_comes_back_also_after_a_failure() -> None:
    ours = os.sched_getaffinity(0)

    with pytest.raises(ValueError, match="inside"), pinned(max(ours)):
        raise ValueError("inside")

    assert os.sched_getaffinity(0) == ours


def test_a_child_that_says_nothing_in_time_has_failed(tmp_path: Path) -> None:
    wait = "import sys; sys.stdin.read()"

    with (
        running(
            "it",
            [sys.executable, "-c", wait],
            core=None,
            log=tmp_path / "log",
            stdin=-1,
        ) as child,
        pytest.raises(ChildFailed, match=r"It failed: nothing was said in 0\.01 s"),
    ):
        child.read_line(0.01)


def test_the_last_line_of_an_answer_counts_and_a_traceback_is_a_fault(
    tmp_path: Path,
) -> None:
    echoes = "import sys; print('a word'); print(sys.stdin.read().upper())"
    fails = "import sys; sys.stdin.read(); raise ValueError('no such load')"
    answers = []

    for number, code in enumerate((echoes, fails)):
        log = tmp_path / str(number)
        with running(
            "it", [sys.executable, "-c", code], core=None, log=log, stdin=-1
        ) as child:
            try:
                answers.append(child.ask(b"order", PATIENCE_S).decode())
            except ChildFailed as failed:
                answers.append(failed.reason)

    assert answers == ["ORDER", "ValueError: no such load"]


def test_settings_of_the_user_do_not_reach_a_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHATCORE_LIMIT_BODY_BYTES", "1")

    assert "CHATCORE_LIMIT_BODY_BYTES" not in environment()


def test_a_server_over_a_store_of_others_loads_it_and_has_one_of_its_own() -> None:
    plain = ChatContestant("tcp").plain()
    contestant = over("pigeons://coop/{folder}", plain, plugin="/coop.py")

    command = program(contestant)

    assert contestant.name == "tcp-protobuf-pigeons"
    assert "--store pigeons://coop//there " in command
    assert "--plugin /coop.py" in command
