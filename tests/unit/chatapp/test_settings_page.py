"""docs/settings.md has every setting, limit and error of the command, as they are."""

import re
from dataclasses import fields
from pathlib import Path

from chatapp import errors
from chatapp.bench_settings import BenchSettings
from chatapp.command_settings import DemoSettings, ServeSettings
from chatapp.connecting import ClientSettings
from chatapp.errors import CommandFailed
from chatapp.settings import options
from chatcore import Limits

PAGE = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_flag_is_on_the_page() -> None:
    for settings in (ServeSettings, ClientSettings, DemoSettings, BenchSettings):
        for option in options(settings):
            assert any(f"`{option.flag}" in row for row in ROWS), option.flag


def test_the_deerrors_of_serve_are_those_of_the_page() -> None:
    for option in options(ServeSettings):
        default = getattr(option.default, "value", option.default)
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        row = next(row for row in ROWS if row.startswith(f"| `{option.name}` |"))

        assert isinstance(default, tuple | Limits) or f"| `{shown}` |" in row


def test_every_limit_is_on_the_page_with_its_default() -> None:
    deerrors = Limits()

    for limit in fields(Limits):
        row = next(row for row in ROWS if row.startswith(f"| `{limit.name}` |"))
        default, shown = getattr(deerrors, limit.name), row.split("|")[2].strip()
        assert shown == str(default).lower() or float(shown) == default


def test_every_error_is_on_the_page_by_its_number() -> None:
    listed = set(map(int, re.findall(r"^\| (7\d\d) \|", PAGE, re.MULTILINE)))

    numbers = {
        it.code
        for it in vars(errors).values()
        if isinstance(it, type) and issubclass(it, CommandFailed)
    } - {CommandFailed.code}

    assert listed == numbers
