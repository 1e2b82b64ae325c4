"""Transports and stores of others, in loose files and in installed packages."""

import os
from pathlib import Path

import pytest

from tests.app.processes import (
    CHEAP,
    COMMAND,
    PASSWORD,
    SRC,
    chatcore,
    on_memory,
    running_server,
)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LINES = str(EXAMPLES / "json_lines_transport.py")
UNIX = str(EXAMPLES / "unix_transport.py")

REGISTERS = """
from chatcore import register_store, register_transport
from chatstores.memory import open_memory
import beside

register_transport("attic", beside.TRANSPORT)
register_store("drawer", lambda _: open_memory("memory:"))
"""


def test_loose_files_serve_and_connect(tmp_path: Path) -> None:
    plugins = ("--plugin", UNIX, "--plugin", LINES)
    password = {"CHATCORE_PASSWORD": PASSWORD}
    with running_server(
        *plugins,
        *("--listen", f"unix://{tmp_path}/chat.sock", "--listen", "lines://[::1]:0"),
        *("--registration", "open", "--store", "memory:", *CHEAP),
        listeners=2,
        program=COMMAND,
    ) as server:
        unix, lines = (("--connect", it, *plugins) for it in server.urls)
        made = chatcore("create", "ada", *unix, extra=password)
        sent = chatcore("send", "ada", "hello", "--as", "ada", *lines, extra=password)
        taken = chatcore("receive", "--as", "ada", *unix, extra=password)
        status = server.stop()

    assert [it.status for it in (made, sent, taken)] == [0, 0, 0]
    assert taken.lines[-1].endswith("hello")
    assert status == 0
    assert not (tmp_path / "chat.sock").exists()


def test_a_loose_file_may_register_what_it_brings_and_import_what_lies_beside_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "brings.py").write_text(REGISTERS, encoding="utf-8")
    (tmp_path / "beside.py").symlink_to(UNIX)
    url = f"attic://{tmp_path}/chat.sock"
    with running_server(
        *("--plugin", str(tmp_path / "brings.py"), "--listen", url),
        *("--store", "drawer:", *CHEAP),
        program=COMMAND,
    ) as server:
        told = server.url

    assert told == url


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no such Python file."),
        ("import no_such_one\n", "line 1: ModuleNotFoundError: No module named 'no_s"),
        ("x = 1\n1 / 0\n", "line 2: ZeroDivisionError: division by zero."),
        ("def\n", "SyntaxError: invalid syntax"),
        ("x = 1\n", "it has no SCHEME with a TRANSPORT or a STORE, and registers nei"),
        ("SCHEME, TRANSPORT = 'x', 5\n", "The plug-in builtins.int cannot be used: a"),
    ],
    ids=["none", "import", "fault", "syntax", "nothing", "no transport"],
)
@pytest.mark.parametrize("command", ["serve", "list"])
def test_a_loose_file_that_is_wrong_is_one_line_that_names_it(
    command: str, content: str | None, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.py"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    words = ["--as", "ada"] if command == "list" else ["--port", "0", *CHEAP]

    done = chatcore(command, *words, "--plugin", str(file), folder=tmp_path)

    (line,) = done.errors.splitlines()
    assert line.startswith(f"chatcore: [720] --plugin {file}: {told}")
    assert done.status == 2


def test_an_installed_package_that_hides_ours_is_one_line_that_names_it(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "cuckoo-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: cuckoo\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        "[chatcore.transports]\ntcp = egg:EGG\n"
    )

    with (
        pytest.raises(AssertionError) as ended,
        running_server(
            *on_memory(),
            extra={"PYTHONPATH": os.pathsep.join([str(SRC), str(tmp_path)])},
            program=COMMAND,
        ),
    ):
        pass

    *_, line = str(ended.value).splitlines()
    assert line == (
        "chatcore: [720] The plug-in egg:EGG of cuckoo 1.0 cannot be used: "
        "tcp: is chatcore's own."
    )
    assert "Traceback" not in str(ended.value)
