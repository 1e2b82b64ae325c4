"""What the request of a call says, and the command that it means."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from chatcore.errors import MalformedCommand
from transports.codec._generated import chat_pb2 as pb
from transports.grpc.answers import CommandRefused

_Asked = TypeVar("_Asked", bound=Message)


def read_request(kind: type[_Asked], request: bytes) -> _Asked:
    """A request of this kind; raises ``CommandRefused`` when it is none."""
    try:
        return kind.FromString(request)
    except DecodeError as error:
        refusal = MalformedCommand(reason=f"it is not a {kind.DESCRIPTOR.full_name}")
        raise CommandRefused(
            pb.Refused(
                code=refusal.code,
                name=refusal.name,
                text=refusal.text,
                fields=refusal.fields,
            )
        ) from error


def command_of(name: str, request: Message) -> pb.Command:
    """The command of this name with the fields of a request."""
    command = pb.Command()
    getattr(command, name).CopyFrom(request)
    getattr(command, name).SetInParent()  # also when it has no field set
    return command
