"""``chatcore send``: one message, or one for each line."""

import json
import subprocess

import pytest

from tests.app.oneshots import Commands, line_of, started
from tests.app.processes import RunningServer, with_accounts

KEY = "01a204f5-1ecd-74ed-8fc7-4c908f9b477e"


def lines_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.rule("M1")
def test_a_receipt_names_the_message(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "s-ann", "s-bob")

    done = run("send", "s-bob", "--as", "s-ann", "--json", "hello", "there", "  bob")

    (receipt,) = done.records
    assert done.status == 0
    assert set(receipt) == {
        "type",
        "recipient",
        "recipient_id",
        "position",
        "sent_at_ms",
        "durable",
    }
    assert (receipt["type"], receipt["recipient"]) == ("sent", "s-bob")
    assert (receipt["position"], receipt["durable"]) == (1, False)
    assert run.received("s-bob") == ["hello there   bob"]


@pytest.mark.parametrize("text", [(), ("-",)])
def test_without_a_text_it_is_what_stdin_has_less_its_last_line_end(
    server: RunningServer, run: Commands, text: tuple[str, ...]
) -> None:
    name = f"s-cleo{len(text)}"
    with_accounts(server.url, name)

    done = run("send", name, *text, "--as", name, given="one\n\ntwo\0\n")

    assert done.status == 0
    assert run.received(name) == ["one\n\ntwo\0"]


def test_words_after_two_dashes_are_text(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "s-dora")

    run("send", "--as", "s-dora", "s-dora", "--", "-x", "--json", "--", "y")

    assert run.received("s-dora") == ["-x --json -- y"]


@pytest.mark.rule("M3")
def test_each_line_is_a_message_of_its_own_in_order(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "s-eli")
    wanted = [f"line {number}" for number in range(1200)]

    done = run(
        "send", "s-eli", "--lines", "--as", "s-eli", "--json", given="\n".join(wanted)
    )

    assert done.status == 0
    assert [it["line"] for it in done.records] == list(range(1, 1201))
    assert run.received("s-eli") == wanted


def test_a_line_is_sent_when_it_comes_and_not_at_the_end_of_the_input(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "s-fay")
    with started(
        server.url,
        *("send", "s-fay", "--lines", "--as", "s-fay"),
        stdin=subprocess.PIPE,
    ) as sending:
        assert sending.stdin is not None

        sending.stdin.write("first\n")
        sending.stdin.flush()
        told = line_of(sending)

        assert told.startswith("Sent to s-fay (number 1 ")
        sending.stdin.close()
        assert sending.wait() == 0


@pytest.mark.rule("M6", "E2")
def test_a_line_that_is_no_message_is_told_and_passed_over(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "s-gus")
    lines = b"good\n\n\xff\xfe\n" + b"x" * 70_000 + b"\n" + b"y" * 700_000 + b"\nalso\n"

    done = run("send", "s-gus", "--lines", "--as", "s-gus", "--json", given=lines)

    errors = lines_of(done.errors)
    assert done.status == 1
    assert [it["line"] for it in done.records] == [1, 6]
    assert [it["line"] for it in errors] == [2, 3, 4, 5]
    assert {it["error"]["name"] for it in errors} == {"INVALID_BODY"}  # type: ignore[index]  # JSON
    assert run.received("s-gus") == ["good", "also"]


def test_after_another_refusal_no_more_lines_are_read(
    server: RunningServer,
) -> None:
    with_accounts(server.url, "s-hal")
    with started(
        server.url,
        *("send", "s-nobody", "--lines", "--as", "s-hal"),
        stdin=subprocess.PIPE,
    ) as sending:
        assert sending.stdin is not None
        assert sending.stderr is not None

        sending.stdin.write("first\n")
        sending.stdin.flush()
        status = sending.wait()

        assert status == 5
        assert sending.stderr.read() == (
            "chatcore: line 1: [300] There is no account s-nobody.\n"
        )


@pytest.mark.rule("M2")
def test_the_same_key_twice_is_one_message(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "s-ida")

    first = run("send", "s-ida", "once", "--as", "s-ida", "--key", KEY, "--json")
    again = run("send", "s-ida", "once", "--as", "s-ida", "--key", KEY, "--json")
    other = run("send", "s-ida", "twice", "--as", "s-ida", "--key", KEY, "--json")

    assert first.records == again.records
    assert other.status == 1
    assert other.error["name"] == "KEY_REUSED"
    assert run.received("s-ida") == ["once"]


def test_a_text_that_fits_no_frame_is_refused(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "s-jon")

    done = run("send", "s-jon", "--as", "s-jon", "--json", given="x" * 2_000_000)

    assert done.status == 1
    assert done.error["code"] == 112
