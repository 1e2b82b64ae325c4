"""docs/scripting.md has every flag and exit status of the one-shot commands."""

import json
import re
import subprocess
from pathlib import Path
from uuid import UUID

from chatapp.commands import COMMANDS
from chatapp.exit_codes import ExitCode
from chatapp.settings import options

PAGE = (Path(__file__).parents[3] / "docs" / "scripting.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_flag_and_command_is_on_the_page() -> None:
    for name, command in COMMANDS.items():
        if command.is_one_shot:
            assert any(row.startswith(f"| `chatcore {name}") for row in ROWS), name
            for option in options(command.load_settings()):
                assert option.word or f"`{option.flag}`" in PAGE, option.flag


def test_the_exit_statuses_are_those_of_the_page() -> None:
    listed = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)

    assert [(int(number), text) for number, text in listed] == [
        (int(it), it.meaning) for it in ExitCode
    ]


def test_the_example_of_an_error_is_json() -> None:
    (example,) = re.findall(r"```json\n(.+)\n```", PAGE)

    assert set(json.loads(example)["error"]) == {"code", "name", "text", "fields"}


def test_the_example_of_a_key_makes_one() -> None:
    (made,) = re.findall(r"^(random=.+\n.+\n.+)$", PAGE, re.MULTILINE)

    key = subprocess.run(
        ["/bin/sh", "-c", f'{made}\necho "$key"'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    assert UUID(key).version == 7
