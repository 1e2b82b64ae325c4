"""``chatcore client`` on a terminal, as its user sees it."""

import re
import signal
from pathlib import Path

from tests.app.processes import (
    PASSWORD,
    RunningServer,
    client,
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


def test_it_greets_with_the_servers_address_and_how_to_go_on(
    server: RunningServer,
) -> None:
    with terminal(server.url) as ada:
        seen = ada.see(lambda lines: lines[-2].startswith("Connected to "))

        ada.type("help\r")
        ada.see(lambda lines: lines[-2].startswith("quit "))

    assert seen[-2] == f"Connected to {server.url}; help lists the commands."


def test_a_new_password_is_asked_for_twice_and_shown_nowhere(
    server: RunningServer,
) -> None:
    with terminal(server.url) as una:
        una.see(lambda lines: lines[-1:] == [">"])

        una.type("create una\r")
        una.see(lambda lines: lines[-1] == "New password:")
        una.type(f"{PASSWORD}\r")
        una.see(lambda lines: lines[-1] == "Once more:")
        una.type(f"{PASSWORD}\r")
        una.see(lambda lines: "To log in, say: login una" in lines)
        logged_in(una, "una")
        una.type("password\r")
        una.see(lambda lines: lines[-1] == "Old password:")
        una.type(f"{PASSWORD}\r")
        una.see(lambda lines: lines[-1] == "New password:")
        una.type("battery staple\r")
        una.see(lambda lines: lines[-1] == "Once more:")
        una.type("battery staple\r")
        una.see(lambda lines: "The password is changed." in lines)

    assert PASSWORD.encode() not in una.written
    assert b"battery" not in una.written


def test_a_new_password_that_was_mistyped_makes_no_account(
    server: RunningServer,
) -> None:
    with terminal(server.url) as uli:
        uli.see(lambda lines: lines[-1:] == [">"])

        uli.type("create uli\r")
        uli.see(lambda lines: lines[-1] == "New password:")
        uli.type(f"{PASSWORD}\r")
        uli.see(lambda lines: lines[-1] == "Once more:")
        uli.type("correct house\r")
        # The prompt is drawn before what is printed above it.
        seen = uli.see(lambda lines: lines[-1] == ">" and "two" in lines[-2])

        assert seen[-2] == "These were two different passwords; try again."
        uli.type("login uli\r")
        uli.see(lambda lines: lines[-1] == "Password:")
        uli.type(f"{PASSWORD}\r")
        uli.see(lambda lines: lines[-2].startswith("[202] "))


def test_ctrl_c_clears_the_line_and_on_an_empty_one_leaves(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "tom")
    with terminal(server.url) as tom:
        logged_in(tom, "tom")
        tom.type("send tom not this")
        tom.see(lambda lines: lines[-1] == "tom> send tom not this")

        tom.type("\x03")
        tom.see(lambda lines: lines[-1] == "tom>")
        tom.type("list tom\r")
        seen = tom.see(lambda lines: lines[-2:] == ["1 account.", "tom>"])
        tom.type("\x03")
        status = tom.wait()

    assert not any("Sent to" in line for line in seen)
    assert status == 130
    # It has logged out: nothing is left that another login would have to end.
    assert client(server.url, "login tom", PASSWORD).status == 0


def test_ctrl_c_at_a_question_takes_the_command_back(server: RunningServer) -> None:
    with terminal(server.url) as ute:
        ute.see(lambda lines: lines[-1:] == [">"])
        ute.type("create ute\r")
        ute.see(lambda lines: lines[-1] == "New password:")

        ute.type("correct\x03")
        seen = ute.see(lambda lines: lines[-1] == ">" and "Nothing" in lines[-2])

    assert seen[-2] == "Nothing was done."
    assert b"correct" not in ute.written


def test_a_deletion_asks_nothing_of_whoever_has_a_wrong_password(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "wes")
    with terminal(server.url) as wes:
        wes.see(lambda lines: lines[-1:] == [">"])
        wes.type("delete wes\r")
        wes.see(lambda lines: lines[-1] == "Password:")

        wes.type("wrong password\r")
        seen = wes.see(lambda lines: lines[-1] == ">" and "[202]" in lines[-2])

    assert seen[-2].startswith("[202] ")
    assert not any("deliver" in line for line in seen)


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
