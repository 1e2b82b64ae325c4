"""What cannot be read is refused by name, and harms nothing else (E2, E3)."""

from collections.abc import Callable

import msgspec
import pytest

from chatcore.commands import (
    Command,
    Malformed,
    Pong,
    Request,
    Send,
    Unknown,
)
from chatcore.errors import CloseCode, MailboxFull, Refusal
from chatcore.events import Closing, Ping, Refused, Started
from transports.codec import CODECS, BrokenFrame, UnknownCodec, codec
from transports.codec._generated import chat_pb2 as pb
from transports.codec.base import MOST_COMMAND_BYTES, MOST_COMMANDS, MOST_EVENTS

every_codec = pytest.mark.parametrize("name", CODECS)
both_notations = pytest.mark.parametrize("name", ["json", "msgpack"])
GOOD = {"id": 2, "send": {"recipient": "bob", "body": "hello"}}


def frame_of(name: str, *items: object, of: str = "commands") -> bytes:
    """A frame of hand-made maps."""
    encode: Callable[[object], bytes] = (
        msgspec.json.encode if name == "json" else msgspec.msgpack.encode
    )
    return encode({of: items})


@pytest.mark.rule("E2", "E3")
@both_notations
@pytest.mark.parametrize(
    ("item", "answer"),
    [
        (
            {"id": 1, "send": {"recipient": 5}},
            Request(1, Malformed("send.recipient: expected a string")),
        ),
        (
            {"id": 1, "send": 7},
            Request(1, Malformed("send: expected an object")),
        ),
        (
            {"id": 1, "send": {"recipient": "bob", "body": "x", "key": "?"}},
            Request(1, Malformed("send.key: expected bytes in base64")),
        ),
        (
            {"id": 1, "login": {"create": "yes"}},
            Request(1, Malformed("login.create: expected true or false")),
        ),
        (
            {"id": 1, "resume": {"lastSeen": -1}},
            Request(
                1,
                Malformed(
                    "resume.last_seen: expected an integer from 0 to "
                    "18446744073709551615"
                ),
            ),
        ),
        (
            {"id": 1, "acknowledge": {"position": "five"}},
            Request(
                1,
                Malformed(
                    "acknowledge.position: expected an integer from 0 to "
                    "18446744073709551615"
                ),
            ),
        ),
        (
            {"id": 1, "delete": {"inbox": "BURN"}},
            Request(
                1,
                Malformed(
                    "delete.inbox: expected one of INBOX_UNSPECIFIED, INBOX_DELIVER, "
                    "INBOX_DISCARD"
                ),
            ),
        ),
        (
            {"id": 1, "delete": {"inbox": 3}},
            Request(1, Malformed("delete.inbox: expected a number from 0 to 2")),
        ),
        (
            {"id": 1, "pong": {}, "deliver": {}},
            Request(1, Malformed("command: expected one, not pong and deliver")),
        ),
        (
            {"id": 1, "send": {"recipient": "bob", "body": "hi"}, "pong": {}},
            Request(1, Malformed("command: expected one, not send and pong")),
        ),
        (
            {"id": 1, "acknowledge": {"position": -1}},
            Request(
                1,
                Malformed(
                    "acknowledge.position: expected an integer from 0 to "
                    "18446744073709551615"
                ),
            ),
        ),
        (
            {"id": 2**32, "pong": {}},
            Request(0, Malformed("id: expected an integer from 0 to 4294967295")),
        ),
        ("pong", Request(0, Malformed("command: expected an object"))),
        ({"id": 1, "frobnicate": {}}, Request(1, Unknown("frobnicate"))),
        ({"id": 1, "x" * 100: {}}, Request(1, Unknown("x" * 64))),
        ({"id": 1, "frobnicate": {}, "pong": {}}, Request(1, Pong())),
    ],
)
def test_a_command_that_cannot_be_read_harms_no_other(
    name: str, item: object, answer: Request
) -> None:
    frame = frame_of(name, GOOD, item, GOOD)

    requests = codec(name).decode_commands(frame)

    good = Request(2, Send("bob", "hello"))
    assert requests == [good, answer, good]


@pytest.mark.rule("E3")
def test_a_number_beyond_all_ranges_harms_no_other_command() -> None:
    number = b"9" * 5000
    frame = b'{"commands":[{"id":1,"acknowledge":{"position":%b}},{"id":2,"pong":{}}]}'

    requests = codec("json").decode_commands(frame % number)

    assert requests == [
        Request(1, Malformed("acknowledge: expected values within their ranges")),
        Request(2, Pong()),
    ]


@pytest.mark.rule("E3")
def test_protobuf_names_an_unknown_command_by_its_field_number() -> None:
    # 4: field 99 as a message that is empty, after an id
    unknown = b"\x08\x04" + b"\x9a\x06\x00"
    good = pb.Command(id=5, send=pb.Send(recipient="bob", body="hello"))
    frame = pb.ClientFrame(commands=[pb.Command.FromString(unknown), good])

    requests = codec("protobuf").decode_commands(frame.SerializeToString())

    assert requests == [
        Request(4, Unknown("field 99")),
        Request(5, Send("bob", "hello")),
    ]


@pytest.mark.rule("E2")
@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (pb.Command(id=1, login=pb.Login(delivery=9)), "login.delivery"),  # type: ignore[arg-type]  # no number of the schema
        (pb.Command(id=1, delete=pb.Delete(inbox=9)), "delete.inbox"),  # type: ignore[arg-type]  # no number of the schema
        (pb.Command(id=1, delete=pb.Delete(outbox=9)), "delete.outbox"),  # type: ignore[arg-type]  # no number of the schema
        (pb.Command.FromString(b"\x08\x01\x30\x01"), "send"),  # as a number
        (pb.Command(id=1), "command"),
    ],
)
def test_protobuf_refuses_what_the_schema_does_not_have(
    item: pb.Command, reason: str
) -> None:
    frame = pb.ClientFrame(commands=[item]).SerializeToString()

    [request] = codec("protobuf").decode_commands(frame)

    assert request.id == 1
    assert isinstance(request.command, Malformed)
    assert request.command.reason.startswith(f"{reason}: expected")


@both_notations
def test_a_command_without_content_is_told_what_there_is(name: str) -> None:
    frame = frame_of(name, {"id": 1}, {"id": 2, "send": None})

    requests = codec(name).decode_commands(frame)

    reason = (
        "command: expected one of create, login, resume, logout, send, acknowledge, "
        "deliver, list, delete, change_password, pong, prove"
    )
    assert requests == [Request(1, Malformed(reason)), Request(2, Malformed(reason))]


@pytest.mark.rule("E2")
@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("json", b""),
        ("json", b'{"commands":['),
        ("json", b"[]"),
        ("json", b'{"commands":{}}'),
        ("json", b'{"commands":[]} {}'),
        ("json", b'{"commands":[{"send":{"recipient":"\xff"}}]}'),
        ("json", b'{"commands":[{"send":{"recipient":"\\ud800"}}]}'),
        ("json", b'{"commands":' + b"[" * 100_000),
        ("json", b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        ("msgpack", b""),
        ("msgpack", b"\x90"),
        ("msgpack", b"\x80\x80"),
        ("msgpack", b"\x81\xa8commands\x80"),
        ("msgpack", b"\x81\xa8commands\x91\x81\xa4send\xa1\xff"),
        ("msgpack", b"\x81\xa8commands" + b"\x91" * 100_000),
        ("protobuf", b"\x0a"),
        ("protobuf", b"\x0a\x05\x32\x03\x0a\x01\xff"),  # a name that is not UTF-8
        ("protobuf", b"\x0b" * 100_000),
    ],
)
def test_bytes_that_are_no_frame_are_a_broken_frame(name: str, frame: bytes) -> None:
    with pytest.raises(BrokenFrame) as raised:
        codec(name).decode_commands(frame)

    assert raised.value.reason


@every_codec
def test_a_frame_may_be_empty(name: str) -> None:
    commands = codec(name).encode_commands([])
    events = codec(name).encode_events([])

    assert codec(name).decode_commands(commands) == []
    assert codec(name).decode_events(events) == []


@every_codec
@pytest.mark.parametrize("command", [Unknown("x"), Malformed("y")])
def test_what_is_only_read_is_not_written(name: str, command: Command) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        codec(name).encode_commands([Request(1, command)])


@every_codec
def test_text_that_utf8_cannot_hold_is_not_written(name: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        codec(name).encode_commands([Request(1, Send("bob", "\ud800"))])


@pytest.mark.rule("E1")
@every_codec
def test_a_refusal_keeps_its_number_text_and_fields(name: str) -> None:
    refused = Refused(9, MailboxFull(recipient="bob"))

    [read] = codec(name).decode_events(codec(name).encode_events([refused]))

    assert isinstance(read, Refused)
    assert read.id == 9
    assert isinstance(read.refusal, MailboxFull)
    assert read.refusal.text == "The mailbox of bob is full; nothing was dropped."
    assert read.refusal.fields == {"recipient": "bob"}


@both_notations
def test_a_refusal_of_a_newer_server_keeps_its_text(name: str) -> None:
    frame = frame_of(
        name,
        {
            "id": 9,
            "refused": {
                "code": 399,
                "name": "TOO_COLD",
                "text": "It is too cold.",
                "fields": {"degrees": "-3", "self": "x"},
            },
        },
        of="events",
    )

    [read] = codec(name).decode_events(frame)

    assert isinstance(read, Refused)
    assert type(read.refusal) is Refusal
    assert read.refusal.text == "It is too cold."
    assert read.refusal.code == 399
    assert read.refusal.fields == {"degrees": "-3", "self": "x"}


@both_notations
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (4000, CloseCode.SHUTTING_DOWN),
        (4499, CloseCode.LINK_LOST),
        (4998, CloseCode.WRONG_VERSION),
    ],
)
def test_a_closing_code_of_a_newer_server_says_the_same_about_coming_back(
    name: str, number: int, code: CloseCode
) -> None:
    frame = frame_of(name, {"closing": {"code": number, "text": "so"}}, of="events")

    read = codec(name).decode_events(frame)

    assert read == [Closing(code, "so")]
    assert code.may_reconnect == (number < 4500)


@both_notations
def test_events_that_only_a_newer_server_knows_are_skipped(name: str) -> None:
    frame = frame_of(
        name,
        {"ping": {}},
        {"id": 3, "telepathy": {"mood": 1}},
        {"id": 4, "started": {"eta": 5}},
        of="events",
    )

    assert codec(name).decode_events(frame) == [Ping(), Started(4)]


def test_events_that_only_a_newer_server_knows_are_skipped_in_protobuf() -> None:
    frame = (
        b"\x0a\x03\x9a\x06\x00"
        + pb.ServerFrame(events=[pb.Event(ping=pb.Ping())]).SerializeToString()
    )

    assert codec("protobuf").decode_events(frame) == [Ping()]


@both_notations
def test_an_event_that_cannot_be_read_is_a_broken_frame(name: str) -> None:
    frame = frame_of(name, {"accepted": {"position": "x"}}, of="events")

    with pytest.raises(BrokenFrame, match=r"event\.accepted\.position"):
        codec(name).decode_events(frame)


@every_codec
def test_a_codec_has_its_name_and_is_one_object(name: str) -> None:
    assert codec(name).name == name
    assert codec(name).text == (name == "json")
    assert codec(name) is codec(name)


def test_an_unknown_codec_is_told_what_there_is() -> None:
    with pytest.raises(UnknownCodec) as raised:
        codec("xml")

    assert str(raised.value) == (
        "There is no codec 'xml'; there are protobuf, json, msgpack."
    )


@every_codec
def test_a_frame_of_more_events_than_any_server_writes_is_broken(name: str) -> None:
    chosen = codec(name)
    longer = chosen.encode_events([Ping()] * (MOST_EVENTS + 1))

    with pytest.raises(BrokenFrame, match=f"more than {MOST_EVENTS} events"):
        chosen.decode_events(longer)


def test_a_large_unknown_command_is_named_by_its_number() -> None:
    field = b"\x9a\x06\x01a"  # number 99, a text
    command = b"\x08\x07" + field * 1000
    frame = b"\x0a" + bytes([len(command) & 0x7F | 0x80, len(command) >> 7]) + command

    requests = codec("protobuf").decode_commands(frame)

    assert requests == [Request(7, Unknown("field 99"))]


@pytest.mark.parametrize("name", ["json", "msgpack"])
def test_a_command_of_more_bytes_than_any_needs_is_refused_unread(name: str) -> None:
    chosen = codec(name)
    whole = {"send": {"recipient": "bob", "body": ["x" * (MOST_COMMAND_BYTES + 1)]}}
    notation = msgspec.json if name == "json" else msgspec.msgpack

    (request,) = chosen.decode_commands(notation.encode({"commands": [whole]}))

    assert isinstance(request.command, Malformed)


@every_codec
def test_a_frame_of_more_commands_than_anybody_needs_is_broken(name: str) -> None:
    chosen = codec(name)
    most = [Request(1, Pong())] * MOST_COMMANDS

    frame = chosen.encode_commands(most)
    longer = chosen.encode_commands([*most, Request(2, Pong())])

    assert len(chosen.decode_commands(frame)) == MOST_COMMANDS
    with pytest.raises(BrokenFrame, match=f"more than {MOST_COMMANDS}"):
        chosen.decode_commands(longer)
