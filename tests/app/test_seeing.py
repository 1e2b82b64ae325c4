"""What an operator sees of a running server: health, metrics, the log, the audit."""

import asyncio
import http.client
import json
import re
import signal
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from chatcore import InboxAction, NameTaken, WrongCredentials
from tests.app.processes import (
    COMMAND,
    PATIENCE_S,
    RunningServer,
    chatcore,
    running_server,
)
from tests.unit.transports.test_proxies import channel_to, open_naming, stream_naming
from transports import connect
from transports.base import parse_address

PASSWORD, NEW, WRONG = "correct horse", "another horse", "wrong horse 7411"
BODY = "a body that nobody logs"
SCHEMES = ("tcp", "ws", "grpc", "http")
Line: TypeAlias = dict[str, object]


def get(server: RunningServer, path: str) -> tuple[int, str]:
    """What the port for metrics answers."""
    authority = server.metrics.removeprefix("http://").partition("/")[0]
    asking = http.client.HTTPConnection(authority, timeout=PATIENCE_S)
    try:
        asking.request("GET", path)
        answer = asking.getresponse()
        return answer.status, answer.read().decode()
    finally:
        asking.close()


async def live_through(url: str, name: str) -> None:
    """Do all that an audit tells of, and have it refused as well."""
    async with connect(url) as client:
        await client.create(name, PASSWORD)
        with pytest.raises(NameTaken):
            await client.create(name, PASSWORD)
        with pytest.raises(WrongCredentials):
            await client.login(name, WRONG)
        await client.login(name, PASSWORD)
        await client.send(name, BODY)
        with pytest.raises(WrongCredentials):
            await client.change_password(WRONG, NEW)
        await client.change_password(PASSWORD, NEW)
        with pytest.raises(WrongCredentials):
            await client.delete(name, WRONG)
        await client.delete(name, NEW, inbox=InboxAction.DISCARD)


LIVED = (
    ("create", "done", None),
    ("create", "refused", 204),
    ("login", "refused", 202),
    ("login", "done", None),
    ("change_password", "refused", 202),
    ("change_password", "done", None),
    ("delete", "refused", 202),
    ("delete", "done", None),
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a server has written by its end."""

    log: Sequence[Line]
    audit: Sequence[Line]
    text: str


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """A server on each transport, on which somebody lived through all of it."""
    path = tmp_path_factory.mktemp("audit") / "audit.log"
    flags = ("--transport", "all", "--port", "0", "--store", "memory:")
    logs = ("--log-format", "json", "--log-level", "debug", "--audit-log", str(path))
    with running_server(
        *flags, *logs, "--insecure-fast-hash", listeners=4, program=COMMAND
    ) as server:
        for scheme, url in zip(SCHEMES, server.urls, strict=True):
            asyncio.run(live_through(url, f"of-{scheme}"))
        status = server.stop()
        assert server.process.stderr is not None
        errors = server.process.stderr.read()
    assert status == 0
    text = path.read_text("utf-8")
    yield Written(
        [json.loads(it) for it in errors.splitlines()],
        [json.loads(it) for it in text.splitlines()],
        errors + text,
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_audit_log_tells_what_became_of_an_account(
    written: Written, scheme: str
) -> None:
    fields = [it["fields"] for it in written.audit]
    ours = [
        it for it in fields if isinstance(it, dict) and it["username"] == f"of-{scheme}"
    ]

    assert [(it["action"], it["outcome"], it.get("code")) for it in ours] == [*LIVED]
    assert {it["transport"] for it in ours} == {scheme}
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+", it["peer"]) for it in ours)
    assert len({it["account"] for it in ours if it["outcome"] == "done"}) == 1


@pytest.mark.rule("B8")
def test_no_password_token_or_body_is_in_any_log(written: Written) -> None:
    for secret in (PASSWORD, NEW, WRONG, BODY, "token"):
        assert secret not in written.text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_lines_of_a_connection_have_its_name(written: Written, scheme: str) -> None:
    names = {
        it["connection"]
        for it in written.audit
        if isinstance(it["fields"], dict) and it["fields"]["transport"] == scheme
    }
    ours = [it for it in written.log if it.get("connection") in names]

    first, *between, last = [str(it["message"]) for it in ours]
    peer = first.removesuffix(" connected")

    assert len(names) == 1
    assert first.endswith(" connected")
    assert last == f"{peer} has gone"
    assert all(peer in it for it in between)


async def open_each(urls: Sequence[str], clients: Sequence[str]) -> None:
    """Connect to TCP, WebSocket and gRPC as a proxy of these clients does."""
    for url, client in zip(urls[:2], clients, strict=False):
        await open_naming(url, client)
    async with channel_to(parse_address(urls[2])) as channel:
        await stream_naming(channel, clients[2]).read()


def test_behind_a_proxy_the_log_names_the_client_on_each_transport() -> None:
    flags = ("--transport", "all", "--port", "0", "--store", "memory:", "--log-level")
    proxies = ("debug", "--proxies", "127.0.0.0/8")
    clients = [f"192.0.2.{number}" for number in range(1, 4)]
    with running_server(*flags, *proxies, listeners=4, program=COMMAND) as server:
        asyncio.run(open_each(server.urls, clients))
        status = server.stop()
        assert server.process.stderr is not None
        log = server.process.stderr.read()

    assert status == 0
    assert re.search(r"192\.0\.2\.1:5 connected\n", log)
    for address in clients[1:]:
        named = rf" {re.escape(address)} by 127\.0\.0\.1:\d+ connected\n"
        assert re.search(named, log), address


def test_lines_that_are_about_no_connection_have_no_name(written: Written) -> None:
    lines = [it for it in written.log if it["logger"] == "chatapp.serve"]

    assert len(lines) >= 3
    assert not [it for it in lines if "connection" in it]


@pytest.mark.rule("W9")
def test_it_is_ready_until_it_stops_and_alive_until_its_end() -> None:
    flags = ("--listen", "tcp://127.0.0.1:0", "--store", "memory:")
    with running_server(*flags, "--metrics", "127.0.0.1:0", program=COMMAND) as server:
        first = [get(server, it) for it in ("/readyz", "/livez", "/metrics")]
        host, _, port = server.url.removeprefix("tcp://").partition(":")
        # One that neither reads nor goes keeps it waiting.
        with socket.create_connection((host, int(port)), PATIENCE_S) as holding:
            holding.sendall(b"CHAT/1 json\n")
            with holding.makefile("rb") as reading:
                reading.readline()
                server.process.send_signal(signal.SIGTERM)
                while b"closing" not in reading.readline():
                    pass
                ready, live = get(server, "/readyz"), get(server, "/livez")

        status = server.process.wait(PATIENCE_S)

    assert first[:2] == [(200, "ready\n"), (200, "alive\n")]
    assert 'chatcore_connections{transport="tcp"} 0.0\n' in first[2][1]
    assert ready == (503, "not ready: it is stopping\n")
    assert live == (200, "alive\n")
    assert status == 0


def test_sighup_opens_the_audit_log_again_and_ends_nothing(tmp_path: Path) -> None:
    path, rotated = tmp_path / "audit.log", tmp_path / "audit.log.1"
    flags = ("--listen", "tcp://127.0.0.1:0", "--store", "memory:", "--log-format")
    more = ("json", "--insecure-fast-hash", "--audit-log", str(path))
    with running_server(*flags, *more, program=COMMAND) as server:
        asyncio.run(live_through(server.url, "ada"))
        path.rename(rotated)
        server.process.send_signal(signal.SIGHUP)
        assert server.process.stderr is not None
        while "SIGHUP" not in server.process.stderr.readline():
            pass
        with suppress(FileNotFoundError):
            assert path.read_text("utf-8") == ""
        asyncio.run(live_through(server.url, "bob"))
        status = server.stop()

    assert status == 0
    assert len(rotated.read_text("utf-8").splitlines()) == len(LIVED)
    assert len(path.read_text("utf-8").splitlines()) == len(LIVED)


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--metrics", "192.0.2.1:9400"), "[702] Cannot listen on http://192.0.2.1"),
        (("--audit-log", "no folder/a.log"), "[708] The audit log no folder/a.log"),
    ],
)
def test_what_cannot_be_had_is_one_line_before_there_is_a_store(
    tmp_path: Path, flags: Sequence[str], complaint: str
) -> None:
    done = chatcore("serve", "--port", "0", *flags, folder=tmp_path)

    assert done.status == 1
    assert done.errors.splitlines()[-1].startswith(f"chatcore: {complaint}")
    assert done.lines == []
    assert list(tmp_path.iterdir()) == []
