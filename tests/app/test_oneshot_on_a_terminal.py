"""One-shot commands where somebody sits: what is asked, and what does not show."""

import shlex
import sys

from tests.app.processes import (
    COMMAND,
    PASSWORD,
    RunningServer,
    chatcore,
    with_accounts,
)
from tests.app.screens import terminal

# Makes the terminal the controlling one, as a shell's is.
OWN_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_a_new_password_is_asked_for_twice_and_not_shown(server: RunningServer) -> None:
    with terminal(server.url, *COMMAND, "create", "t-amy") as amy:
        amy.see(lambda lines: lines[-1] == "New password:")
        amy.type(f"{PASSWORD}\n")
        amy.see(lambda lines: lines[-1].startswith("Once more:"))
        amy.type(f"{PASSWORD}\n")

        status = amy.wait()

    assert status == 0
    assert amy.lines[-1] == "Created t-amy."
    assert PASSWORD.encode() not in amy.written


def test_a_new_password_that_was_mistyped_makes_no_account(
    server: RunningServer,
) -> None:
    with terminal(server.url, *COMMAND, "create", "t-ben") as ben:
        ben.see(lambda lines: lines[-1] == "New password:")
        ben.type(f"{PASSWORD}\n")
        ben.see(lambda lines: lines[-1].startswith("Once more:"))
        ben.type("correct house\n")

        status = ben.wait()

    assert status == 2
    assert ben.lines[-1].startswith("chatcore: [711] ")


def test_a_password_is_asked_for_on_the_terminal_where_stdin_is_a_pipe(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "t-cat")
    sending = shlex.join([*COMMAND, "send", "t-cat", "--as", "t-cat"])
    pipe = f"echo hello | {sending}"
    with terminal(
        server.url, sys.executable, "-c", OWN_TERMINAL, "sh", "-c", pipe
    ) as cat:
        cat.see(lambda lines: lines[-1] == "Password:")
        cat.type(f"{PASSWORD}\n")

        status = cat.wait()

    assert status == 0
    assert cat.lines[-1].startswith("Sent to t-cat (number 1 ")


def test_a_deletion_is_asked_for_after_its_plan(server: RunningServer) -> None:
    with_accounts(server.url, "t-dan")
    for answer, status in (("no", 1), ("yes", 0)):
        with terminal(server.url, *COMMAND, "delete", "--as", "t-dan") as dan:
            dan.see(lambda lines: lines[-1] == "Password:")
            dan.type(f"{PASSWORD}\n")
            seen = dan.see(lambda lines: "yes or [no]:" in lines[-1])
            dan.type(f"{answer}\n")

            assert dan.wait() == status
            assert any(line.startswith("This would do: ") for line in seen)

    gone = chatcore(
        *("list", "--as", "t-dan", "--connect", server.url),
        extra={"CHATCORE_PASSWORD": PASSWORD},
    )
    assert gone.status == 3
