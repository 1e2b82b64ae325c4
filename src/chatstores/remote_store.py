"""A store that is carried out elsewhere: its calls and their answers, as JSON.

For a database that runs code of ours, such as Redis its Lua, and for a store behind a
service of one's own: whoever writes one there writes each method of the port in the
language of that place, and here only how a batch of them gets there.
"""

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from chatcore.errors import StoreUnavailable
from chatcore.ids import AccountId, Epoch, Position
from chatcore.store import Store
from chatstores.group_commit import GroupCommit


class CallFailed(Exception):
    """A call that met a fault where it was carried out, and its reason there."""


class RemoteStore(ABC):
    """Every method of ``chatcore.store.Store``, by one coroutine.

    A subclass sets ``durable``.
    """

    durable: bool
    starts_at_once = True

    def __init__(self) -> None:
        self._queue = GroupCommit[str](self._commit)

    @abstractmethod
    async def carry_out(self, calls: str) -> str:
        """Do these calls in their order, in one transaction, and answer each.

        ``calls`` is an array of ``[NAME, ARGUMENT, …]``: methods of the port, their
        arguments in its order. Answers an array with an object for each: ``{"answer":
        …}``, or where it alone was not done, ``{"refused": REASON}`` when it has
        changed nothing, ``{"failed": REASON}`` when that is a fault.

        Bytes are in hexadecimal. A named tuple is an array, any other value an object
        with the names of its fields. In answers a named tuple may be an object, too;
        what else an object has is left out, and an empty one may stand for an empty
        array. ``acknowledge`` answers whether it has changed anything.

        Raises ``StoreUnavailable`` when nothing was done. After anything else that it
        raises the outcome is unknown.
        """

    def acknowledge(
        self,
        account: AccountId,
        epoch: Epoch,
        position: Position,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """See ``chatcore.store.Store``."""
        call = _encoded(["acknowledge", account, epoch, position])
        self._queue.tell(call, committed)

    async def flush(self) -> None:
        """See ``chatcore.store.Store``."""
        await self._queue.ask(_encoded(["horizon"]))

    async def close(self) -> None:
        """Commit what waits."""
        await self._queue.close()

    async def _commit(self, calls: Sequence[str]) -> Sequence[object]:
        answers = json.loads(await self.carry_out(f"[{','.join(calls)}]"))
        return [_answer(it) for it in answers]


def _answer(found: Mapping[str, Any]) -> object:
    """What a call was answered, or what it is to raise."""
    if "refused" in found:
        return StoreUnavailable(reason=found["refused"])
    return CallFailed(found["failed"]) if "failed" in found else found.get("answer")


def _method(name: str) -> Callable[..., Awaitable[object]]:
    """The method of the port that has this name."""
    ported = getattr(Store, name)
    parameters = inspect.signature(ported)
    answered = get_type_hints(ported)["return"]

    async def call(self: RemoteStore, *args: object, **named: object) -> object:
        bound = parameters.bind(self, *args, **named)
        bound.apply_defaults()
        _, *arguments = bound.arguments.values()
        return read_as(answered, await self._queue.ask(_encoded([name, *arguments])))

    return call


for _name, _found in vars(Store).items():
    if inspect.iscoroutinefunction(_found) and _name != "flush":
        setattr(RemoteStore, _name, _method(_name))


def _encoded(call: Sequence[object]) -> str:
    """A call as it is sent; raises ``UnicodeError`` for a text that is none."""
    text = json.dumps(call, default=_plain, ensure_ascii=False)
    text.encode()
    return text


def _plain(value: Any) -> object:  # noqa: ANN401  # a dataclass of the port, or bytes
    return value.hex() if isinstance(value, bytes) else asdict(value)


def read_as(kind: Any, found: Any) -> object:  # noqa: ANN401  # a type, and any JSON
    """JSON as a type of the port."""
    kind = getattr(kind, "__supertype__", kind)  # of a NewType
    parts = get_args(kind)
    if found is None or kind in {bool, int, str}:
        return found
    if kind is bytes:
        return bytes.fromhex(found)
    if get_origin(kind) in {Union, UnionType}:
        return read_as(next(it for it in parts if _fits(it, found)), found)
    if get_origin(kind) is tuple and parts[-1] is not ...:
        return tuple(map(read_as, parts, found))
    if parts:
        items = [read_as(parts[0], it) for it in found]
        return tuple(items) if parts[-1] is ... else items
    if isinstance(found, int):
        return kind(found)
    fields = _fields_of(kind)
    named = found if isinstance(found, dict) else dict(zip(fields, found, strict=True))
    return kind(**{it: read_as(fields[it], named[it]) for it in fields if it in named})


def _fits(kind: object, found: object) -> bool:
    """Whether this part of a union is what was found."""
    fields = _fields_of(kind).keys()
    if isinstance(found, dict):
        return fields <= found.keys()
    return isinstance(found, list) == bool(fields)


@cache
def _fields_of(kind: object) -> dict[str, object]:
    """The fields of a named tuple, or of a dataclass, with their types."""
    is_tuple = isinstance(kind, type) and issubclass(kind, tuple)
    return get_type_hints(kind) if is_tuple or is_dataclass(kind) else {}
