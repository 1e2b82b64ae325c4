"""What an error says at the end of a command, and which exit status it stands for."""

import json
import re
import signal
import tomllib
from pathlib import Path

import pytest

from chatapp.error_report import INSTALL, first_of, line_for, status_of
from chatapp.errors import CannotReach, ExtraMissing, Interrupted, UsageWrong
from chatapp.exit_codes import ExitCode
from chatcore.errors import (
    REFUSALS,
    AccountInUse,
    CloseCode,
    Closed,
    MailboxFull,
    Outage,
    refusal_from_wire,
)

ROOT = Path(__file__).parents[3]
OF_THEIR_OWN = {
    202: ExitCode.WRONG_CREDENTIALS,
    203: ExitCode.ACCOUNT_IN_USE,
    300: ExitCode.NOT_DELIVERABLE,
    301: ExitCode.NOT_DELIVERABLE,
    302: ExitCode.TRY_AGAIN,
}


@pytest.mark.rule("E1")
@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_each_refusal_has_its_status(code: int) -> None:
    refusal = refusal_from_wire(code, "", {})

    is_outage = isinstance(refusal, Outage)
    other = ExitCode.TRY_AGAIN if is_outage else ExitCode.REFUSED
    assert status_of(refusal) is OF_THEIR_OWN.get(code, other)


@pytest.mark.parametrize("code", list(CloseCode))
def test_a_link_that_may_come_back_is_to_be_tried_again(code: CloseCode) -> None:
    status = status_of(Closed(code))

    if code is CloseCode.REPLACED:
        assert status is ExitCode.ACCOUNT_IN_USE
    else:
        assert status is (
            ExitCode.TRY_AGAIN if code.may_reconnect else ExitCode.REFUSED
        )


def test_signals_and_broken_pipes_have_the_statuses_of_shells() -> None:
    assert status_of(Interrupted(signal.SIGINT)) == 128 + signal.SIGINT
    assert status_of(Interrupted(signal.SIGTERM)) == 128 + signal.SIGTERM
    assert status_of(BrokenPipeError()) == 128 + signal.SIGPIPE


def test_a_fault_of_ours_has_no_status() -> None:
    assert status_of(ZeroDivisionError()) is None


def test_the_first_of_several_errors_counts() -> None:
    refusal = AccountInUse(username="ada")

    group = ExceptionGroup("", [ExceptionGroup("", [refusal]), ValueError()])

    assert first_of(group) is refusal


@pytest.mark.parametrize(
    ("module", "install"),
    [
        ("websockets", "websockets"),
        ("grpc", "grpcio"),
        ("google.rpc", "googleapis-common-protos"),
        ("matplotlib.pyplot", "chatcore-bench"),
        ("uvloop", "chatcore[speed]"),
    ],
)
def test_a_library_that_is_missing_names_what_brings_it(
    module: str, install: str
) -> None:
    missing = first_of(ModuleNotFoundError("no", name=module))

    assert isinstance(missing, ExtraMissing)
    assert missing.text.endswith(f"pip install '{install}'")


def test_only_packages_and_extras_that_exist_are_advised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bench = ROOT / "benchmarks" / "pyproject.toml"
    extras = project["optional-dependencies"]
    known = {re.split(r"[<>=]", it)[0] for it in project["dependencies"]}
    known |= {f"chatcore[{name}]" for name in extras}
    known.add(tomllib.loads(bench.read_text("utf-8"))["project"]["name"])

    assert set(INSTALL.values()) <= known


@pytest.mark.rule("E1")
def test_json_has_the_number_the_name_the_text_and_the_fields() -> None:
    line = line_for(MailboxFull(recipient="bob"), as_json=True, line=3)

    assert json.loads(line) == {
        "error": {
            "code": 301,
            "name": "MAILBOX_FULL",
            "text": "The mailbox of bob is full; nothing was dropped.",
            "fields": {"recipient": "bob"},
        },
        "line": 3,
    }


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (CannotReach("there"), 704, "CANNOT_REACH"),
        (UsageWrong("chatcore list", "why"), 701, "SETTING_WRONG"),
        (Closed(CloseCode.ACCOUNT_DELETED), 4505, "ACCOUNT_DELETED"),
    ],
)
def test_json_names_what_is_no_refusal_too(
    error: Exception, code: int, name: str
) -> None:
    told = json.loads(line_for(error, as_json=True))["error"]

    assert (told["code"], told["name"], told["fields"]) == (code, name, {})


def test_for_people_it_is_one_line_that_commands_no_terminal() -> None:
    line = line_for(AccountInUse(username="\x1b[2J\nada"), as_json=False, line=2)

    assert line == (
        r"chatcore: line 2: [203] \x1b[2J ada is logged in elsewhere; "
        "log out there first."
    )


def test_wrong_words_point_to_the_help() -> None:
    error = UsageWrong("chatcore list", "there is no such flag")

    assert line_for(error, as_json=False) == (
        "chatcore list: there is no such flag (see chatcore list --help)"
    )
