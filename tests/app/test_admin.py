"""``chatcore admin`` against a server that runs."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from chatcore.errors import CloseCode, Closed
from tests.app.oneshots import Commands
from tests.app.processes import (
    COMMAND,
    PASSWORD,
    RunningServer,
    chatcore,
    client,
    on_memory,
    running_server,
    with_accounts,
    with_messages,
)
from transports import Client, connect

# The command as people run it, without what cuts its frames.
plain_server = partial(running_server, program=COMMAND)

SOCKET = Path("admin.sock")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("admin")


@pytest.fixture(scope="module")
def administered(folder: Path) -> Iterator[RunningServer]:
    """A server with an operator's socket, for all tests: each has names of its own."""
    flags = (*on_memory(), "--admin-socket", str(folder / SOCKET))
    with plain_server(*flags) as running:
        yield running


@pytest.fixture
def admin(
    administered: RunningServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Commands:
    """Commands against that server, its operator's among them."""
    commands = Commands(administered.url, folder, monkeypatch, capfd)
    commands.set(CHATCORE_ADMIN_SOCKET=str(folder / SOCKET))
    return commands


@pytest.mark.rule("B8")
def test_only_its_own_user_may_open_the_socket(
    administered: RunningServer, folder: Path
) -> None:
    mode = (folder / SOCKET).stat().st_mode

    assert administered.url
    assert mode & 0o777 == 0o600


def test_an_account_is_made_with_a_password_from_a_file_or_stdin(
    admin: Commands, folder: Path
) -> None:
    file = folder / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")

    made = admin(
        "admin", "accounts", "create", "Amy", "--password-file", str(file), "--json"
    )
    piped = admin(
        "admin", "accounts", "create", "ben", "--password-file", "-", given="a new one"
    )
    again = admin("admin", "accounts", "create", "amy", "--json")

    (record,) = made.records
    assert (record["type"], record["username"]) == ("accounts_create", "Amy")
    assert piped.text == "Created ben.\n"
    assert again.status == 1
    assert again.error["code"] == 204
    assert admin("list", "--as", "amy").status == 0


def test_sessions_are_shown_and_ended_for_good(
    admin: Commands, administered: RunningServer
) -> None:
    with_accounts(administered.url, "cid")
    seen: list[str] = []

    async def be_there() -> None:
        async with connect(administered.url) as client:
            await client.login("cid", PASSWORD)
            seen.append(admin("admin", "sessions").text)
            (session,) = admin("admin", "sessions", "--json").records
            assert (session["username"], session["attached"]) == ("cid", True)
            assert (session["transport"], session["address"]) == ("tcp", "127.0.0.1")
            ended = admin("admin", "sessions", "end", "cid")
            assert ended.text == "Ended the session of cid.\n"
            with pytest.raises(Closed) as closed:
                await client.messages().__anext__()
            assert closed.value.code is CloseCode.SESSION_ENDED

    asyncio.run(be_there())

    assert "cid" in seen[0]
    again = admin("admin", "sessions", "end", "cid")
    assert (again.status, again.text) == (1, "cid has no session.\n")


def test_mailboxes_are_counted_by_name_and_by_pattern(
    admin: Commands, administered: RunningServer
) -> None:
    with_accounts(administered.url, "dan", "dora")
    with_messages(administered.url, "dan", "dora", "one", "three")

    one = admin("admin", "mailboxes", "dora", "--json")
    some = admin("admin", "mailboxes", "d*")
    none = admin("admin", "mailboxes", "nobody", "--json")

    (box,) = one.records
    assert (box["messages"], box["body_bytes"], box["senders"]) == (2, 8, 1)
    assert ["dan" in some.text, "dora" in some.text] == [True, True]
    assert none.status == 1
    assert none.error["code"] == 209


@pytest.mark.rule("A6")
def test_a_reset_password_holds_and_ends_the_session(
    admin: Commands, administered: RunningServer
) -> None:
    with_accounts(administered.url, "eve")

    async def be_there(client: Client) -> None:
        await client.login("eve", PASSWORD)
        done = admin(
            "admin", "accounts", "reset", "eve", "--password-file", "-", given="another"
        )
        assert done.errors.startswith("chatcore: [111] ")
        reset = admin(
            "admin",
            "accounts",
            "reset",
            "eve",
            "--password-file",
            "-",
            given="another1",
        )
        assert reset.text.startswith("eve has the new password")
        with pytest.raises(Closed) as closed:
            await client.messages().__anext__()
        assert closed.value.code is CloseCode.PASSWORD_CHANGED

    async def run() -> None:
        async with connect(administered.url) as client:
            await be_there(client)

    asyncio.run(run())

    assert admin("list", "--as", "eve").status == 3
    admin.set(CHATCORE_PASSWORD="another1")
    assert admin("list", "--as", "eve").status == 0


@pytest.mark.rule("D2", "D5")
def test_an_account_is_deleted_with_a_receipt_after_a_look(
    admin: Commands, administered: RunningServer
) -> None:
    with_accounts(administered.url, "fay", "fred")
    with_messages(administered.url, "fay", "fred", "one", "two")
    delete = ("admin", "accounts", "delete", "fred", "--json")

    refused = admin(*delete, "--inbox", "must-be-empty", "--yes")
    plan = admin(*delete, "--dry-run")
    done = admin(*delete, "--yes")

    assert refused.error["name"] == "MAILBOX_NOT_EMPTY"
    counts = {"delivered": 0, "discarded": 2, "bounces": 1, "kept": 0, "retracted": 0}
    planned = {"type": "plan", "username": "fred", **counts}
    assert plan.records == [planned]
    assert done.records == [planned, planned | {"type": "deleted"}]
    left = admin("admin", "accounts", "list", "f*", "--json").records
    assert [it["username"] for it in left] == ["fay"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "The words after admin are one of: sessions, "),
        (("session",), "The words after admin are one of: sessions, "),
        (("accounts", "create"), "admin accounts create takes one NAME."),
        (("sessions", "ada"), "admin sessions takes no NAME."),
        (("mailboxes", "ada", "bob"), "admin mailboxes takes one NAME."),
        (("sessions", "--dry-run"), "--dry-run is for admin accounts delete."),
    ],
)
def test_what_is_asked_wrongly_is_one_line_and_status_2(
    admin: Commands, words: tuple[str, ...], complaint: str
) -> None:
    done = admin("admin", *words)

    assert done.status == 2
    assert done.errors.startswith(f"chatcore: [701] {complaint}")
    assert done.errors.count("\n") == 1


def test_where_no_server_answers_that_is_one_line_and_status_6(
    admin: Commands, folder: Path
) -> None:
    done = admin("admin", "sessions", "--socket", str(folder / "nowhere"))

    assert done.status == 6
    assert done.errors.startswith("chatcore: [704] No server answers its operator at")


def test_a_live_socket_is_not_taken_and_a_stale_one_is(
    administered: RunningServer, folder: Path
) -> None:
    flags = (*on_memory(), "--admin-socket")
    stale = folder / "stale.sock"
    with plain_server(*flags, str(stale)) as killed:
        killed.process.kill()
        killed.process.wait()

    live = chatcore("serve", *flags, str(folder / SOCKET))
    with plain_server(*flags, str(stale)) as second:
        was_there = stale.is_socket()
        second.stop()

    assert administered.process.poll() is None
    assert live.status == 1
    assert "another server answers there." in live.errors
    assert was_there
    assert not stale.exists()


@pytest.mark.rule("A3")
def test_a_code_lets_somebody_make_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    socket = str(tmp_path / SOCKET)
    flags = (*on_memory(), "--admin-socket", socket, "--registration", "invite")
    with plain_server(*flags) as server:
        run = Commands(server.url, tmp_path, monkeypatch, capfd)
        run.set(CHATCORE_ADMIN_SOCKET=socket)
        refused = run("create", "ada")
        code = run("admin", "invite", "--days", "2").text.strip()
        made = run("create", "ada", "--invitation", code)
        second = run("admin", "invite", "--uses", "1", "--json").records[0]["code"]
        run.set(CHATCORE_INVITATION=str(second))
        by_client = client(
            server.url, "create eve", PASSWORD, flags=("--invitation", str(second))
        )
        spent = run("create", "bob", "--json")

    assert refused.errors.startswith("chatcore: [210] ")
    assert made.text == "Created ada.\n"
    assert by_client.lines == ["Created eve."]
    assert spent.error["name"] == "INVITATION_REFUSED"


@pytest.mark.rule("A3")
def test_codes_are_listed_by_an_id_and_taken_back_by_it(admin: Commands) -> None:
    code = admin("admin", "invite", "--uses", "3").text.strip()
    (listed,) = admin("admin", "invitations", "--json").records
    table = admin("admin", "invitations", "list")
    revoked = admin("admin", "invitations", "revoke", str(listed["id"]))
    again = admin("admin", "invitations", "revoke", code)
    wrong = admin("admin", "invitations", "revoke")

    assert (listed["type"], listed["uses"]) == ("invitation", 3)
    assert str(listed["id"]) in table.text
    assert code not in table.text
    assert (revoked.status, revoked.text) == (0, "Revoked.\n")
    assert (again.status, again.text) == (1, "There is no such invitation.\n")
    assert wrong.errors.startswith("chatcore: [701] admin invitations revoke takes one")


def test_a_code_that_nobody_asks_for_is_said_to_be_one(admin: Commands) -> None:
    done = admin("admin", "invite")
    admin("admin", "invitations", "revoke", done.text.strip())
    wrong = admin("admin", "invite", "--uses", "0")

    assert done.status == 0
    assert done.errors == "The server asks nobody for an invitation now.\n"
    assert wrong.errors.startswith("chatcore: [701] --uses is at least 1.")


def test_limits_are_shown_and_changed_while_it_runs(admin: Commands) -> None:
    shown = admin("admin", "limits", "--json").records
    changed = admin("admin", "limits", "page_names=7", "turn_s=0.5", "--json")
    table = admin("admin", "limits")

    assert {"type", "limit", "value", "default", "fixed"} == set(shown[0])
    assert [(it["limit"], it["value"]) for it in changed.records] == [
        ("turn_s", 0.5),
        ("page_names", 7),
    ]
    assert "page_names" in table.text
    assert "only at the start" in table.text


@pytest.mark.parametrize(
    ("change", "status", "complaint"),
    [
        ("frame_bytes=2000000", 1, "[115] The limit frame_bytes cannot change"),
        ("password_max_bytes=9000", 2, "[721] With password_max_bytes = 9000 the"),
        ("no_such=1", 2, "[721] no_such: there is no such limit; known: "),
        ("operations=0", 2, "[721] operations is more than 0, not 0."),
        ("operations=many", 2, "[721] operations is a whole number, not 'many'."),
        ("operations", 2, "[701] A limit is NAME=VALUE, not 'operations'."),
    ],
)
def test_a_limit_that_cannot_be_is_one_line_and_changes_nothing(
    admin: Commands, change: str, status: int, complaint: str
) -> None:
    before = admin("admin", "limits", "--json").records

    done = admin("admin", "limits", "connections=5", change)

    assert done.status == status
    assert done.errors.startswith(f"chatcore: {complaint}")
    assert admin("admin", "limits", "--json").records == before


@pytest.mark.rule("B8")
def test_an_account_is_exported_to_a_file_of_ones_own_or_to_stdout(
    admin: Commands, administered: RunningServer, folder: Path
) -> None:
    with_accounts(administered.url, "ida", "ivo")
    with_messages(administered.url, "ida", "ivo", "a\0b", "two")
    with_messages(administered.url, "ivo", "ida", "back")
    file = folder / "ida.jsonl"
    export = ("admin", "accounts", "export", "ida")

    printed = admin(*export)
    written = admin(*export, "--out", str(file))
    again = admin(*export, "--out", str(file))
    nobody = admin("admin", "accounts", "export", "nobody", "--out", f"{file}2")

    kinds = [(it["type"], it.get("body")) for it in printed.records]
    assert kinds == [
        ("account", None),
        ("waiting", "back"),
        ("sent", "a\0b"),
        ("sent", "two"),
    ]
    assert written.text == ""
    assert file.read_text(encoding="utf-8") == printed.text
    assert file.stat().st_mode & 0o777 == 0o600
    assert again.status == 1
    assert again.errors.startswith(
        f"chatcore: [708] {file} cannot be made: File exists"
    )
    assert nobody.status == 1
    assert not Path(f"{file}2").exists()
