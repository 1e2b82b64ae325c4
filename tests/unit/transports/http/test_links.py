"""A link of two requests and more: how it is opened, used and ended (W1, W6)."""

import asyncio

import msgspec
import pytest

from chatcore import Limits
from tests.interop.servers import serving
from tests.unit.transports.http.asking import (
    LOGIN,
    OFFER,
    URL,
    Socket,
    link_to,
    request,
    socket_to,
)

SEND = b'{"commands": [{"id": %d, "send": {"recipient": "ada", "body": "%d"}}]}'


async def chunk(events: Socket) -> bytes:
    """The next frame of a stream of events."""
    return await events.until(b"\n\n")


# ---- opening


@pytest.mark.rule("W1")
@pytest.mark.parametrize(
    ("offers", "code"),
    [
        (("Chat-Protocol: chat.v2.json",), 4502),
        (("Chat-Protocol: chat.v1.protobuf",), 4502),
        ((), 400),
        (("Chat-Protocol: mqtt",), 400),
        ((OFFER, OFFER), 4502),
    ],
)
async def test_another_version_is_refused_with_the_one_that_is_spoken(
    offers: tuple[str, ...], code: int
) -> None:
    async with serving(URL) as server, socket_to(server.url) as socket:
        answer = await socket.ask("POST", "/chat/links", *offers)

    assert (answer.status, answer.said["code"]) == (400, code)
    assert "This server speaks chat.v1.json." in answer.said["text"]


async def test_the_mount_tells_what_is_spoken() -> None:
    async with serving(URL) as server, socket_to(server.url) as socket:
        answer = await socket.ask("GET", "/chat")

    assert answer.status == 200
    assert answer.said == {"protocols": ["chat.v1.json"]}
    assert answer.headers["chat-protocol"] == "chat.v1.json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/links", 404),
        ("GET", "/chatter", 404),
        ("GET", "/chat/other", 404),
        ("GET", "/chat/links", 405),
        ("PUT", "/chat/frames", 405),
        ("HEAD", "/chat/events", 405),
        ("POST", "/chat/frames", 400),
        ("GET", "/chat/events", 400),
        ("DELETE", "/chat/links", 400),
    ],
)
async def test_what_is_not_there_is_told_in_a_sentence(
    method: str, path: str, status: int
) -> None:
    async with serving(URL) as server, socket_to(server.url) as socket:
        await socket.write(request(method, path, "Connection: close"))
        said = (await socket.ended()).decode()

    head, _, body = said.partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ")
    if method != "HEAD":
        told = msgspec.json.decode(body)
        assert told["code"] == status
        assert told["text"].endswith(".")


# ---- events


async def test_an_event_source_has_an_id_that_works_once_and_is_then_told_to_stop() -> (
    None
):
    async with serving(URL) as server, socket_to(server.url) as asking:
        link = await asking.open()
        async with socket_to(server.url) as events:
            first = await events.ask("GET", f"/chat/events?once={link.once}")
            await events.until(b'"welcome"')
            again = await asking.ask("GET", f"/chat/events?once={link.once}")
            frames = await asking.ask("POST", f"/chat/frames?once={link.once}")

    assert first.status == 200
    assert first.headers["content-type"] == "text/event-stream"
    assert again.status == 204
    assert frames.status == 400


async def test_events_are_read_once() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, _, asking):
        again = await asking.ask("GET", "/chat/events", link.header)
        once = await asking.ask("GET", f"/chat/events?once={link.once}")

    assert (again.status, again.said["code"]) == (409, 409)
    assert once.status == 204


@pytest.mark.rule("B3")
async def test_a_link_whose_events_nobody_asks_for_ends() -> None:
    limits = Limits(login_within_s=0.1)
    async with serving(URL, limits=limits) as server, socket_to(server.url) as asking:
        link = await asking.open()
        codes = [0]
        async with asyncio.timeout(10):
            while codes[-1] == 0:
                async with socket_to(server.url) as other:
                    answer = await other.ask("POST", "/chat/frames", link.header)
                codes.append(answer.said["code"] if answer.body else 0)

        assert codes[-1] == 4003
        assert server.chat.admission.enter("127.0.0.1")
        server.chat.admission.leave("127.0.0.1")


async def test_a_link_whose_events_nobody_reads_any_more_is_lost() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        await asking.ask("POST", "/chat/frames", link.header, body=LOGIN)
        await events.until(b'"loggedIn"')
        events.cut()

        async with server.peer(codec="json") as other:
            status = 204
            while status != 410:
                async with socket_to(server.url) as asked:
                    answer = await asked.ask("POST", "/chat/frames", link.header)
                status = answer.status
            assert (await other.login("ada")).username == "ada"


@pytest.mark.rule("S5")
async def test_a_silent_stream_has_comments() -> None:
    limits = Limits(ping_after_s=0.2, pong_within_s=20)
    async with (
        serving(URL, limits=limits) as server,
        link_to(server.url) as (
            _,
            events,
            _asking,
        ),
    ):
        comment = await events.until(b":\n\n")

    assert b"ping" not in comment


# ---- frames


@pytest.mark.rule("W6", "W7")
async def test_frames_come_a_line_each_and_stay_in_order() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        lines = [LOGIN, b"", *(SEND % (n, n) for n in range(2, 5))]

        answer = await asking.ask(
            "POST", "/chat/frames", link.header, body=b"\r\n".join(lines)
        )
        said = await events.until(b'"body":"4"')

    assert answer.status == 204
    places = [said.index(b'{"id":%d,' % n) for n in range(1, 5)]
    assert places == sorted(places)


@pytest.mark.rule("W6")
async def test_a_body_may_come_a_byte_a_chunk() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        await asking.write(
            request("POST", "/chat/frames", link.header, "Transfer-Encoding: chunked")
        )
        for byte in LOGIN:
            await asking.write(b"1\r\n%c\r\n" % byte)
        await asking.write(b"0\r\n\r\n")

        answer = await asking.answer()
        said = await events.until(b'"loggedIn"')

    assert answer.status == 204
    assert b'"id":1' in said


@pytest.mark.rule("W7")
async def test_frames_on_two_requests_at_a_time_are_refused() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        head = request("POST", "/chat/frames", link.header, "Content-Length: 1000")
        await asking.write(head)
        async with socket_to(server.url) as second:
            answer = await second.ask("POST", "/chat/frames", link.header, body=LOGIN)
            while answer.status == 204:  # the first has not been looked at yet
                answer = await second.ask("POST", "/chat/frames", link.header)

        await asking.write(LOGIN.ljust(1000))
        first = await asking.answer()
        await events.until(b'"loggedIn"')

    assert (answer.status, answer.said["code"]) == (409, 409)
    assert first.status == 204


@pytest.mark.rule("E2")
async def test_a_request_that_breaks_off_loses_its_link() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        head = request("POST", "/chat/frames", link.header, "Content-Length: 1000")
        await asking.write(head + LOGIN)
        asking.cut()

        rest = await events.ended()

    assert b'"loggedIn"' not in rest


@pytest.mark.rule("W6", "E2")
async def test_a_frame_over_the_limit_is_refused_before_it_is_there() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        length = "Content-Length: 1000000"
        head = request("POST", "/chat/frames", link.header, length)
        await asking.write(head + b"x" * 40_000)

        answer = await asking.answer()
        said = await events.until(b"event: close\ndata: ")
        last = await chunk(events)

    assert (answer.status, answer.said["code"]) == (413, 4501)
    assert b'"code":4501' in said
    assert b'"code":4501' in last


async def test_what_is_no_frame_ends_the_link_with_its_code() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        await asking.ask("POST", "/chat/frames", link.header, body=b"{broken")

        await events.until(b"event: close\ndata: ")
        last = await chunk(events)
        rest = await events.ended()

    assert b'{"code":4500,' in last
    assert rest.endswith(b"0\r\n\r\n")


# ---- the end


@pytest.mark.rule("W7")
@pytest.mark.parametrize("by", ["delete", "beacon"])
async def test_a_client_that_has_finished_gets_what_it_is_owed(by: str) -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        lines = [LOGIN, *(SEND % (n, n) for n in range(2, 9))]
        body = b"\n".join(lines)
        await asking.ask("POST", "/chat/frames", link.header, body=body)

        if by == "delete":
            ended = await asking.ask("DELETE", "/chat/links", link.header)
        else:
            ended = await asking.ask(
                "POST", "/chat/links/end", body=link.secret.encode()
            )
        said = await events.ended()

    assert ended.status == 204
    assert said.count(b'"delivered"') == 7
    assert b"event: close" in said
