"""``chatcore client`` on a terminal, as its user sees it."""

import re
import signal
from pathlib import Path

from tests.app.processes import (
    PASSWORD,
    RunningServer,
    on_disk,
    running_server,
    with_accounts,
    with_messages,
)
from tests.app.screens import Terminal, terminal


def logged_in(on: Terminal, name: str) -> None:
    on.see(lambda lines: lines[-1:] == [">"])
    on.type(f"login {name}\r")
    on.see(lambda lines: lines[-1:] == ["Password:"])
    on.type(f"{PASSWORD}\r")
    on.see(lambda lines: lines[-1:] == [f"{name}>"])


def test_two_people_talk(server: RunningServer) -> None:
    with_accounts(server.url, "vera", "walt")
    with terminal(server.url) as vera, terminal(server.url) as walt:
        logged_in(vera, "vera")
        logged_in(walt, "walt")

        vera.type("send walt hello walt\r")
        walt.see(lambda lines: lines[-2].endswith("] vera: hello walt"))
        walt.type("send vera hello vera\r")
        seen = vera.see(lambda lines: lines[-2].endswith("] walt: hello vera"))

    assert re.fullmatch(r"\[\d\d:\d\d\] walt: hello vera", seen[-2])
    assert seen[-1] == "vera>"


def test_a_message_that_comes_in_leaves_the_typed_line_whole(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "xena", "yves")
    with terminal(server.url) as yves:
        logged_in(yves, "yves")
        yves.type("send xena I am still typ")
        yves.see(lambda lines: lines[-1] == "yves> send xena I am still typ")

        with_messages(server.url, "xena", "yves", "one", "two", "three")
        seen = yves.see(lambda lines: "] xena: three" in lines[-2])

        assert [line[-3:] for line in seen[-4:-1]] == ["one", "two", "ree"]
        assert seen[-1] == "yves> send xena I am still typ"
        yves.type("ing\r")
        yves.see(lambda lines: lines[-2].startswith("Sent to xena"))
        assert "yves> send xena I am still typing" in yves.lines


def test_a_password_is_not_shown(server: RunningServer) -> None:
    with_accounts(server.url, "zoe")
    with terminal(server.url) as zoe:
        logged_in(zoe, "zoe")

        zoe.type("quit\r")
        status = zoe.wait()

    assert status == 0
    assert PASSWORD.encode() not in zoe.written


def test_a_message_cannot_command_the_terminal(server: RunningServer) -> None:
    with_accounts(server.url, "bea", "carl")
    with terminal(server.url) as carl:
        logged_in(carl, "carl")

        with_messages(server.url, "bea", "carl", "\x1b]0;owned\x07\x1b[2Jgone?")
        seen = carl.see(lambda lines: "gone?" in lines[-2])

    assert seen[-2].endswith(r"\x1b]0;owned\x07\x1b[2Jgone?")
    assert b"\x1b]0;owned" not in carl.written


def test_a_lost_connection_and_its_return_are_told_in_a_line_each(
    tmp_path: Path,
) -> None:
    with running_server(*on_disk(tmp_path)) as first, terminal(first.url) as ada:
        with_accounts(first.url, "ada")
        logged_in(ada, "ada")

        first.stop(signal.SIGKILL)
        ada.see(lambda lines: lines[-2].startswith("-- Connection lost"))
        with running_server(*on_disk(tmp_path), "--listen", first.url, listeners=2):
            ada.see(lambda lines: lines[-2].startswith("-- Connected again"))

            ada.type("send ada I am back\r")
            ada.see(lambda lines: any("] ada: I am back" in line for line in lines))


def test_ctrl_c_is_status_130_without_a_traceback(server: RunningServer) -> None:
    with terminal(server.url) as ada:
        ada.see(lambda lines: lines[-1:] == [">"])

        ada.type("\x03")
        status = ada.wait()

    assert status == 130
    assert b"Traceback" not in ada.written


def test_the_end_of_the_input_is_status_0(server: RunningServer) -> None:
    with terminal(server.url) as ada:
        ada.see(lambda lines: lines[-1:] == [">"])

        ada.type("\x04")
        status = ada.wait()

    assert status == 0
