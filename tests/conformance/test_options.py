"""The suite run on something else: a server that is up, a transport or a store."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.loops import LOOPS
from tests.conformance.options import matrix_of
from tests.faults.servers import server_process
from tests.modules import UnusableModule
from tests.stores import OURS, kinds_of
from transports import connect

ROOT: Final = Path(__file__).resolve().parents[2]
PASSWORD: Final = "not the suite's"
A_PART: Final = ("-k", "a_message_arrives_as_it_was_sent or restart")
THE_LINKS: Final = (
    "tests/conformance/test_links.py",
    "tests/conformance/test_bounds.py",
)
OF_THOSE: Final = (
    "test_links or so_many_connections or who_takes_nothing or a_large_frame"
)
"""What of the suite looks most closely at a transport itself; .ci/run has all of it."""


@pytest.mark.slow
@pytest.mark.own_server
async def test_the_suite_runs_on_a_transport_of_ones_own() -> None:
    example = "examples/unix_transport.py"
    chosen = f"{A_PART[1]} or {OF_THOSE}"

    result = await run_suite(*THE_LINKS, "--transport-module", example, "-k", chosen)

    assert result.returncode == 0, result.stdout
    for cell in ("unix-json-memory", "unix-msgpack-sqlite", "unix-protobuf-memory"):
        assert has_passed("test_a_message_arrives_as_it_was_sent", cell, result.stdout)
    cell = "unix-protobuf-sqlite"
    assert has_passed("there_after_a_restart", cell, result.stdout)
    cell = "unix-protobuf-memory"
    assert has_passed("are_so_many_connections_and_no_more", cell, result.stdout)
    assert "loopback" not in result.stdout


A_STORE: Final = """
from pathlib import Path
from chatstores import open_store

def open_here(url):
    return open_store(url.replace("here", "sqlite", 1))

SCHEME, STORE, DURABLE = "here", open_here, True
URL = "here:///{folder}/here.db"
SERVER, READY = ["sh", "-c", "echo I am ready; cat"], "am ready"
"""
"""Its server does nothing."""


@pytest.mark.slow
@pytest.mark.own_server
async def test_the_suite_runs_over_a_store_of_ones_own(tmp_path: Path) -> None:
    module = tmp_path / "a_store.py"
    module.write_text(A_STORE, encoding="utf-8")

    result = await run_suite("--store-module", str(module), *A_PART)

    assert result.returncode == 0, result.stdout
    for cell in ("loopback-", "tcp-", "websocket-", "grpc-"):
        assert re.search(rf"as_it_was_sent\[\w+-{cell}\w+-here\] PASSED", result.stdout)
    assert has_passed("there_after_a_restart", "loopback-protobuf-here", result.stdout)
    assert not {"memory", "sqlite"} & set(re.findall(r"\w+", result.stdout))


@pytest.mark.slow
@pytest.mark.own_server
async def test_the_suite_runs_on_links_of_ones_own_with_the_codec_that_they_carry() -> (
    None
):
    example = "examples/json_lines_transport.py"
    chosen = f"{A_PART[1]} or {OF_THOSE}"

    result = await run_suite(*THE_LINKS, "--transport-module", example, "-k", chosen)

    assert result.returncode == 0, result.stdout
    for cell in ("lines-json-memory", "lines-json-sqlite"):
        assert has_passed("test_a_message_arrives_as_it_was_sent", cell, result.stdout)
    assert has_passed("arrives_and_then_its_code", "lines-json-memory", result.stdout)
    assert "protobuf" not in result.stdout


@pytest.mark.slow
@pytest.mark.own_server
async def test_the_suite_runs_against_a_server_that_is_up(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server:
        result = await run_suite("--target", server.url, *A_PART)

    assert result.returncode == 0, result.stdout
    for codec in ("protobuf", "msgpack", "json"):
        assert has_passed("as_it_was_sent", f"tcp-{codec}-target", result.stdout)
    assert "restart" not in result.stdout.replace(" ".join(A_PART), "")


@pytest.mark.slow
@pytest.mark.own_server
async def test_the_suite_stops_at_an_account_that_is_not_its_own(
    tmp_path: Path,
) -> None:
    async with server_process(tmp_path) as server:
        async with connect(server.url) as client:
            await client.create("ada", "correct horse")
            await client.create("zoe", PASSWORD)

        result = await run_suite("--target", server.url, *A_PART)

        async with connect(server.url) as client:
            await client.login("ada", "correct horse")
            await client.logout()
            await client.login("zoe", PASSWORD)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "The account 'zoe' at tcp://" in result.stdout
    assert "--target needs a server for tests" in result.stdout
    assert "PASSED" not in result.stdout


@pytest.mark.parametrize(
    ("target", "transport_module", "told"),
    [
        ("pigeon://coop:1", "", "it is a URL such as tcp://"),
        ("tcp://nowhere", "", "it is a URL such as tcp://"),
        ("tcp://nowhere:port", "", "cannot be used"),
        ("", "missing.py", "missing.py is no Python file"),
        ("", __file__, "has no SCHEME, LISTENS, TRANSPORT"),
        ("tcp://127.0.0.1:1", __file__, "exclude each other"),
    ],
    ids=["scheme", "no port", "port", "no file", "no transport", "both"],
)
@pytest.mark.own_server
def test_an_option_that_cannot_be_is_refused(
    target: str, transport_module: str, told: str
) -> None:
    with pytest.raises(pytest.UsageError, match=told):
        matrix_of(target, transport_module, is_whole=False)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("missing.py", "--store-module: missing.py is no Python file"),
        (__file__, "test_options.py has no SCHEME, URL, STORE, DURABLE"),
    ],
    ids=["no file", "no store"],
)
@pytest.mark.own_server
def test_a_module_that_is_no_store_is_refused(file: str, told: str) -> None:
    with pytest.raises(UnusableModule, match=told):
        kinds_of(file)


@pytest.mark.own_server
def test_a_server_that_is_up_has_its_own_store() -> None:
    with pytest.raises(pytest.UsageError, match="exclude each other"):
        matrix_of("tcp://127.0.0.1:1", "", is_whole=False, stores=OURS[:1])


async def run_suite(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a part of the suite in a process of its own."""
    pytest_run = [sys.executable, "-m", "pytest", "tests/conformance/test_messages.py"]
    return await asyncio.to_thread(
        subprocess.run,
        [*pytest_run, "-v", "-p", "no:cacheprovider", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )


def has_passed(test: str, cell: str, output: str) -> bool:
    """Whether a test has passed in a cell, on whichever loop."""
    return any(f"{test}[{loop}-{cell}] PASSED" in output for loop in LOOPS)
