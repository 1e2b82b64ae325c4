"""The schema and the chat's own values name the same things."""

from enum import IntEnum
from typing import get_args

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from chatcore.commands import (
    AlreadyRefused,
    Command,
    DeliveryMode,
    InboxAction,
    Malformed,
    OutboxAction,
    Unknown,
)
from chatcore.events import Event
from transports.codec import protobuf_commands, protobuf_events
from transports.codec._generated import chat_pb2 as pb


def members(oneof: str) -> dict[str, str]:
    """The members of a oneof of the schema, and the messages that they hold."""
    holder = pb.Command if oneof == "command" else pb.Event
    fields = holder.DESCRIPTOR.oneofs_by_name[oneof].fields
    return {it.name: it.message_type.name for it in fields if it.message_type}


def test_each_command_of_the_schema_has_a_class_and_the_other_way_round() -> None:
    read_only = {Unknown, Malformed, AlreadyRefused}

    classes = {it.__name__ for it in set(get_args(Command)) - read_only}

    assert set(members("command").values()) == classes


def test_each_event_of_the_schema_has_a_class_and_the_other_way_round() -> None:
    classes = {it.__name__ for it in get_args(Event)}

    assert set(members("event").values()) == classes


def test_each_member_of_the_schema_has_a_reader() -> None:
    assert set(protobuf_commands.CLASSES) == set(members("command"))
    assert set(protobuf_events.CLASSES) == set(members("event"))


@pytest.mark.parametrize(
    ("ours", "schemas"),
    [
        (DeliveryMode, pb.DeliveryMode),
        (InboxAction, pb.Inbox),
        (OutboxAction, pb.Outbox),
    ],
)
def test_enums_have_the_numbers_of_the_schema(
    ours: type[IntEnum], schemas: EnumTypeWrapper
) -> None:
    numbers = {name.rpartition("_")[2]: number for name, number in schemas.items()}

    assert numbers == {"UNSPECIFIED": 0} | {it.name: it.value for it in ours}
