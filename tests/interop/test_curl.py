"""HTTP by hand, as docs/protocol.md shows it with curl."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.app.processes import CHEAP, running_server

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
PORT: Final = "127.0.0.1:7400"
WITHIN_S: Final = 20.0
CHANGES: Final = {"serverTimeMs", "token", "sentAtMs"}
"""Fields that no two runs have in common."""


@pytest.mark.external
@pytest.mark.rule("W5", "W7")
def test_curl_gets_the_transcript_of_the_page() -> None:
    assert shutil.which("curl") is not None, "Debian has it in curl"
    section = PAGE.read_text(encoding="utf-8").split("### By hand, with curl\n")[1]
    (script, *_) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    (transcript, *_) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    flags = ("--listen", "http://127.0.0.1:0", "--store", "memory:", *CHEAP)

    with running_server(*flags) as server:
        place = server.url.split("/")[2]
        talk = subprocess.run(
            ["bash", "-euc", script.replace(PORT, place)],  # noqa: S607  # as a reader would
            capture_output=True,
            text=True,
            check=True,
            timeout=WITHIN_S,
        )

    assert PORT in script
    assert comparable(talk.stdout) == comparable(transcript)


def comparable(stream: str) -> list[Any]:
    """The events, whatever frames they came in, and how it ended."""
    *frames, end = re.findall(r"^data: (.*)$", stream, re.MULTILINE)
    events = [it for frame in frames for it in json.loads(frame)["events"]]
    for event in events:
        for fields in event.values():
            if isinstance(fields, dict):
                fields.update(dict.fromkeys(CHANGES & fields.keys(), "…"))
    return [*sorted(events, key=json.dumps), "event: close\n" in stream, end]
