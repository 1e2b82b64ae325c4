"""``chatcore create``, ``list``, ``password`` and ``delete``."""

import subprocess
from pathlib import Path

import pytest

from tests.app.oneshots import Commands, end_of, started
from tests.app.processes import PASSWORD, RunningServer, with_accounts, with_messages


@pytest.mark.rule("A3")
def test_an_account_is_made_once(run: Commands) -> None:
    first = run("create", "a-amy", "--json")
    second = run("create", "a-amy", "--json")

    (created,) = first.records
    assert first.status == 0
    assert (created["type"], created["name"]) == ("created", "a-amy")
    assert isinstance(created["account"], int)
    assert second.status == 1
    assert second.error == {
        "code": 204,
        "name": "NAME_TAKEN",
        "text": "The name a-amy is taken; choose another.",
        "fields": {"username": "a-amy"},
    }


@pytest.mark.rule("L1")
def test_a_list_has_who_matches_and_who_is_online(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "a-ben1", "a-ben2", "a-bob")

    everyone = run("list", "", "--as", "a-ben1")
    some = run("list", "a-be*", "--as", "a-ben1", "--json")

    assert {"a-ben1 online", "a-ben2 offline", "a-bob offline"} <= {*everyone.lines}
    assert some.records == [
        {"type": "account", "username": "a-ben1", "online": True},
        {"type": "account", "username": "a-ben2", "online": False},
    ]


@pytest.mark.rule("A6")
def test_after_a_change_the_new_password_holds(
    server: RunningServer, run: Commands, tmp_path: Path
) -> None:
    with_accounts(server.url, "a-cid")
    new = tmp_path / "new"
    new.write_text("battery staple\n", encoding="utf-8")

    changed = run(
        "password", "--as", "a-cid", "--new-password-file", str(new), "--json"
    )

    assert changed.records == [{"type": "password_changed", "username": "a-cid"}]
    assert run("list", "--as", "a-cid").status == 3
    assert run("list", "--as", "a-cid", "--password-file", str(new)).status == 0


def test_a_password_comes_from_the_file_before_the_variable(
    server: RunningServer, run: Commands, tmp_path: Path
) -> None:
    with_accounts(server.url, "a-dee")
    right = tmp_path / "right"
    right.write_bytes(PASSWORD.encode() + b"\r\n")
    run.set(CHATCORE_PASSWORD="of somebody else")

    by_variable = run("list", "--as", "a-dee")
    by_flag = run("list", "--as", "a-dee", "--password-file", str(right))
    run.set(CHATCORE_PASSWORD_FILE=str(right))
    by_file_variable = run("list", "--as", "a-dee")

    assert by_variable.status == 3
    assert by_flag.status == 0
    assert by_file_variable.status == 0


def test_a_password_file_that_cannot_be_read_is_status_2(run: Commands) -> None:
    done = run("list", "--as", "a-eli", "--password-file", "/none/such")

    assert done.status == 2
    assert "--password-file: /none/such cannot be read" in done.errors


def test_without_a_terminal_a_missing_password_is_status_2(
    server: RunningServer,
) -> None:
    with started(
        server.url, "password", "--as", "a-fay", "--json", stdin=subprocess.DEVNULL
    ) as process:
        status, errors = end_of(process)

    assert status == 2
    assert '"code": 710' in errors
    assert "CHATCORE_NEW_PASSWORD" in errors


@pytest.mark.rule("D2")
def test_a_deletion_prints_the_plan_what_waits_and_the_receipt(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "a-gus", "a-hal")
    with_messages(server.url, "a-gus", "a-hal", "one", "two")
    with_messages(server.url, "a-hal", "a-gus", "three")

    done = run("delete", "--as", "a-hal", "--yes", "--json")

    counts = {"username": "a-hal", "discarded": 0, "bounces": 0, "retracted": 0}
    assert done.status == 0
    assert done.records[0] == {"type": "plan", "delivered": 2, "kept": 1, **counts}
    assert done.bodies == ["one", "two"]
    assert done.records[-1] == {"type": "deleted", "delivered": 2, "kept": 1, **counts}
    assert run("list", "--as", "a-hal").status == 3
    assert run.received("a-gus") == ["three"]


@pytest.mark.rule("D3")
@pytest.mark.parametrize(
    "flags",
    [
        ("--preset", "discard+retract"),
        ("--inbox", "discard", "--outbox", "retract"),
    ],
)
def test_an_erasing_deletion_takes_back_what_nobody_received(
    server: RunningServer, run: Commands, flags: tuple[str, ...]
) -> None:
    name, other = f"a-ida{len(flags)}", f"a-jon{len(flags)}"
    with_accounts(server.url, name, other)
    with_messages(server.url, name, other, "one")
    with_messages(server.url, other, name, "two")

    done = run("delete", "--as", name, "--yes", *flags, "--json")

    receipt = done.records[-1]
    assert (receipt["discarded"], receipt["bounces"]) == (1, 1)
    assert (receipt["kept"], receipt["retracted"]) == (0, 1)
    assert run.received(other) == []


@pytest.mark.rule("D5")
def test_a_dry_run_changes_nothing(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "a-kit")
    with_messages(server.url, "a-kit", "a-kit", "one")

    done = run("delete", "--as", "a-kit", "--dry-run", "--json")

    (plan,) = done.records
    assert done.status == 0
    assert (plan["type"], plan["delivered"]) == ("plan", 1)
    assert run.received("a-kit") == ["one"]


def test_without_a_terminal_a_deletion_needs_yes(server: RunningServer) -> None:
    with_accounts(server.url, "a-lea")
    with started(server.url, "delete", "--as", "a-lea") as process:
        assert end_of(process) == (
            2,
            "chatcore: [701] There is no terminal to ask on: give --yes to delete.\n",
        )


@pytest.mark.rule("D2")
def test_a_deletion_whose_messages_nobody_reads_leaves_the_account_whole(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "a-max")
    long = ["x" * 60_000, "y" * 60_000, "z" * 60_000]
    with_messages(server.url, "a-max", "a-max", *long)
    with started(server.url, "delete", "--as", "a-max", "--yes", "--json") as deleting:
        assert deleting.stdout is not None
        deleting.stdout.readline()
        deleting.stdout.readline()

        deleting.stdout.close()

        assert end_of(deleting) == (141, "")
    assert run.received("a-max")[-2:] == long[1:]
