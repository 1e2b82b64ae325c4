"""JSON and msgpack frames, as people and other programs write them (W5)."""

import msgspec
import pytest

from chatcore.commands import (
    Acknowledge,
    Command,
    Delete,
    DeliveryMode,
    InboxAction,
    Login,
    OutboxAction,
    Pong,
    Request,
    Resume,
    Send,
)
from chatcore.events import Accepted, Delivered, Event, LoggedIn
from chatcore.ids import AccountId, Position, ResumeToken, Username
from transports.codec import codec

KEY = bytes.fromhex("fbefbe01")  # whose base64 differs between the two alphabets


@pytest.mark.rule("W5")
@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('"send":{"recipient":"bob","body":"hi"}', Send("bob", "hi")),
        ('"send":{}', Send("", "")),
        ('"send":{"body":null,"recipient":"bob"}', Send("bob", "")),
        ('"send":{"recipient":"bob","body":"","size":1}', Send("bob", "")),
        ('"send":{"recipient":"b","body":"h","key":"++++AQ=="}', Send("b", "h", KEY)),
        ('"send":{"recipient":"b","body":"h","key":"----AQ=="}', Send("b", "h", KEY)),
        ('"send":{"recipient":"b","body":"h","key":"----AQ"}', Send("b", "h", KEY)),
        ('"send":{"recipient":"b","body":"\\u0000"}', Send("b", "\0")),
        ('"acknowledge":{"position":"7"}', Acknowledge(7)),
        ('"acknowledge":{"position":7}', Acknowledge(7)),
        ('"acknowledge":{"position":7.0}', Acknowledge(7)),
        ('"acknowledge":{}', Acknowledge(0)),
        ('"resume":{"token":"AQ==","lastSeen":"7"}', Resume(b"\x01", 7)),
        ('"resume":{"token":"AQ==","last_seen":7}', Resume(b"\x01", 7)),
        (
            '"login":{"username":"ada","delivery":"DELIVERY_MODE_MANUAL"}',
            Login(username="ada", password="", delivery=DeliveryMode.MANUAL),
        ),
        (
            '"login":{"delivery":2}',
            Login(username="", password="", delivery=DeliveryMode.MANUAL),
        ),
        (
            '"login":{"delivery":"DELIVERY_MODE_UNSPECIFIED"}',
            Login(username="", password="", delivery=DeliveryMode.PUSH),
        ),
        (
            '"delete":{"inbox":0,"outbox":2,"dry_run":true}',
            Delete(
                username="",
                password="",
                inbox=InboxAction.DELIVER,
                outbox=OutboxAction.RETRACT,
                dry_run=True,
            ),
        ),
        ('"send":null,"pong":{}', Pong()),
    ],
)
def test_each_spelling_of_the_json_mapping_is_read(text: str, command: Command) -> None:
    frame = f'{{"commands": [{{"id": 3, {text}}}]}}\r'

    assert codec("json").decode_commands(frame.encode()) == [Request(3, command)]


@pytest.mark.parametrize(
    ("text", "number"),
    [('{"pong":{}}', 0), ('{"id":"9","pong":{}}', 9), ('{"id":null,"pong":{}}', 0)],
)
def test_an_id_may_be_absent_or_a_string(text: str, number: int) -> None:
    frame = f'{{"commands":[{text}],"comment":"ignored"}}'

    assert codec("json").decode_commands(frame.encode()) == [Request(number, Pong())]


@pytest.mark.rule("W5")
@pytest.mark.parametrize(
    "names",
    [
        b'"recipientId":"2","position":"3","sentAtMs":"4"',
        b'"recipient_id":2,"position":3,"sent_at_ms":4',
    ],
)
def test_events_are_read_in_either_spelling(names: bytes) -> None:
    frame = b'{"events":[{"id":1,"accepted":{%b}}]}' % names

    read = codec("json").decode_events(frame)

    assert read == [Accepted(1, AccountId(2), Position(3), 4, durable=False)]


@pytest.mark.rule("W5")
def test_json_writes_the_canonical_spelling() -> None:
    requests = [
        Request(1, Send("bob", "hi", KEY)),
        Request(0, Acknowledge(7)),
        Request(2, Login(username="ada", password="pw", delivery=DeliveryMode.MANUAL)),
        Request(3, Pong()),
    ]

    frame = codec("json").encode_commands(requests)

    assert frame == (
        b'{"commands":['
        b'{"id":1,"send":{"recipient":"bob","body":"hi","key":"++++AQ=="}},'
        b'{"acknowledge":{"position":"7"}},'
        b'{"id":2,"login":{"username":"ada","password":"pw",'
        b'"delivery":"DELIVERY_MODE_MANUAL"}},'
        b'{"id":3,"pong":{}}]}'
    )


@pytest.mark.rule("W5")
def test_msgpack_writes_the_same_maps_with_integers_and_bytes() -> None:
    events: list[Event] = [
        Accepted(1, AccountId(2), Position(3), 4, durable=True),
        Delivered(
            position=Position(2**63),
            follows=Position(0),
            sender=Username("a"),
            sender_id=AccountId(1),
            sender_deleted=True,
            body="x",
            sent_at_ms=0,
        ),
        LoggedIn(
            id=1,
            account=AccountId(2),
            username=Username("ada"),
            token=ResumeToken(KEY),
            queued=0,
            acknowledged=Position(5),
            grace_ms=30_000,
        ),
    ]

    frame = codec("msgpack").encode_events(events)

    assert msgspec.msgpack.decode(frame) == {
        "events": [
            {
                "id": 1,
                "accepted": {
                    "recipientId": 2,
                    "position": 3,
                    "sentAtMs": 4,
                    "durable": True,
                },
            },
            {
                "delivered": {
                    "position": 2**63,
                    "sender": "a",
                    "senderId": 1,
                    "body": "x",
                    "senderDeleted": True,
                }
            },
            {
                "id": 1,
                "loggedIn": {
                    "account": 2,
                    "username": "ada",
                    "token": KEY,
                    "acknowledged": 5,
                    "graceMs": 30_000,
                },
            },
        ]
    }
