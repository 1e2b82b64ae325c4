"""``buf curl`` finds the service by reflection and holds a whole conversation."""

import json
import os
import subprocess
from base64 import b64decode
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2

from tests.interop.servers import PASSWORD

# Not always beside this interpreter: `uv run --with` gives it another place.
(BUF,) = (it.locate() for it in files("buf-bin") or () if it.name == "buf")
WITHIN_S = 20.0


class Curl:
    """Calls of ``chat.v1.Chat`` as JSON; ``session`` is the token that a login gave."""

    def __init__(self, url: str, cache: Path) -> None:
        self._url = url.replace("grpc://", "http://")
        self._environment = {**os.environ, "BUF_CACHE_DIR": str(cache)}
        self.session = ""

    def start(self, method: str, **request: Any) -> "subprocess.Popen[str]":
        """Begin a call; its answers come on stdout."""
        token = self.session
        session = [f"--header=chat-session-bin: {token}"] if token else []
        return subprocess.Popen(
            [
                BUF,
                "curl",
                "--protocol=grpc",
                "--http2-prior-knowledge",
                *session,
                f"--data={json.dumps(request)}",
                f"{self._url}/chat.v1.Chat/{method}",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )

    def fails(self, method: str, **request: Any) -> dict[str, Any]:
        """The status that a call ends with."""
        with self.start(method, **request) as call:
            _, errors = call.communicate(timeout=WITHIN_S)
        assert call.returncode, method
        status: dict[str, Any] = json.loads(errors)
        return status

    def __call__(self, method: str, **request: Any) -> list[dict[str, Any]]:
        """All answers of a call."""
        with self.start(method, **request) as call:
            answers, errors = call.communicate(timeout=WITHIN_S)
        assert call.returncode == 0, errors
        return objects(answers)


@pytest.fixture
def curl(grpc_url: str, tmp_path: Path) -> Curl:
    return Curl(grpc_url, tmp_path)


@pytest.mark.rule("W4", "W5")
def test_buf_curl_holds_a_whole_conversation(curl: Curl) -> None:
    account = {"username": "buf", "password": PASSWORD}
    (created,) = curl("CreateAccount", **account)
    (logged_in,) = curl("Login", **account)
    curl.session = logged_in["token"]
    (receipt,) = curl("Send", recipient="buf", body="hello")
    (listed,) = curl("ListAccounts", pattern="buf")

    with curl.start("Deliver") as delivering:
        assert delivering.stdout is not None
        delivered = first_object(delivering)["delivered"]
        curl("Acknowledge", position=delivered["position"])
        finished = objects(delivering.stdout.read())
    (deleted,) = curl("DeleteAccount", **account)

    assert created["username"] == logged_in["username"] == "buf"
    assert created["account"] == logged_in["account"] == receipt["recipientId"]
    assert listed["entries"] == [{"username": "buf", "online": True}]
    assert listed["complete"]
    assert (delivered["sender"], delivered["body"]) == ("buf", "hello")
    assert delivered["position"] == receipt["position"]
    assert finished == [{"deliveryFinished": {"messages": "1"}}]
    assert delivering.returncode == 0
    assert deleted == {"deleted": {}}
    assert curl.fails("Send", recipient="buf", body="gone")["code"] == "unauthenticated"


@pytest.mark.rule("E1", "W4")
def test_buf_curl_reads_the_details_of_a_refusal(curl: Curl) -> None:
    status = curl.fails("CreateAccount", username="a*", password=PASSWORD)

    assert status["code"] == "invalid_argument"
    details = {it["type"]: b64decode(it["value"] + "==") for it in status["details"]}
    info = error_details_pb2.ErrorInfo.FromString(details["google.rpc.ErrorInfo"])
    wrong = error_details_pb2.BadRequest.FromString(details["google.rpc.BadRequest"])
    assert (info.reason, info.metadata["code"]) == ("INVALID_USERNAME", "110")
    assert [it.field for it in wrong.field_violations] == ["username"]


def objects(text: str) -> list[dict[str, Any]]:
    """Each JSON object of a text, however they are laid out."""
    decoder, found, start = json.JSONDecoder(), [], 0
    text = text.strip()
    while start < len(text):
        value, end = decoder.raw_decode(text, start)
        found.append(dict(value))
        start = len(text) - len(text[end:].lstrip())
    return found


def first_object(call: "subprocess.Popen[str]") -> dict[str, Any]:
    """The first answer of a call that goes on."""
    assert call.stdout is not None
    lines = ""
    while line := call.stdout.readline():
        lines += line
        if line.startswith("}"):
            break
    (answer,) = objects(lines)
    return answer
