"""JSON over TCP by hand, as docs/protocol.md shows it: by socket and by netcat."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.app.processes import RunningServer, on_memory, running_server
from transports.base import parse_address

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
WITHIN_S: Final = 10.0
CHANGES: Final = {"serverTimeMs", "token", "sentAtMs"}
"""Fields that no two runs have in common."""


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server without any account, as the page begins with."""
    with running_server(*on_memory()) as running:
        yield running


@pytest.mark.rule("W2", "W5", "W7")
def test_the_transcript_of_the_page_is_what_a_server_says(
    own_server: RunningServer,
) -> None:
    address = parse_address(own_server.url)
    sent = "".join(f"{line}\n" for line in lines_to_type())

    with socket.create_connection(
        (address.host, address.port), timeout=WITHIN_S
    ) as connection:
        connection.sendall(sent.encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile() as answers:
            said = answers.read()

    assert comparable(said.splitlines()) == comparable(transcript())


@pytest.mark.external
@pytest.mark.rule("W2", "W5")
def test_netcat_gets_the_transcript_of_the_page(own_server: RunningServer) -> None:
    netcat = shutil.which("nc.openbsd") or shutil.which("nc")
    assert netcat is not None, "Debian has it in netcat-openbsd"
    address = parse_address(own_server.url)

    talk = subprocess.run(
        [netcat, "-N", address.host, str(address.port)],
        input="".join(f"{line}\n" for line in lines_to_type()),
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )

    assert comparable(talk.stdout.splitlines()) == comparable(transcript())


def lines_to_type() -> list[str]:
    """What the page has its readers send."""
    (command,) = re.findall(
        r"^printf .*?(?=\| nc)", by_hand(), re.DOTALL | re.MULTILINE
    )
    _, *lines = re.findall(r"'([^']*)'", command)
    return list(lines)


def transcript() -> list[str]:
    """What the page shows as the answer."""
    (text,) = re.findall(r"```text\n(.*?)```", by_hand(), re.DOTALL)
    return str(text).splitlines()


def by_hand() -> str:
    page = PAGE.read_text(encoding="utf-8")
    _, section = page.split("### By hand\n")
    return section.split("\n## ")[0]


def comparable(lines: list[str]) -> list[Any]:
    """The greeting and the events, whatever frames they came in."""
    greeting, *frames = lines
    events = [it for frame in frames for it in json.loads(frame)["events"]]
    for event in events:
        for fields in event.values():
            if isinstance(fields, dict):
                fields.update(dict.fromkeys(CHANGES & fields.keys(), "…"))
    return [greeting, *sorted(events, key=json.dumps)]
