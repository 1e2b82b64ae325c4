"""``chatcore demo`` and the command itself."""

import json
from pathlib import Path

import pytest

from tests.app.processes import chatcore


def test_a_demo_shows_what_waited_for_whom(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    done = chatcore("demo", "--conversations", "9", "--pace", "0", "--json", str(file))

    title = done.lines.index(
        next(line for line in done.lines if line.startswith("Mail that waited"))
    )
    end = done.lines.index("", title)
    cells = [line.split("│")[1:4] for line in done.lines[title:end] if "│" in line]
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert done.status == 0, done.errors
    assert len(cells) >= 3
    assert sum(int(it[1]) for it in cells) == figures["delivered_from_queue"]
    assert all(cells[0])


@pytest.mark.rule("M3", "M5")
def test_a_demo_accounts_for_every_message(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    done = chatcore("demo", "--conversations", "40", "--pace", "0", "--json", str(file))

    figures = json.loads(file.read_text(encoding="utf-8"))
    assert done.status == 0, done.errors
    assert done.errors == ""
    assert done.lines[-1] == "0 lost, 0 duplicated, 0 out of order"
    assert set(figures) == {
        "messages",
        "sent",
        "delivered_live",
        "delivered_from_queue",
        "refused",
        "lost",
        "duplicated",
        "out_of_order",
        "seconds",
    }
    assert figures["delivered_live"] > 0
    assert figures["delivered_from_queue"] > 0
    arrived = figures["delivered_live"] + figures["delivered_from_queue"]
    assert arrived == figures["sent"]
    assert figures["sent"] + figures["refused"] == figures["messages"]


def test_a_transport_that_does_not_exist_is_one_line_and_status_2() -> None:
    done = chatcore("demo", "--transport", "pigeon", "--pace", "0")

    assert done.status == 2
    assert done.errors.count("\n") == 1
    assert done.errors.startswith("chatcore: [701] There is no transport 'pigeon'; ")


def test_without_a_word_the_command_shows_its_help_on_stderr_and_ends_with_2() -> None:
    asked = chatcore("--help")

    done = chatcore()

    assert done.status == 2
    assert done.lines == []
    assert done.errors.splitlines() == asked.lines


def test_the_version_is_told() -> None:
    done = chatcore("--version")

    assert done.status == 0
    assert done.lines[0].startswith("chatcore ")


@pytest.mark.parametrize("command", ["serve", "client", "demo"])
def test_the_help_names_each_command_and_each_of_its_flags(command: str) -> None:
    done = chatcore("--help")
    more = chatcore(command, "--help")

    assert any(line.split()[:1] == [command] for line in done.lines)
    assert more.status == 0
    assert any("--transport NAME" in line for line in more.lines)
