"""``chatcore receive``: what is printed is acknowledged, and nothing else."""

import asyncio
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from chatstores import open_store
from tests.app.oneshots import Commands, end_of, line_of, started
from tests.app.processes import (
    PATIENCE_S,
    RunningServer,
    on_disk,
    running_server,
    with_accounts,
    with_messages,
)

FIVE = ["one", "two", "three", "four", "five"]
# Reads one line, and then whatever else is there, as ``head -1`` does.
HEAD = "import os; print(os.read(0, 65536).decode().splitlines()[0])"


def test_what_is_queued_is_printed_once(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "r-amy", "r-ben")
    with_messages(server.url, "r-amy", "r-ben", *(str(it) for it in range(600)))

    first = run("receive", "--as", "r-ben", "--json")
    second = run("receive", "--as", "r-ben", "--json")

    assert first.bodies == [str(it) for it in range(600)]
    assert set(first.records[0]) == {
        "type",
        "position",
        "sender",
        "sender_id",
        "sender_deleted",
        "sent_at_ms",
        "body",
    }
    assert (second.status, second.lines) == (0, [])


def test_for_people_a_message_is_a_line_that_commands_no_terminal(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-cam")
    with_messages(server.url, "r-cam", "r-cam", "\x1b]0;owned\x07 grüße\nmore")

    done = run("receive", "--as", "r-cam")

    (line,) = done.lines
    assert line.endswith(r"] r-cam: \x1b]0;owned\x07 grüße\nmore")


@pytest.mark.rule("M4")
def test_those_above_the_count_wait(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "r-dan")
    with_messages(server.url, "r-dan", "r-dan", *FIVE)

    done = run("receive", "--as", "r-dan", "--count", "2", "--json")

    assert done.bodies == FIVE[:2]
    assert run.received("r-dan") == FIVE[2:]


def test_waiting_ends_with_the_count(server: RunningServer) -> None:
    with_accounts(server.url, "r-eva")
    with started(
        server.url,
        *("receive", "--as", "r-eva", "--follow", "--count", "2", "--json"),
    ) as receiving:
        with_accounts(server.url, "r-eve")
        with_messages(server.url, "r-eve", "r-eva", "one", "two")

        assert '"one"' in line_of(receiving)
        assert '"two"' in line_of(receiving)
        assert end_of(receiving) == (0, "")


def test_nothing_in_the_time_that_it_waited_is_status_8(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-fil")

    done = run("receive", "--as", "r-fil", "--wait", "0.05")

    assert (done.status, done.text, done.errors) == (8, "", "")


@pytest.mark.parametrize("wait", ["0", "0.05"])
def test_what_is_queued_is_printed_however_short_the_wait(
    server: RunningServer, run: Commands, wait: str
) -> None:
    name = f"r-gil{len(wait)}"
    with_accounts(server.url, name)
    with_messages(server.url, name, name, *(str(it) for it in range(300)))

    done = run("receive", "--as", name, "--wait", wait, "--json")

    assert done.status == 0
    assert len(done.bodies) == 300


@pytest.mark.rule("M4", "M5")
@pytest.mark.skipif(sys.platform != "linux", reason="others do not tell what was read")
def test_receiving_into_head_loses_nothing(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-hal")
    with_messages(server.url, "r-hal", "r-hal", *FIVE)

    with (
        started(server.url, "receive", "--as", "r-hal", "--json") as receiving,
        subprocess.Popen(
            [sys.executable, "-c", HEAD],
            stdin=receiving.stdout,
            stdout=subprocess.PIPE,
            text=True,
        ) as head,
    ):
        assert receiving.stdout is not None
        receiving.stdout.close()
        printed = head.communicate(timeout=PATIENCE_S)[0]
        ended = end_of(receiving)

    assert '"one"' in printed
    assert ended == (141, "")
    assert run.received("r-hal") == FIVE[1:]


@pytest.mark.rule("M4")
def test_following_ends_with_its_reader_although_nothing_comes(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-ivo")
    with_messages(server.url, "r-ivo", "r-ivo", "one")
    with started(server.url, "receive", "--as", "r-ivo", "--follow") as receiving:
        assert receiving.stdout is not None
        line_of(receiving)

        receiving.stdout.close()

        assert end_of(receiving) == (141, "")
    assert run.received("r-ivo") == []


@pytest.mark.rule("M4")
@pytest.mark.skipif(sys.platform != "linux", reason="others have no /dev/full")
def test_a_message_that_a_full_disk_did_not_take_comes_again(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-jan")
    with_messages(server.url, "r-jan", "r-jan", "one")

    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        started(
            server.url, "receive", "--as", "r-jan", stdout=full.fileno()
        ) as receiving,
    ):
        status, errors = end_of(receiving)

    assert status == 1
    assert errors.startswith("chatcore: [708] Cannot write the output: ")
    assert run.received("r-jan") == ["one"]


@pytest.mark.rule("M4", "M5")
def test_a_kill_in_the_middle_may_repeat_and_never_loses(tmp_path: Path) -> None:
    sent = [str(number) for number in range(400)]
    with running_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada")
        with_messages(server.url, "ada", "ada", *sent)
        with started(server.url, "receive", "--as", "ada", "--json") as receiving:
            before = [line_of(receiving) for _ in range(100)]

            receiving.kill()
            assert receiving.stdout is not None
            before += receiving.stdout.read().splitlines()
            receiving.wait(PATIENCE_S)

        with started(server.url, "receive", "--as", "ada", "--json") as receiving:
            after = receiving.communicate(timeout=PATIENCE_S)[0].splitlines()

    bodies = [line.rpartition('"body": ')[2].strip('"}\n') for line in before + after]
    assert list(dict.fromkeys(bodies)) == sent
    assert len(after) >= len(sent) - len(before)
    assert len(after) < len(sent)


@pytest.mark.rule("S4")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_it_and_the_account_can_be_logged_in_to_right_away(
    server: RunningServer, run: Commands, number: signal.Signals, status: int
) -> None:
    name = f"r-kim{status}"
    with_accounts(server.url, name)
    with_messages(server.url, name, name, "one")
    with started(server.url, "receive", "--as", name, "--follow") as receiving:
        line_of(receiving)

        receiving.send_signal(number)

        assert end_of(receiving) == (status, "")
    assert run.received(name) == []


@pytest.mark.rule("S4")
def test_after_a_signal_and_after_a_refusal_no_session_is_left(tmp_path: Path) -> None:
    async def sessions() -> list[str]:
        async with open_store(f"sqlite:///{tmp_path / 'chat.db'}") as store:
            return [it.username for it in await store.sessions()]

    with running_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada", "bob")
        with_messages(server.url, "ada", "ada", "one")
        with started(server.url, "receive", "--as", "ada", "--follow") as receiving:
            line_of(receiving)
            receiving.send_signal(signal.SIGINT)
            end_of(receiving)
        with started(server.url, "send", "nobody", "hi", "--as", "bob") as sending:
            assert end_of(sending)[0] == 5

        server.stop()

    assert asyncio.run(sessions()) == []


@pytest.mark.rule("M4")
def test_a_signal_ends_it_also_while_nobody_reads_what_it_prints(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-leo")
    long = ["x" * 60_000, "y" * 60_000, "z" * 60_000]
    with_messages(server.url, "r-leo", "r-leo", *long)
    with started(
        server.url, "receive", "--as", "r-leo", "--follow", "--json"
    ) as receiving:
        assert receiving.stdout is not None
        receiving.stdout.buffer.read(70_000)  # type: ignore[attr-defined]  # it has one

        receiving.send_signal(signal.SIGINT)
        status = receiving.wait(PATIENCE_S)

    assert status == 130
    assert run.received("r-leo")[-2:] == long[1:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_while_it_connects(number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with started(url, "receive", "--as", "ada") as receiving:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)

                receiving.send_signal(number)

                assert end_of(receiving) == (-number, "")


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with running_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada")
        with_messages(server.url, "ada", "ada", "one")
        with started(server.url, "receive", "--as", "ada", "--follow") as receiving:
            line_of(receiving)
            server.process.send_signal(signal.SIGSTOP)  # nobody answers the logout

            while receiving.poll() is None:
                receiving.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    receiving.wait(0.05)

            assert receiving.returncode == -signal.SIGINT


@pytest.mark.rule("D4")
def test_a_notice_of_what_came_back_is_a_bounce(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "r-mia", "r-ned")
    with_messages(server.url, "r-mia", "r-ned", "one", "two")
    run("delete", "--as", "r-ned", "--preset", "discard+keep", "--yes")

    done = run("receive", "--as", "r-mia", "--json")

    (bounce,) = done.records
    assert bounce["type"] == "bounce"
    assert bounce["recipient"] == "r-ned"
    assert bounce["positions"] == [1, 2]
