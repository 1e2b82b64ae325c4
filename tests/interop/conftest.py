"""One server process on every transport, for programs of others."""

from collections.abc import Iterator

import pytest

from tests.app.processes import CHEAP, RunningServer, running_server
from tests.faults.splitting import splitting_transports
from transports import registry


@pytest.fixture(autouse=True)
def _frames_come_apart(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme, transport in splitting_transports(request.node.nodeid).items():
        monkeypatch.setitem(registry.TRANSPORTS.registered, scheme, transport)


@pytest.fixture(scope="session")
def served() -> Iterator[RunningServer]:
    """A server on tcp, ws and grpc, in this order; each test has names of its own."""
    listening = [
        flag
        for scheme in ("tcp", "ws", "grpc")
        for flag in ("--listen", f"{scheme}://127.0.0.1:0")
    ]
    with running_server(
        *listening, "--store", "memory:", *CHEAP, listeners=3
    ) as running:
        yield running


@pytest.fixture(scope="session")
def tcp_url(served: RunningServer) -> str:
    return served.urls[0]


@pytest.fixture(scope="session")
def ws_url(served: RunningServer) -> str:
    return served.urls[1]


@pytest.fixture(scope="session")
def grpc_url(served: RunningServer) -> str:
    return served.urls[2]
