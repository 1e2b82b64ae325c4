"""One chat behind several transports, as the command serves it."""

import pytest

from tests.app.processes import (
    CHEAP,
    PASSWORD,
    chatcore,
    client,
    running_server,
    with_accounts,
)


@pytest.mark.rule("W1")
def test_a_user_of_one_transport_writes_to_users_of_the_others() -> None:
    flags = ("--transport", "all", "--port", "0", "--store", "memory:", *CHEAP)
    with running_server(*flags, listeners=4) as server:
        schemes = [url.partition(":")[0] for url in server.urls]
        with_accounts(server.urls[0], "ada", "bob")

        client(server.urls[2], "login ada", PASSWORD, "send bob from a stream of gRPC")
        on_tcp = client(server.urls[0], "login bob", PASSWORD, "deliver")
        client(server.urls[0], "login ada", PASSWORD, "send bob from raw TCP")
        on_websocket = client(server.urls[1], "login bob", PASSWORD, "deliver")
        client(server.urls[1], "login ada", PASSWORD, "send bob from WebSocket")
        on_http = client(server.urls[3], "login bob", PASSWORD, "deliver")

    assert schemes == ["tcp", "ws", "grpc", "http"]
    assert any("ada: from a stream of gRPC" in line for line in on_tcp.lines)
    assert any("ada: from raw TCP" in line for line in on_websocket.lines)
    assert any("ada: from WebSocket" in line for line in on_http.lines)


@pytest.mark.parametrize("transport", ["tcp", "websocket", "grpc", "http"])
def test_a_demo_is_exact_on_each_transport(transport: str) -> None:
    done = chatcore(
        "demo", "--conversations", "4", "--pace", "0", "--transport", transport
    )

    assert done.status == 0, done.errors
    assert done.lines[-1] == "0 lost, 0 duplicated, 0 out of order"
