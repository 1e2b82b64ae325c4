"""Refusals and closings as gRPC knows them (E1): a status code, and rich details.

The details are a ``google.rpc.Status`` in the trailer ``grpc-status-details-bin``, with
an ``ErrorInfo`` (reason: the refusal's name; metadata: its number and fields), for a
request that is wrong in itself a ``BadRequest``, and where it helps a ``RetryInfo``.
Source: https://google.aip.dev/193.
"""

from collections.abc import Mapping
from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from chatcore import errors
from chatcore.errors import CloseCode, Refusal

DETAILS_KEY: Final = "grpc-status-details-bin"
CLOSE_KEY: Final = "chat-close-code"
_DOMAIN: Final = "chatcore"
_MS: Final = 1000

_STATUS_OF: Final[Mapping[type[Refusal], StatusCode]] = {
    errors.MalformedCommand: StatusCode.INVALID_ARGUMENT,
    errors.UnknownCommand: StatusCode.UNIMPLEMENTED,
    errors.InvalidUsername: StatusCode.INVALID_ARGUMENT,
    errors.InvalidPassword: StatusCode.INVALID_ARGUMENT,
    errors.InvalidBody: StatusCode.INVALID_ARGUMENT,
    errors.InvalidPattern: StatusCode.INVALID_ARGUMENT,
    errors.InvalidKey: StatusCode.INVALID_ARGUMENT,
    errors.LoginRequired: StatusCode.UNAUTHENTICATED,
    errors.AlreadyLoggedIn: StatusCode.FAILED_PRECONDITION,
    errors.WrongCredentials: StatusCode.UNAUTHENTICATED,
    errors.AccountInUse: StatusCode.FAILED_PRECONDITION,
    errors.NameTaken: StatusCode.ALREADY_EXISTS,
    errors.SessionGone: StatusCode.UNAUTHENTICATED,
    errors.Fenced: StatusCode.ABORTED,
    errors.AccountsElsewhere: StatusCode.UNIMPLEMENTED,
    errors.NoSuchRecipient: StatusCode.NOT_FOUND,
    errors.MailboxFull: StatusCode.RESOURCE_EXHAUSTED,
    errors.MailboxClosing: StatusCode.UNAVAILABLE,
    errors.KeyReused: StatusCode.ALREADY_EXISTS,
    errors.KeyExpired: StatusCode.FAILED_PRECONDITION,
    errors.AcknowledgedTooMuch: StatusCode.OUT_OF_RANGE,
    errors.OtherAccount: StatusCode.FAILED_PRECONDITION,
    errors.DeletionStalled: StatusCode.ABORTED,
    errors.Busy: StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: StatusCode.UNAVAILABLE,
    errors.OutcomeUnknown: StatusCode.UNKNOWN,
    errors.ShuttingDown: StatusCode.UNAVAILABLE,
    errors.TooManyOperations: StatusCode.RESOURCE_EXHAUSTED,
    errors.InternalError: StatusCode.INTERNAL,
}

_FIELD_OF: Final[Mapping[type[Refusal], str]] = {
    errors.InvalidUsername: "username",
    errors.InvalidPassword: "password",
    errors.InvalidBody: "body",
    errors.InvalidPattern: "pattern",
    errors.InvalidKey: "key",
}
"""The field of the request that a refusal is about."""


def status_of(refusal: Refusal) -> StatusCode:
    """The status code of a refusal."""
    return _STATUS_OF.get(type(refusal), StatusCode.UNKNOWN)


def details_of(refusal: Refusal) -> bytes:
    """The rich details of a refusal, for the trailer ``DETAILS_KEY``."""
    number, _ = status_of(refusal).value
    status = status_pb2.Status(code=number, message=refusal.text)
    _add(
        status,
        error_details_pb2.ErrorInfo(
            reason=refusal.name,
            domain=_DOMAIN,
            metadata={"code": str(refusal.code), **refusal.fields},
        ),
    )
    if status_of(refusal) is StatusCode.INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_FIELD_OF.get(type(refusal), ""), description=refusal.text
        )
        _add(status, error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after_ms = int(refusal.fields.get("retry_after_ms", "0"))
    if retry_after_ms:
        seconds, rest = divmod(retry_after_ms, _MS)
        delay = Duration(seconds=seconds, nanos=rest * 1_000_000)
        _add(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return bytes(status.SerializeToString())


def status_of_closing(code: CloseCode) -> StatusCode:
    """The status that ends a stream of frames that was closed with this code."""
    if code.may_reconnect:
        return StatusCode.UNAVAILABLE
    if code is CloseCode.FRAME_TOO_LARGE:
        return StatusCode.RESOURCE_EXHAUSTED
    if code is CloseCode.BROKEN_FRAME:
        return StatusCode.INVALID_ARGUMENT
    return StatusCode.FAILED_PRECONDITION


def _add(status: status_pb2.Status, detail: Message) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)
