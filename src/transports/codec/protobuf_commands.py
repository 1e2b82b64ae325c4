"""Commands to and from their protobuf messages.

A member of the oneof has the name of its command in snake_case. The numbers of the
enums are the same on both sides; 0, which protobuf calls unspecified, is the default
of the command.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar, assert_never

from chatcore.commands import (
    Acknowledge,
    AlreadyRefused,
    ChangePassword,
    Command,
    Create,
    Delete,
    Deliver,
    DeliveryMode,
    InboxAction,
    List,
    Login,
    Logout,
    Malformed,
    OutboxAction,
    Pong,
    Resume,
    Send,
    Unknown,
)
from transports.codec._generated import chat_pb2 as pb

_MEMBERS: Final = tuple(
    field.name for field in pb.Command.DESCRIPTOR.oneofs_by_name["command"].fields
)
_TYPE_BITS: Final = 3
_ID_TAG: Final = pb.Command.ID_FIELD_NUMBER << _TYPE_BITS
_NUMBERS: Final[Mapping[int, str]] = {
    field.number: field.name for field in pb.Command.DESCRIPTOR.fields
}
_Value = TypeVar("_Value")

_DELIVERY: Final[Mapping[int, DeliveryMode]] = {0: DeliveryMode.PUSH} | {
    int(it): it for it in DeliveryMode
}
_INBOX: Final[Mapping[int, InboxAction]] = {0: InboxAction.DELIVER} | {
    int(it): it for it in InboxAction
}
_OUTBOX: Final[Mapping[int, OutboxAction]] = {0: OutboxAction.KEEP} | {
    int(it): it for it in OutboxAction
}


def read_command(item: pb.Command) -> Command:
    """The command in ``item``; ``Unknown`` or ``Malformed`` where there is none."""
    member = item.WhichOneof("command")
    if member == "send":  # first, since most are
        send = item.send
        return Send(send.recipient, send.body, send.key)
    if member is None:
        return _read_memberless(item)
    return _READERS[member](item)


def _read_memberless(item: pb.Command) -> Command:
    number = _first_unknown(item.SerializeToString())
    if number:
        if number in _NUMBERS:  # of a wire type that is not its own
            return Malformed(f"{_NUMBERS[number]}: expected what the schema says")
        return Unknown(f"field {number}")
    return Malformed(f"command: expected one of {', '.join(_MEMBERS)}")


def _not_in(field: str, values: Mapping[int, _Value]) -> Malformed:
    return Malformed(f"{field}: expected a number from {min(values)} to {max(values)}")


def _read_login(item: pb.Command) -> Command:
    login = item.login
    delivery = _DELIVERY.get(login.delivery)
    if delivery is None:
        return _not_in("login.delivery", _DELIVERY)
    return Login(
        username=login.username,
        password=login.password,
        create=login.create,
        delivery=delivery,
    )


def _read_delete(item: pb.Command) -> Command:
    delete = item.delete
    inbox = _INBOX.get(delete.inbox)
    if inbox is None:
        return _not_in("delete.inbox", _INBOX)
    outbox = _OUTBOX.get(delete.outbox)
    if outbox is None:
        return _not_in("delete.outbox", _OUTBOX)
    return Delete(
        username=delete.username,
        password=delete.password,
        inbox=inbox,
        outbox=outbox,
        dry_run=delete.dry_run,
        key=delete.key,
    )


def _read_resume(item: pb.Command) -> Command:
    resume = item.resume
    if not resume.delivery:
        return Resume(resume.token, resume.last_seen)
    delivery = _DELIVERY.get(resume.delivery)
    if delivery is None:
        return _not_in("resume.delivery", _DELIVERY)
    return Resume(resume.token, resume.last_seen, delivery)


def _first_unknown(encoded: bytes) -> int:
    """The number of the first field after the id; 0 when there is none.

    Read from the bytes, where what is unknown stands last: there may be hundreds of
    thousands of such fields, and protobuf would make an object of each (B2).
    """
    at, tag = 0, _ID_TAG
    while tag == _ID_TAG:
        if at >= len(encoded):
            return 0
        tag, at = _varint(encoded, at)
        if tag == _ID_TAG:
            _, at = _varint(encoded, at)
    return tag >> _TYPE_BITS


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    """A number in base 128, and where it ends (Protocol Buffers, Encoding)."""
    value = shift = 0
    while True:
        byte = encoded[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the bit that says that more follows
            return value, at
        shift += 7


_READERS: Final[Mapping[str, Callable[[pb.Command], Command]]] = {
    "create": lambda it: Create(it.create.username, it.create.password, it.create.key),
    "login": _read_login,
    "resume": _read_resume,
    "logout": lambda _: Logout(),
    "send": lambda it: Send(it.send.recipient, it.send.body, it.send.key),
    "acknowledge": lambda it: Acknowledge(it.acknowledge.position),
    "deliver": lambda _: Deliver(),
    "list": lambda it: List(it.list.pattern, it.list.after),
    "delete": _read_delete,
    "change_password": lambda it: ChangePassword(
        it.change_password.old, it.change_password.new
    ),
    "pong": lambda _: Pong(),
}


def write_command(number: int, command: Command, into: pb.Command) -> None:
    """Fill ``into``, which is empty.

    Raises:
        ValueError: the command is one that is only read, or holds what the schema does
            not.
    """
    into.id = number
    match command:
        case Send(recipient, body, key):  # first, since most are
            send = into.send
            send.recipient = recipient
            send.body = body
            send.key = key
        case Acknowledge(position):
            into.acknowledge.position = position
        case Create(username, password, key):
            into.create.MergeFrom(
                pb.Create(username=username, password=password, key=key)
            )
        case Login():
            into.login.MergeFrom(
                pb.Login(
                    username=command.username,
                    password=command.password,
                    create=command.create,
                    delivery=pb.DeliveryMode.Name(command.delivery),
                )
            )
        case Resume(token, last_seen, delivery):
            into.resume.MergeFrom(pb.Resume(token=token, last_seen=last_seen))
            if delivery is not None:
                into.resume.MergeFrom(
                    pb.Resume(delivery=pb.DeliveryMode.Name(delivery))
                )
        case Logout():
            into.logout.SetInParent()
        case Deliver():
            into.deliver.SetInParent()
        case List(pattern, after):
            into.list.MergeFrom(pb.List(pattern=pattern, after=after))
        case Delete():
            into.delete.MergeFrom(
                pb.Delete(
                    username=command.username,
                    password=command.password,
                    inbox=pb.Inbox.Name(command.inbox),
                    outbox=pb.Outbox.Name(command.outbox),
                    dry_run=command.dry_run,
                    key=command.key,
                )
            )
        case ChangePassword(old, new):
            into.change_password.MergeFrom(pb.ChangePassword(old=old, new=new))
        case Pong():
            into.pong.SetInParent()
        case Unknown() | Malformed() | AlreadyRefused():
            kind = type(command).__name__
            raise ValueError(f"{kind} is what a codec has read; it cannot be written")
        case _:
            assert_never(command)
