"""What the plug-in imports in runs that do not use it, and what its names are."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import chattesting

STUB = Path(chattesting.__file__).with_suffix(".pyi")
LOAD = """\
import sys
import chattesting.plugin, chattesting.asyncio_fixtures
print(*sys.modules)
"""


def test_the_plugin_imports_nothing_of_the_chat_before_a_test_asks_for_one() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOAD], capture_output=True, text=True, check=True
    )

    ours = {it for it in ended.stdout.split() if it.startswith(("chat", "transports"))}
    assert ours == {
        "chattesting",
        "chattesting.plugin",
        "chattesting.asyncio_fixtures",
    }


def test_the_stub_has_each_name_from_the_module_that_it_comes_from() -> None:
    stubbed = {
        str(alias.asname): str(node.module)
        for node in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert sorted(stubbed) == sorted(chattesting.__all__)
    for name, module in stubbed.items():
        assert getattr(chattesting, name) is getattr(import_module(module), name)


def test_a_name_that_there_is_not_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_chats'"):
        getattr(chattesting, "open_chats")  # noqa: B009  # mypy knows that
