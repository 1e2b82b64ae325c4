"""What holds for every command, event and input of each codec."""

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Create,
    Delete,
    Deliver,
    DeliveryMode,
    InboxAction,
    List,
    Login,
    Logout,
    OutboxAction,
    Pong,
    Request,
    Resume,
    Send,
)
from chatcore.errors import REFUSALS, CloseCode, Refusal
from chatcore.events import (
    Accepted,
    Bounced,
    Closing,
    Created,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    Listed,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Ping,
    Received,
    Refused,
    Resumed,
    Started,
    Welcome,
)
from chatcore.ids import AccountId, Position, ResumeToken, Username
from chatcore.model import DeletionReceipt
from transports.codec import CODECS, BrokenFrame, codec
from transports.codec._generated import chat_pb2 as pb
from transports.codec.map_items import ItemReader, Notation

UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(max_size=12).map(Username)
ACCOUNTS = UINT64.map(AccountId)
POSITIONS = UINT64.map(Position)
POSITION_LISTS = st.lists(POSITIONS, max_size=4).map(tuple)
BYTES = st.binary(max_size=20)
TEXT = st.text(max_size=40)

COMMANDS = st.one_of(
    st.builds(Send, TEXT, TEXT, BYTES),
    st.builds(Acknowledge, UINT64),
    st.builds(Create, TEXT, TEXT, BYTES, TEXT),
    st.builds(
        Login,
        username=TEXT,
        password=TEXT,
        create=st.booleans(),
        delivery=st.sampled_from(DeliveryMode),
        invitation=TEXT,
    ),
    st.builds(Resume, BYTES, UINT64, st.none() | st.sampled_from(DeliveryMode)),
    st.builds(Logout),
    st.builds(Deliver),
    st.builds(List, TEXT, TEXT),
    st.builds(
        Delete,
        username=TEXT,
        password=TEXT,
        inbox=st.sampled_from(InboxAction),
        outbox=st.sampled_from(OutboxAction),
        dry_run=st.booleans(),
        key=BYTES,
    ),
    st.builds(ChangePassword, TEXT, TEXT),
    st.builds(Pong),
)
REQUESTS = st.lists(st.builds(Request, UINT32, COMMANDS), max_size=6)


@st.composite
def refusals(draw: st.DrawFn) -> Refusal:
    """Any refusal, with any fields."""
    kind = draw(st.sampled_from(list(REFUSALS.values())))
    names = TEXT.filter(lambda name: name != "self")
    return kind(**draw(st.dictionaries(names, TEXT, max_size=3)))


@st.composite
def pages(draw: st.DrawFn) -> Listed:
    """Any page of a list."""
    entries = draw(st.lists(st.tuples(NAMES, st.booleans()), max_size=4))
    return Listed(
        draw(UINT32),
        tuple(name for name, _ in entries),
        tuple(is_online for _, is_online in entries),
        draw(st.booleans()),
    )


EVENTS = st.one_of(
    st.builds(
        Delivered, POSITIONS, POSITIONS, NAMES, ACCOUNTS, st.booleans(), TEXT, INT64
    ),
    st.builds(Accepted, UINT32, ACCOUNTS, POSITIONS, INT64, st.booleans()),
    st.builds(Received, NAMES, ACCOUNTS, POSITION_LISTS),
    st.builds(Bounced, POSITIONS, POSITIONS, NAMES, ACCOUNTS, POSITION_LISTS, INT64),
    st.builds(
        Welcome,
        server_time_ms=INT64,
        frame_bytes=UINT32,
        body_bytes=UINT32,
        pending_commands=UINT32,
        window_messages=UINT32,
        login_frame_bytes=UINT32,
    ),
    st.builds(Created, UINT32, ACCOUNTS, NAMES),
    st.builds(
        LoggedIn,
        id=UINT32,
        account=ACCOUNTS,
        username=NAMES,
        token=BYTES.map(ResumeToken),
        queued=UINT64,
        acknowledged=POSITIONS,
        grace_ms=UINT32,
    ),
    st.builds(
        Resumed,
        id=UINT32,
        account=ACCOUNTS,
        username=NAMES,
        queued=UINT64,
        last_seen=POSITIONS,
    ),
    st.builds(LoggedOut, UINT32),
    st.builds(Started, UINT32),
    pages(),
    st.builds(DeliveryFinished, UINT32, UINT64),
    st.builds(
        Deleted,
        UINT32,
        st.builds(
            DeletionReceipt,
            dry_run=st.booleans(),
            delivered=UINT64,
            discarded=UINT64,
            bounces=UINT64,
            kept=UINT64,
            retracted=UINT64,
        ),
    ),
    st.builds(PasswordChanged, UINT32, st.binary(max_size=32)),
    st.builds(Refused, UINT32, refusals()),
    st.builds(Ping),
    st.builds(Closing, st.sampled_from(CloseCode), TEXT),
)
EVENT_LISTS = st.lists(EVENTS, max_size=6)


def comparable(events: Sequence[Event]) -> list[object]:
    """The events, with refusals by what they say: exceptions are equal by identity."""
    return [
        (event.id, type(event.refusal), event.refusal.text, event.refusal.fields)
        if isinstance(event, Refused)
        else event
        for event in events
    ]


# The machine may be busy: how long an example takes is not what is tested.
law = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
every_codec = pytest.mark.parametrize("name", CODECS)


@every_codec
@law
@given(requests=REQUESTS)
def test_commands_come_back_as_they_were_written(
    name: str, requests: list[Request]
) -> None:
    frame = codec(name).encode_commands(requests)

    read = codec(name).decode_commands(frame)

    assert read == requests
    assert [type(it.command) for it in read] == [type(it.command) for it in requests]


@every_codec
@law
@given(events=EVENT_LISTS)
def test_events_come_back_as_they_were_written(name: str, events: list[Event]) -> None:
    frame = codec(name).encode_events(events)

    read = codec(name).decode_events(frame)

    assert comparable(read) == comparable(events)
    assert list(map(type, read)) == list(map(type, events))


@pytest.mark.parametrize("notation", [msgspec.json, msgspec.msgpack])
@law
@given(requests=REQUESTS, events=EVENT_LISTS)
def test_the_plain_way_and_the_general_way_read_the_same(
    notation: Notation, requests: list[Request], events: list[Event]
) -> None:
    maps = codec("json" if notation is msgspec.json else "msgpack")
    commands_frame = maps.encode_commands(requests)
    events_frame = maps.encode_events(events)

    general = ItemReader(notation)

    read = list(chain.from_iterable(general.read_commands(commands_frame)))
    assert read == maps.decode_commands(commands_frame)
    assert comparable(general.read_events(events_frame)) == comparable(
        maps.decode_events(events_frame)
    )


@pytest.mark.rule("W5")
@law
@given(requests=REQUESTS, events=EVENT_LISTS)
def test_json_frames_are_read_by_protobufs_own_json_mapping(
    requests: list[Request], events: list[Event]
) -> None:
    commands_frame = codec("json").encode_commands(requests)
    events_frame = codec("json").encode_events(events)

    commands = json_format.Parse(commands_frame, pb.ClientFrame())
    told = json_format.Parse(events_frame, pb.ServerFrame())

    binary = codec("protobuf")
    assert commands.SerializeToString() == binary.encode_commands(requests)
    read = binary.decode_events(told.SerializeToString())
    assert comparable(read) == comparable(events)


@pytest.mark.rule("W5")
@law
@given(requests=REQUESTS, events=EVENT_LISTS, by_schema_names=st.booleans())
def test_json_frames_of_protobufs_own_json_mapping_are_read(
    requests: list[Request], events: list[Event], *, by_schema_names: bool
) -> None:
    binary = codec("protobuf")
    commands = pb.ClientFrame.FromString(binary.encode_commands(requests))
    told = pb.ServerFrame.FromString(binary.encode_events(events))

    commands_frame = json_format.MessageToJson(
        commands, preserving_proto_field_name=by_schema_names
    )
    events_frame = json_format.MessageToJson(
        told, preserving_proto_field_name=by_schema_names
    )

    assert codec("json").decode_commands(commands_frame.encode()) == requests
    read = codec("json").decode_events(events_frame.encode())
    assert comparable(read) == comparable(events)


@pytest.mark.rule("W5")
@law
@given(requests=REQUESTS, events=EVENT_LISTS)
def test_json_writes_exactly_what_protobufs_own_json_mapping_writes(
    requests: list[Request], events: list[Event]
) -> None:
    binary = codec("protobuf")
    commands = pb.ClientFrame.FromString(binary.encode_commands(requests))
    told = pb.ServerFrame.FromString(binary.encode_events(events))

    ours = [
        json.loads(codec("json").encode_commands(requests)),
        json.loads(codec("json").encode_events(events)),
    ]

    assert ours == [json_format.MessageToDict(it) for it in (commands, told)]


@pytest.mark.rule("W2")
@law
@given(requests=REQUESTS, events=EVENT_LISTS)
def test_a_json_frame_is_one_line(requests: list[Request], events: list[Event]) -> None:
    frames = [
        codec("json").encode_commands(requests),
        codec("json").encode_events(events),
    ]

    assert not [frame for frame in frames if b"\n" in frame or b"\r" in frame]


@every_codec
@law
@given(frame=st.binary(max_size=200))
def test_whatever_the_bytes_are_only_broken_frame_is_raised(
    name: str, frame: bytes
) -> None:
    read_or_refuse(name, frame)


@every_codec
@law
@given(requests=REQUESTS, events=EVENT_LISTS, data=st.data())
def test_whatever_is_changed_in_a_frame_only_broken_frame_is_raised(
    name: str, requests: list[Request], events: list[Event], data: st.DataObject
) -> None:
    for frame in (
        codec(name).encode_commands(requests),
        codec(name).encode_events(events),
    ):
        at = data.draw(st.integers(0, len(frame)))
        until = data.draw(st.integers(at, min(at + 4, len(frame))))
        patch = data.draw(st.binary(max_size=4))

        read_or_refuse(name, frame[:at] + patch + frame[until:])


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | TEXT
    | st.binary(max_size=6)
)
FIELD_NAMES = st.sampled_from(
    [
        "id",
        *(
            name
            for kind in pb.DESCRIPTOR.message_types_by_name.values()
            for field in kind.fields
            for name in (field.name, field.json_name)
        ),
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(FIELD_NAMES | TEXT, inner, max_size=4)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", ["json", "msgpack"])
@law
@given(items=st.lists(st.dictionaries(FIELD_NAMES, TREES, max_size=4), max_size=3))
def test_whatever_the_maps_hold_each_command_gets_its_answer(
    name: str, items: list[dict[str, object]]
) -> None:
    notation = msgspec.json if name == "json" else msgspec.msgpack
    commands = notation.encode({"commands": items})
    events = notation.encode({"events": items})

    requests = codec(name).decode_commands(commands)
    read_or_refuse(name, events)

    assert len(requests) == len(items)


def read_or_refuse(name: str, frame: bytes) -> None:
    """Read a frame both ways; anything but ``BrokenFrame`` fails the test."""
    for read in (codec(name).decode_commands, codec(name).decode_events):
        with suppress(BrokenFrame):
            read(frame)
