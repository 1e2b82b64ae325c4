"""``chatcore client`` where input and output are pipes."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.app.processes import (
    COMMAND,
    PASSWORD,
    PATIENCE_S,
    RunningServer,
    chatcore,
    client,
    environment,
    on_disk,
    running_server,
    with_accounts,
    with_messages,
)


def without_times(lines: list[str]) -> list[str]:
    return [re.sub(r"^\[\d\d:\d\d\]", "[at]", line) for line in lines]


def test_commands_are_carried_out_one_after_another(own_server: RunningServer) -> None:
    done = client(
        own_server.url,
        "create ada",
        PASSWORD,
        "create bob",
        PASSWORD,
        "login ada",
        PASSWORD,
        "send bob hello  there",
        "list *",
        "logout",
    )

    assert done.status == 0
    assert done.errors == ""
    assert done.lines == [
        "Created ada.",
        "Created bob.",
        "Logged in as ada; nothing waits.",
        "Sent to bob (number 1 of that mailbox, in memory only).",
        "ada online",
        "bob offline",
        "2 accounts.",
        "Logged out.",
    ]


def test_what_waited_is_shown_before_deliver_is_done(server: RunningServer) -> None:
    with_accounts(server.url, "cora", "dan")
    with_messages(server.url, "cora", "dan", *(f"message {n}" for n in range(300)))

    done = client(server.url, "login dan", PASSWORD, "deliver", "logout")

    shown = without_times(done.lines)
    assert shown[0] == "Logged in as dan; waiting: 300."
    assert shown[1:301] == [f"[at] cora: message {number}" for number in range(300)]
    assert shown[302:] == ["Logged out."]


def test_a_message_cannot_command_the_terminal(server: RunningServer) -> None:
    with_accounts(server.url, "eve")

    done = client(
        server.url,
        "login eve",
        PASSWORD,
        "send eve \x1b]0;owned\x07 \x1b[2J \u202etxt.exe",
        "deliver",
    )

    assert "\x1b" not in "".join(done.lines)
    shown = next(line for line in done.lines if "owned" in line and "eve:" in line)
    assert shown.endswith(r"\x1b]0;owned\x07 \x1b[2J \u202etxt.exe")


@pytest.mark.rule("E2")
def test_after_a_refusal_it_goes_on_and_ends_with_status_1(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "gail")

    done = client(
        server.url, "login gail", "wrong password", "login gail", PASSWORD, "list gail"
    )

    assert done.status == 1
    assert done.lines[0].startswith("[202]")
    assert done.lines[-1] == "1 account."


def test_a_password_on_the_line_of_a_login_is_not_taken(server: RunningServer) -> None:
    done = client(server.url, f"login ines {PASSWORD}")

    assert done.status == 1
    assert PASSWORD not in "".join(done.lines)


@pytest.mark.rule("D2", "D4")
def test_a_deletion_asks_what_becomes_of_the_messages(server: RunningServer) -> None:
    with_accounts(server.url, "kim", "lars")
    with_messages(server.url, "kim", "lars", "one", "two")

    done = client(server.url, "delete lars", PASSWORD, "discard", "", "yes")
    after = client(server.url, "login kim", PASSWORD, "deliver", "list lars")

    assert done.status == 0
    assert done.lines[0].startswith("This would do: waiting messages delivered: 0, ")
    assert done.lines[1] == (
        "Deleted lars: waiting messages delivered: 0, discarded: 2 (senders told: 1); "
        "sent messages kept: 0, taken back: 0."
    )
    assert without_times(after.lines)[1] == (
        "[at] -- 2 messages to lars came back unread: the account was deleted"
    )
    assert after.lines[-1] == "0 accounts."


@pytest.mark.rule("D2")
def test_a_deletion_hands_over_what_waits_by_default(server: RunningServer) -> None:
    with_accounts(server.url, "mia", "nils")
    with_messages(server.url, "mia", "nils", "one", "two")

    done = client(server.url, "delete nils", PASSWORD, "", "", "yes")

    shown = without_times(done.lines)
    assert shown[1:3] == ["[at] mia: one", "[at] mia: two"]
    assert shown[3].startswith("Deleted nils: waiting messages delivered: 2, ")


def test_a_deletion_that_is_not_confirmed_changes_nothing(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "olga")

    done = client(server.url, "delete olga", PASSWORD, "", "", "no")

    assert done.lines[-1] == "Nothing was changed."
    assert client(server.url, "login olga", PASSWORD).status == 0


def test_no_server_is_one_numbered_line_and_status_6() -> None:
    done = chatcore("client", "--port", "1")

    assert done.status == 6
    assert re.fullmatch(r"chatcore: \[704\] Cannot connect .+\n", done.errors)


@pytest.mark.parametrize("codec", ["json", "msgpack", "protobuf"])
def test_each_codec_can_be_chosen(server: RunningServer, codec: str) -> None:
    done = chatcore(
        "client",
        "--connect",
        server.url,
        "--codec",
        codec,
        lines=[
            f"create {codec}",
            PASSWORD,
            f"login {codec}",
            PASSWORD,
            f"list {codec}",
        ],
    )

    assert done.status == 0
    assert done.lines[-2:] == [f"{codec} online", "1 account."]


def test_input_may_be_a_file(server: RunningServer, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"create rosa\n{PASSWORD}\nlogin rosa\n{PASSWORD}", "utf-8")

    with script.open("rb") as lines:
        done = subprocess.run(
            [*COMMAND, "client", "--connect", server.url],
            stdin=lines,
            capture_output=True,
            check=False,
            env=environment(),
            timeout=PATIENCE_S,
        )

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == b"Logged in as rosa; nothing waits."


@pytest.mark.rule("M4")
def test_the_messages_of_a_client_that_was_killed_wait_for_its_next_login(
    tmp_path: Path,
) -> None:
    with running_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada", "bob")
        with subprocess.Popen(
            [*COMMAND, "client", "--connect", server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as bob:
            assert bob.stdin is not None
            assert bob.stdout is not None
            bob.stdin.write(f"login bob\n{PASSWORD}\n")
            bob.stdin.flush()
            assert bob.stdout.readline().startswith("Logged in as bob")
            with_messages(server.url, "ada", "bob", "before")
            assert "before" in bob.stdout.readline()
            bob.kill()
            bob.wait(PATIENCE_S)

        with_messages(server.url, "ada", "bob", "one", "two")
        done = client(server.url, "login bob", PASSWORD, "deliver")

    assert done.status == 0
    assert without_times(done.lines)[-3:-1] == ["[at] ada: one", "[at] ada: two"]


def test_ctrl_c_is_status_130_without_a_traceback(server: RunningServer) -> None:
    with_accounts(server.url, "tara")
    with subprocess.Popen(
        [*COMMAND, "client", "--connect", server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as tara:
        assert tara.stdin is not None
        assert tara.stdout is not None
        assert tara.stderr is not None
        tara.stdin.write(f"login tara\n{PASSWORD}\n")
        tara.stdin.flush()
        tara.stdout.readline()

        tara.send_signal(signal.SIGINT)
        status = tara.wait(PATIENCE_S)
        errors = tara.stderr.read()

    assert status == 130
    assert errors == ""


@pytest.mark.rule("S1")
def test_a_login_that_replaces_the_first_ends_its_client_with_the_reason() -> None:
    flags = ("--listen", "tcp://127.0.0.1:0", "--store", "memory:")
    with running_server(
        *flags, "--insecure-fast-hash", "--second-login", "replace"
    ) as server:
        with_accounts(server.url, "ada")
        with subprocess.Popen(
            [*COMMAND, "client", "--connect", server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as first:
            assert first.stdin is not None
            assert first.stdout is not None
            assert first.stderr is not None
            first.stdin.write(f"login ada\n{PASSWORD}\n")
            first.stdin.flush()
            first.stdout.readline()

            client(server.url, "login ada", PASSWORD)
            status = first.wait(PATIENCE_S)
            errors = first.stderr.read()

    assert status == 4
    assert errors == "chatcore: [4503] The account logged in elsewhere.\n"
