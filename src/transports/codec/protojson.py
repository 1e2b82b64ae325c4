"""The ProtoJSON mapping between protobuf messages and maps, driven by the schema (W5).

This is the general way, for any message. It reads every spelling that the mapping
allows: names in lowerCamelCase or as in the schema, integers as numbers or strings,
bytes as base64 of either alphabet with or without padding, enums by name or number,
null for a default; it ignores fields that it does not know. It writes the one
canonical spelling. In msgpack, bytes may also be bytes.

See https://protobuf.dev/programming-guides/json/. Unlike ``json_format``, whose
messages are for its own authors, it says which field is wrong and what it expects.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

Wide: TypeAlias = Callable[[int], int | str]
"""How a 64-bit integer is written: JSON has it as a string, since others read its
numbers as floats."""

_RANGES: Final[Mapping[int, range]] = {
    FieldDescriptor.TYPE_UINT32: range(2**32),
    FieldDescriptor.TYPE_UINT64: range(2**64),
    FieldDescriptor.TYPE_INT64: range(-(2**63), 2**63),
}
_WIDE_TYPES: Final = (FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_INT64)
_ENUM_NUMBERS: Final = range(-(2**31), 2**31)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_URL_SAFE: Final = str.maketrans("-_", "+/")


class Unreadable(ValueError):
    """A value that is not what the schema has at this place."""

    def __init__(self, path: str, expected: str) -> None:
        self.path = path
        self.expected = expected
        super().__init__(f"{path}: expected {expected}")


def descriptor_of(message: Message | type[Message]) -> Descriptor:
    """The description of a message's fields."""
    # The stubs tell protobuf's two implementations of this apart; nobody else does.
    return cast("Descriptor", message.DESCRIPTOR)


def field_named(kind: Descriptor, name: str) -> FieldDescriptor | None:
    """The field that ``name`` means in either spelling; None when there is none."""
    return kind.fields_by_name.get(name) or kind.fields_by_camelcase_name.get(name)


def fill(message: Message, value: object, path: str) -> None:
    """Set the fields of ``message`` from a map.

    Raises:
        Unreadable: at the first value that does not fit; ``message`` is half filled.
    """
    if not isinstance(value, dict):
        raise Unreadable(path, "an object")
    kind = descriptor_of(message)
    for name, item in value.items():
        field = field_named(kind, name) if type(name) is str else None
        if field is not None and item is not None:
            fill_field(message, field, item, f"{path}.{field.name}")


def fill_field(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> None:
    """Set one field of ``message`` from a value that is not null.

    Raises:
        Unreadable: as ``fill`` does.
    """
    if field.is_repeated:
        _fill_repeated(message, field, value, path)
    elif field.message_type is not None:
        inner: Message = getattr(message, field.name)
        inner.SetInParent()
        fill(inner, value, path)
    else:
        setattr(message, field.name, read_scalar(field, value, path))


def _fill_repeated(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> None:
    items = getattr(message, field.name)
    if _is_map(field):  # of strings to strings: the schema has no other
        if not isinstance(value, dict):
            raise Unreadable(path, "an object")
        for key, item in value.items():
            if not (isinstance(key, str) and isinstance(item, str)):
                raise Unreadable(path, "an object of strings")
            items[key] = item
        return
    if not isinstance(value, list):
        raise Unreadable(path, "an array")
    for index, item in enumerate(value):
        if field.message_type is not None:
            fill(items.add(), item, f"{path}[{index}]")
        else:
            items.append(read_scalar(field, item, f"{path}[{index}]"))


def read_scalar(
    field: FieldDescriptor, value: object, path: str
) -> bool | int | str | bytes:
    """One value of a field's type; an enum's by its number.

    Raises:
        Unreadable: it is of another type, or out of range.
    """
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            if isinstance(value, str):
                return value
            raise Unreadable(path, "a string")
        case FieldDescriptor.TYPE_BOOL:
            if isinstance(value, bool):
                return value
            raise Unreadable(path, "true or false")
        case FieldDescriptor.TYPE_BYTES:
            return _read_bytes(value, path)
        case FieldDescriptor.TYPE_ENUM if field.enum_type is not None:
            return _read_enum(field.enum_type, value, path)
        case _:
            allowed = _RANGES[field.type]
            number = _read_integer(value)
            if number is None or number not in allowed:
                bounds = f"{allowed.start} to {allowed.stop - 1}"
                raise Unreadable(path, f"an integer from {bounds}")
            return number


def _read_integer(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if _DECIMAL.fullmatch(value):
            return int(value)
        case _:
            return None


def _read_bytes(value: object, path: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        digits = value.translate(_URL_SAFE)
        try:
            return b64decode(digits + "=" * (-len(digits) % 4), validate=True)
        except ValueError as error:
            raise Unreadable(path, "bytes in base64") from error
    raise Unreadable(path, "bytes in base64")


def _read_enum(kind: EnumDescriptor, value: object, path: str) -> int:
    if isinstance(value, str) and value in kind.values_by_name:
        return kind.values_by_name[value].number
    number = None if isinstance(value, str) else _read_integer(value)
    if number is None or number not in _ENUM_NUMBERS:
        raise Unreadable(path, f"one of {', '.join(kind.values_by_name)}")
    return number  # one that is not in the schema is for its reader to refuse


def to_map(message: Message, wide: Wide) -> dict[str, object]:
    """The canonical map of a message, without what has its default value.

    Bytes stay bytes: what writes the map has its own form of them.
    """
    return {
        field.json_name: _write_field(field, value, wide)
        for field, value in message.ListFields()
    }


def _write_field(field: FieldDescriptor, value: object, wide: Wide) -> object:
    if not field.is_repeated:
        return _write_value(field, value, wide)
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, Iterable):
        raise TypeError(f"{field.full_name} is repeated but {value!r} is not")
    return [_write_value(field, item, wide) for item in value]


def _write_value(field: FieldDescriptor, value: object, wide: Wide) -> object:
    if isinstance(value, Message):
        return to_map(value, wide)
    if field.enum_type is not None and isinstance(value, int):
        return field.enum_type.values_by_number[value].name
    if field.type in _WIDE_TYPES and isinstance(value, int):
        return wide(value)
    return value


def _is_map(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and kind.GetOptions().map_entry
