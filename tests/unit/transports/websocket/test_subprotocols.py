"""The handshake: versions and codecs by subprotocol (W1, W3)."""

import msgspec
import pytest
from websockets.typing import Subprotocol

from chatcore.errors import CloseCode
from tests.interop.servers import serving
from tests.unit.transports.websocket.sockets import URL, end_of, opening, upgrade
from transports.codec import CODECS
from transports.subprotocols import KNOWN, choose


@pytest.mark.rule("W3")
@pytest.mark.parametrize("codec", CODECS)
async def test_a_subprotocol_chooses_the_codec(codec: str) -> None:
    async with (
        serving(URL) as server,
        opening(server.url, f"chat.v1.{codec}") as socket,
    ):
        welcome = await socket.recv()

    assert socket.subprotocol == f"chat.v1.{codec}"
    assert isinstance(welcome, str if codec == "json" else bytes)
    match codec:
        case "json":
            assert "welcome" in msgspec.json.decode(welcome)["events"][0]
        case "msgpack":
            assert isinstance(welcome, bytes)
            assert "welcome" in msgspec.msgpack.decode(welcome)["events"][0]
        case _:
            assert welcome[0] == 0x0A  # field 1 of a ServerFrame


@pytest.mark.rule("W3")
@pytest.mark.parametrize("as_text", [True, False])
async def test_json_is_read_from_text_and_from_binary_messages(
    as_text: bool,  # noqa: FBT001  # the two kinds that there are
) -> None:
    frame = b'{"commands": [{"id": 7, "logout": {}}]}'
    async with serving(URL) as server, opening(server.url) as socket:
        await socket.recv()
        await socket.send(frame, text=as_text)
        answer = msgspec.json.decode(await socket.recv())

    (refused,) = answer["events"]
    assert (refused["id"], refused["refused"]["code"]) == (7, 200)


@pytest.mark.rule("W1")
@pytest.mark.parametrize("offered", ["chat.v2.json", "chat.v1.xml", "chat.v10.json"])
async def test_another_version_is_accepted_and_closed_at_once(offered: str) -> None:
    async with serving(URL) as server, opening(server.url, offered) as socket:
        code, reason = await end_of(socket)

    assert socket.subprotocol == offered
    assert code == CloseCode.WRONG_VERSION
    assert all(it in reason for it in KNOWN)


@pytest.mark.rule("W1", "W3")
@pytest.mark.parametrize(
    "offer", [(), ("Sec-WebSocket-Protocol: mqtt, soap",)], ids=["nothing", "others"]
)
async def test_an_upgrade_without_any_name_of_ours_is_refused(
    offer: tuple[str, ...],
) -> None:
    async with serving(URL) as server:
        status, answer = await upgrade(server.url, "Host: chat", *offer)

    assert status == 400
    assert all(it in answer for it in KNOWN)


@pytest.mark.rule("W1")
@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["chat.v1.json", "chat.v1.protobuf"], "chat.v1.json"),
        (["chat.v2.json", "chat.v1.msgpack"], "chat.v1.msgpack"),
        (["mqtt", "chat.v3.json", "chat.v2.json"], "chat.v3.json"),
        (["mqtt", "chatter.v1.json"], None),
        ([], None),
    ],
)
def test_the_first_that_is_spoken_is_chosen_before_any_that_is_not(
    offered: list[str], chosen: str | None
) -> None:
    assert choose([Subprotocol(it) for it in offered]) == chosen
