"""``chatcore serve`` as a process."""

import json
import re
import signal
import socket
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.app.processes import (
    CHEAP,
    COMMAND,
    PASSWORD,
    PATIENCE_S,
    RunningServer,
    chatcore,
    client,
    environment,
    on_disk,
    on_memory,
    running_server,
    with_accounts,
)

# The command as people run it, without what cuts its frames.
plain_server = partial(running_server, program=COMMAND)


def test_it_says_ready_with_the_real_port_once_it_accepts(
    server: RunningServer,
) -> None:
    host, _, port = server.url.removeprefix("tcp://").partition(":")

    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        connection.sendall(b"CHAT/1 json\n")
        answer = connection.recv(64)

    assert answer.startswith(b"CHAT/1 ok\n")


def test_it_listens_on_each_url_that_it_is_given() -> None:
    with plain_server(
        *on_memory(), "--listen", "tcp://127.0.0.1:0", listeners=2
    ) as server:
        with_accounts(server.urls[0], "ada")

        seen = client(server.urls[1], "login ada", PASSWORD, "list")

    assert seen.lines[-2:] == ["ada online", "1 account."]


@pytest.mark.rule("W9")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_with_status_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    with plain_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada")

        status = server.stop(number)

    assert status == 0
    with plain_server(*on_disk(tmp_path)) as again:
        assert client(again.url, "login ada", PASSWORD).status == 0


@pytest.mark.rule("W9")
def test_when_it_stops_a_client_is_told_that_it_may_come_back() -> None:
    with plain_server(*on_memory()) as server:
        host, _, port = server.url.removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
            connection.sendall(b"CHAT/1 json\n")
            reading = connection.makefile("rb")
            greeting, welcome = reading.readline(), reading.readline()
            server.process.send_signal(signal.SIGTERM)

            last = json.loads(reading.readline())
            reading.close()

        status = server.process.wait(PATIENCE_S)

    assert greeting == b"CHAT/1 ok\n"
    assert b"welcome" in welcome
    assert last["events"][-1]["closing"]["code"] == 4000
    assert status == 0


def test_a_port_in_use_is_one_numbered_line_and_status_1(
    server: RunningServer,
) -> None:
    done = chatcore("serve", "--listen", server.url, "--store", "memory:", *CHEAP)

    assert done.status == 1
    assert done.errors.splitlines()[-1].startswith("chatcore: [702] Cannot listen on")
    assert "Traceback" not in done.errors
    assert done.lines == []


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--transport", "pigeon"), "known: tcp, websocket, grpc, http.\n"),
        (("--transport", "all", "--port", "65535"), "0 to 65535, not 65538.\n"),
        (
            ("--listen", "pigeon://a:1"),
            "tcp://, ws://, grpc://, http://, tcps://, wss://, grpcs://, https://.\n",
        ),
        (("--listen", "tcp://a:70000"), "out of range 0-65535.\n"),
        (("--listen", "127.0.0.1:7400"), "no scheme, such as tcp://.\n"),
        (("--limit", "grace_s=soon"), "is a number, not 'soon'.\n"),
        (("--limit", "connections=3000000000"), "not 3000000000.\n"),
        (("--limit", "frame_bytes=5000"), "at least 397312, not 5000.\n"),
        (("--hash-memory-kib", "7"), "hash_memory_kib is at least 8.\n"),
        (("--hash-passes", "5000000000"), "at most 4294967295.\n"),
    ],
)
def test_what_is_set_wrongly_is_one_line_and_status_2_before_there_is_a_store(
    tmp_path: Path, flags: tuple[str, ...], complaint: str
) -> None:
    done = chatcore("serve", *flags, folder=tmp_path)

    assert done.status == 2
    assert done.errors.startswith("chatcore: [701] ")
    assert done.errors.endswith(complaint)
    assert done.errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("store", ["chat.db", "mysql://here", "sqlite://chat.db"])
def test_a_store_that_is_named_wrongly_is_one_line_and_status_2(
    tmp_path: Path, store: str
) -> None:
    done = chatcore("serve", "--port", "0", "--store", store, *CHEAP, folder=tmp_path)

    assert done.status == 2
    assert done.errors.splitlines()[-1].startswith("chatcore: [600] ")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_opened_is_one_numbered_line_and_status_1(
    tmp_path: Path,
) -> None:
    store = f"sqlite:///{tmp_path / 'no such folder' / 'chat.db'}"

    done = chatcore("serve", "--port", "0", "--store", store)

    assert done.status == 1
    assert re.fullmatch(r"chatcore: \[6\d\d\] .+\n", done.errors)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("prot = 7400", "there is no setting 'prot'"),
        ('port = "many"', "port is a whole number"),
        ("[limits]\nmailbox = 5", "there is no such limit"),
        ("port = ", "is not TOML"),
    ],
)
def test_a_fault_in_the_file_is_one_line_and_status_2(
    tmp_path: Path, content: str, complaint: str
) -> None:
    file = tmp_path / "chat.toml"
    file.write_text(content, encoding="utf-8")

    done = chatcore("serve", "--config", str(file))

    assert done.status == 2
    assert done.errors.count("\n") == 1
    assert complaint in done.errors


def test_a_flag_that_does_not_exist_is_one_line_and_status_2() -> None:
    done = chatcore("serve", "--prot", "7400")

    assert done.status == 2
    assert done.errors.count("\n") == 1


@pytest.mark.rule("M6")
def test_a_limit_from_a_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    file.write_text("[limits]\nmailbox_messages = 1\n", encoding="utf-8")
    with plain_server(*on_memory(), "--config", str(file)) as server:
        with_accounts(server.url, "ada", "bob")

        done = client(server.url, "login ada", PASSWORD, "send bob one", "send bob two")

    assert done.status == 1
    assert done.lines[-1].startswith("[301] The mailbox of bob is full")


def test_log_lines_are_json_when_asked_for() -> None:
    with plain_server(*on_memory(), "--log-format", "json") as server:
        server.stop()
        assert server.process.stderr is not None
        written = server.process.stderr.read().splitlines()

    lines = [json.loads(line) for line in written]

    assert {"at", "level", "logger", "message"} <= lines[0].keys()
    assert "insecurely" in lines[0]["message"]


def test_at_debug_only_what_is_ours_tells_of_everything() -> None:
    flags = ("--transport", "all", "--port", "0", "--log-format", "json")
    debug = ("--store", "memory:", "--insecure-fast-hash", "--log-level", "debug")
    with plain_server(*flags, *debug, listeners=4) as server:
        for url in server.urls:
            with_accounts(url, "of-" + url.partition(":")[0])
        server.stop()
        assert server.process.stderr is not None
        written = server.process.stderr.read().splitlines()

    ours = ("chatapp", "chatcore", "chatstores", "chatsystem", "transports")
    lines = [json.loads(line) for line in written]
    others = [it for it in lines if not it["logger"].startswith(ours)]

    assert "debug" in {it["level"] for it in lines}
    assert "debug" not in {it["level"] for it in others}
    assert not [it for it in others if it["logger"].startswith("websockets")]


def test_its_store_is_one_file_once_it_has_stopped(tmp_path: Path) -> None:
    with plain_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada")
        while_it_runs = {it.name for it in tmp_path.iterdir()}

        server.stop()

    assert while_it_runs == {"chat.db", "chat.db-wal"}
    assert {it.name for it in tmp_path.iterdir()} == {"chat.db"}


def test_a_second_signal_ends_it_at_once() -> None:
    # A client that neither reads nor goes keeps an orderly stop waiting.
    with plain_server(*on_memory()) as server:
        host, _, port = server.url.removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
            connection.sendall(b"CHAT/1 json\n")
            with connection.makefile("rb") as reading:
                reading.readline()
                server.process.send_signal(signal.SIGINT)
                while b"closing" not in reading.readline():
                    pass

                server.process.send_signal(signal.SIGINT)
                status = server.process.wait(PATIENCE_S)

    assert status == -signal.SIGINT


def test_nobody_reading_its_output_is_no_traceback() -> None:
    with subprocess.Popen(
        [*COMMAND, "demo", "--conversations", "2", "--pace", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()

        process.stdout.close()
        errors = process.stderr.read()

    assert process.returncode == 141
    assert errors == b""
