"""Values and protobuf messages that have the same fields.

A member of the schema's oneofs has the name of its command or event in snake_case, and
holds a message of the class's own name, whose fields are the class's. So the kinds that
are rare are copied by the schema; those that are frequent, or differ, are written out.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from google.protobuf.message import Message

from transports.codec.protojson import descriptor_of


def classes_of(
    holder: type[Message], oneof: str, module: ModuleType
) -> Mapping[str, Any]:
    """The classes that ``module`` has for the members of a oneof, by their names."""
    members = descriptor_of(holder).oneofs_by_name[oneof].fields
    kinds = {it.name: it.message_type for it in members}
    return {name: getattr(module, it.name) for name, it in kinds.items() if it}


def values_of(message: Message) -> dict[str, Any]:
    """What each field holds, its default too; several as a tuple."""
    return {
        field.name: tuple(value) if field.is_repeated else value
        for field in descriptor_of(message).fields
        for value in [getattr(message, field.name)]
    }


def fill_from(value: object, message: Message) -> None:
    """Fill ``message``, which is empty, from the attributes of its fields' names.

    What is None is left out.

    Raises:
        ValueError: one of them holds what the schema does not.
    """
    fields = (field.name for field in descriptor_of(message).fields)
    given = {name: getattr(value, name) for name in fields}
    present = {name: it for name, it in given.items() if it is not None}
    message.SetInParent()
    message.MergeFrom(type(message)(**present))
