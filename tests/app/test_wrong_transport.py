"""What a client is told that dials a port of another transport."""

from collections.abc import Iterator

import pytest

from tests.app.oneshots import started
from tests.app.processes import CHEAP, COMMAND, RunningServer, chatcore, running_server

PORTS = {"tcp": 0, "websocket": 1, "grpc": 2, "http": 3}
SPOKEN = {
    "tcp": "raw TCP",
    "websocket": "WebSocket",
    "grpc": "gRPC",
    "http": "HTTP",
}
MISTAKES = [(ours, theirs) for ours in PORTS for theirs in PORTS if ours != theirs]


@pytest.fixture(scope="module")
def everywhere() -> Iterator[RunningServer]:
    """A server of all transports, whose frames come whole."""
    flags = ("--transport", "all", "--port", "0", "--store", "memory:", *CHEAP)
    with running_server(*flags, listeners=4, program=COMMAND) as running:
        yield running


def place_of(server: RunningServer, transport: str) -> str:
    """``host:port`` of a transport."""
    return server.urls[PORTS[transport]].split("/")[2]


@pytest.mark.parametrize(("ours", "theirs"), MISTAKES)
def test_the_client_says_what_the_port_speaks_and_which_flag_helps(
    everywhere: RunningServer, ours: str, theirs: str
) -> None:
    place = place_of(everywhere, theirs)
    port = place.rpartition(":")[2]

    done = chatcore("client", "--transport", ours, "--port", port)

    scheme = "ws" if ours == "websocket" else ours
    assert done.status == 6
    assert done.errors == (
        f"chatcore: [704] Cannot connect to {scheme}://{place}: this port speaks "
        f"{SPOKEN[theirs]}; try --transport {theirs}.\n"
    )


def test_whoever_gave_a_url_is_told_another(everywhere: RunningServer) -> None:
    place = place_of(everywhere, "websocket")

    with started(f"tcp://{place}", "list", "--as", "ada") as listing:
        status = listing.wait()
        assert listing.stderr is not None
        errors = listing.stderr.read()

    assert status == 6
    assert errors.endswith(f"this port speaks WebSocket; try --connect ws://{place}.\n")


@pytest.mark.parametrize(
    ("transport", "codec", "complaint"),
    [
        ("grpc", "json", "gRPC carries protobuf only, not json.\n"),
        ("http", "msgpack", "HTTP carries json only, not msgpack.\n"),
    ],
)
def test_a_codec_that_a_transport_does_not_carry_is_asked_wrongly(
    transport: str, codec: str, complaint: str
) -> None:
    done = chatcore("client", "--transport", transport, "--codec", codec)

    assert done.status == 2
    assert done.errors == f"chatcore: [701] {complaint}"
