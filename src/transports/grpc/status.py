"""Refusals and closings as gRPC knows them (E1): a status code, and rich details.

The details are a ``google.rpc.Status`` in the trailer ``grpc-status-details-bin``, with
an ``ErrorInfo`` (reason: the name of the refusal or close code; metadata: its number
and fields), for a request that is wrong in itself a ``BadRequest``, and where it helps
a ``RetryInfo``. Source: https://google.aip.dev/193.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from grpc.aio import ServicerContext

from chatcore import errors
from chatcore.errors import REFUSALS, CloseCode, Refusal
from transports.codec._generated import chat_pb2 as pb
from transports.errors import LinkClosed
from transports.grpc.answers import CommandRefused

DETAILS_KEY: Final = "grpc-status-details-bin"
CLOSE_KEY: Final = "chat-close-code"
_DOMAIN: Final = "chatcore"
_MS: Final = 1000

STATUS_OF: Final[Mapping[type[Refusal], StatusCode]] = {
    errors.MalformedCommand: StatusCode.INVALID_ARGUMENT,
    errors.UnknownCommand: StatusCode.UNIMPLEMENTED,
    errors.InvalidUsername: StatusCode.INVALID_ARGUMENT,
    errors.InvalidPassword: StatusCode.INVALID_ARGUMENT,
    errors.InvalidBody: StatusCode.INVALID_ARGUMENT,
    errors.InvalidPattern: StatusCode.INVALID_ARGUMENT,
    errors.InvalidKey: StatusCode.INVALID_ARGUMENT,
    errors.LimitFixed: StatusCode.INVALID_ARGUMENT,
    errors.InvalidProof: StatusCode.INVALID_ARGUMENT,
    errors.LoginRequired: StatusCode.UNAUTHENTICATED,
    errors.AlreadyLoggedIn: StatusCode.FAILED_PRECONDITION,
    errors.WrongCredentials: StatusCode.UNAUTHENTICATED,
    errors.AccountInUse: StatusCode.FAILED_PRECONDITION,
    errors.NameTaken: StatusCode.ALREADY_EXISTS,
    errors.SessionGone: StatusCode.UNAUTHENTICATED,
    errors.Fenced: StatusCode.ABORTED,
    errors.AccountsElsewhere: StatusCode.UNIMPLEMENTED,
    errors.RegistrationClosed: StatusCode.PERMISSION_DENIED,
    errors.InvitationRefused: StatusCode.PERMISSION_DENIED,
    errors.NoSuchAccount: StatusCode.NOT_FOUND,
    errors.ProofRequired: StatusCode.UNAUTHENTICATED,
    errors.ProofRefused: StatusCode.UNAUTHENTICATED,
    errors.ProofOfAnother: StatusCode.PERMISSION_DENIED,
    errors.PasswordsOnly: StatusCode.UNIMPLEMENTED,
    errors.NoSuchRecipient: StatusCode.NOT_FOUND,
    errors.MailboxFull: StatusCode.RESOURCE_EXHAUSTED,
    errors.MailboxClosing: StatusCode.UNAVAILABLE,
    errors.KeyReused: StatusCode.ALREADY_EXISTS,
    errors.KeyExpired: StatusCode.FAILED_PRECONDITION,
    errors.AcknowledgedTooMuch: StatusCode.OUT_OF_RANGE,
    errors.MailboxShare: StatusCode.RESOURCE_EXHAUSTED,
    errors.OtherAccount: StatusCode.FAILED_PRECONDITION,
    errors.DeletionStalled: StatusCode.ABORTED,
    errors.MailboxNotEmpty: StatusCode.FAILED_PRECONDITION,
    errors.Busy: StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: StatusCode.UNAVAILABLE,
    errors.OutcomeUnknown: StatusCode.UNKNOWN,
    errors.ShuttingDown: StatusCode.UNAVAILABLE,
    errors.TooManyOperations: StatusCode.RESOURCE_EXHAUSTED,
    errors.TooManyAttempts: StatusCode.RESOURCE_EXHAUSTED,
    errors.RateExceeded: StatusCode.RESOURCE_EXHAUSTED,
    errors.ApplicationUnavailable: StatusCode.UNAVAILABLE,
    errors.InternalError: StatusCode.INTERNAL,
}
"""The status of each refusal that the chat itself knows."""

_FIELD_OF: Final[Mapping[type[Refusal], str]] = {
    errors.InvalidUsername: "username",
    errors.InvalidPassword: "password",
    errors.InvalidBody: "body",
    errors.InvalidPattern: "pattern",
    errors.InvalidKey: "key",
    errors.LimitFixed: "limit",
    errors.InvalidProof: "proof",
}
"""The field of the request that a refusal is about."""

_ROOM_IS_SHORT: Final = frozenset(
    {CloseCode.OVERLOADED, CloseCode.TOO_MANY_CONNECTIONS}
)
"""What ends a call for want of room, here or later; UNAVAILABLE is the server's end."""


def status_of(code: int) -> StatusCode:
    """The status of a refusal's number; the embedding application has its own numbers
    (``chatcore.ports.SendPolicy``), which speak of its state.
    """
    known = REFUSALS.get(code)
    return StatusCode.FAILED_PRECONDITION if known is None else STATUS_OF[known]


def details_of(refused: pb.Refused) -> bytes:
    """The rich details of a refusal, for the trailer ``DETAILS_KEY``."""
    code = status_of(refused.code)
    details: list[Message] = [_error_info(refused.name, refused.code, refused.fields)]
    known = REFUSALS.get(refused.code)
    if known is not None and code is StatusCode.INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_FIELD_OF.get(known, ""), description=refused.text
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after_ms = int(refused.fields.get("retry_after_ms", "0"))
    if retry_after_ms:
        seconds, rest = divmod(retry_after_ms, _MS)
        delay = Duration(seconds=seconds, nanos=rest * 1_000_000)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return _packed(code, refused.text, details)


def status_of_closing(code: CloseCode) -> StatusCode:
    """The status that ends a stream of frames that was closed with this code."""
    if code in _ROOM_IS_SHORT:
        return StatusCode.RESOURCE_EXHAUSTED
    if code.may_reconnect:
        return StatusCode.UNAVAILABLE
    if code is CloseCode.FRAME_TOO_LARGE:
        return StatusCode.RESOURCE_EXHAUSTED
    if code is CloseCode.BROKEN_FRAME:
        return StatusCode.INVALID_ARGUMENT
    return StatusCode.FAILED_PRECONDITION


async def end_call(
    context: "ServicerContext[Any, Any]",  # whatever a method takes and answers
    error: CommandRefused | LinkClosed,
) -> NoReturn:
    """End a call with the status of a refusal, or of the end of its session."""
    if isinstance(error, CommandRefused):
        refused = error.refused
        await context.abort(
            status_of(refused.code),
            refused.text,
            ((DETAILS_KEY, details_of(refused)),),
        )
    code, number = status_of_closing(error.code), int(error.code)
    details = _packed(code, error.text, [_error_info(error.code.name, number, {})])
    await context.abort(
        code, error.text, ((CLOSE_KEY, str(number)), (DETAILS_KEY, details))
    )


def _error_info(
    reason: str, number: int, fields: Mapping[str, str]
) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(
        reason=reason, domain=_DOMAIN, metadata={**fields, "code": str(number)}
    )


def _packed(code: StatusCode, text: str, details: Sequence[Message]) -> bytes:
    number, _ = code.value
    status = status_pb2.Status(code=number, message=text)
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return bytes(status.SerializeToString())
