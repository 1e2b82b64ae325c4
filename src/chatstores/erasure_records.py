"""Records of an erasure log: a JSON object a line, each chained to the one before.

::

    {"sequence": 1, "at_ms": …, "erase": 7, "inbox": "discard", "outbox": "keep",
     "key": "…", "before": "…", "digest": "…"}

``digest`` is of the rest of the line, and ``before`` is the digest of the record
before: so a record that is missing, changed or out of place is seen. ``erase`` is the
account's id; no name is in it. A log begins with ``begin``, the identity of its
database, and a deletion that was not carried out is withdrawn by a later record with
its number, ``withdraw``.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

from chatcore.ids import NO_KEY, AccountId, IdempotencyKey
from chatcore.model import Erasure, LogMark

_DIGEST_BYTES: Final = 16

Fields: TypeAlias = dict[str, str | int]


class BadRecord(ValueError):
    """A line that is no record, or not as it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the log.

    ``begins`` is the identity of a database, ``withdraws`` the number of an earlier
    record; where neither they nor ``erasure`` are set it only takes a number.
    """

    mark: LogMark
    before: bytes
    begins: bytes = b""
    erasure: Erasure | None = None
    withdraws: int = 0


def encode(
    before: LogMark,
    *,
    at_ms: int,
    begins: bytes = b"",
    erasure: Erasure | None = None,
    withdraws: int = 0,
) -> tuple[bytes, LogMark]:
    """The line after ``before``, and its own mark. A first one keeps the number."""
    sequence = before.sequence if begins else before.sequence + 1
    fields: Fields = {"sequence": sequence, "at_ms": at_ms}
    if begins:
        fields["begin"] = begins.hex()
    elif erasure is not None:
        fields["erase"] = erasure.account
        fields["inbox"] = "discard" if erasure.discard else "deliver"
        fields["outbox"] = "retract" if erasure.retract else "keep"
        if erasure.key:
            fields["key"] = erasure.key.hex()
    else:
        fields["withdraw"] = withdraws
    fields["before"] = before.digest.hex()
    digest = _digest(fields)
    line = json.dumps(fields | {"digest": digest.hex()}) + "\n"
    return line.encode("ascii"), LogMark(sequence, digest)


def decode(line: bytes) -> Record:
    """A line as it was written; raises ``BadRecord``."""
    try:
        fields = json.loads(line)
        digest = bytes.fromhex(fields.pop("digest"))
        if _digest(fields) != digest:
            raise BadRecord("its digest is not its own")
        return Record(
            mark=LogMark(int(fields["sequence"]), digest),
            before=bytes.fromhex(fields["before"]),
            begins=bytes.fromhex(fields.get("begin", "")),
            erasure=_erasure(fields),
            withdraws=int(fields.get("withdraw", 0)),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadRecord(str(error)) from error


def _erasure(fields: Fields) -> Erasure | None:
    if "erase" not in fields:
        return None
    key = fields.get("key")
    return Erasure(
        account=AccountId(int(fields["erase"])),
        discard={"discard": True, "deliver": False}[str(fields["inbox"])],
        retract={"retract": True, "keep": False}[str(fields["outbox"])],
        key=IdempotencyKey(bytes.fromhex(str(key))) if key else NO_KEY,
        at_ms=int(fields["at_ms"]),
    )


def _digest(fields: Fields) -> bytes:
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("ascii")).digest()[:_DIGEST_BYTES]
