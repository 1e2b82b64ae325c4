"""Every refusal and close code as gRPC tells it: a status, and rich details."""

import re
from collections.abc import Sequence
from typing import Final

import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from grpc.aio import AioRpcError

from chatcore.commands import Send
from chatcore.errors import REFUSALS, CloseCode, Refusal
from chatcore.ids import Username
from tests.interop.servers import serving
from tests.unit.transports.grpc.stub import URL, calling, detail_of, number_of
from transports.codec._generated import chat_pb2 as pb
from transports.grpc.status import STATUS_OF, details_of, status_of, status_of_closing

FIELDS: Final[dict[str, str | int]] = {
    "bytes": 3,
    "maximum": 1024,
    "position": 9,
    "reason": "it is so",
    "recipient": "bob",
    "retry_after_ms": 1500,
}


class Refusing:
    """A policy that refuses each message with the refusal that its body numbers."""

    async def judge(
        self, _sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        return [numbered(int(it.body)) for it in sends]


class TooChatty(Refusal):
    """An embedding application's own."""

    code = 9001
    template = "At most {most} messages a minute."


def numbered(code: int) -> Refusal:
    return TooChatty(most=2) if code == TooChatty.code else REFUSALS[code](**FIELDS)


@pytest.mark.rule("E1", "W4")
def test_every_refusal_has_a_status_of_its_own_choice() -> None:
    assert set(STATUS_OF) == set(REFUSALS.values())
    assert not {StatusCode.OK, StatusCode.CANCELLED} & set(STATUS_OF.values())


@pytest.mark.rule("E1", "W4")
@pytest.mark.parametrize("code", [*sorted(REFUSALS), TooChatty.code])
async def test_a_refusal_reaches_a_caller_with_its_number_name_and_fields(
    code: int,
) -> None:
    refusal = numbered(code)
    async with serving(URL, policy=Refusing()) as server, calling(server) as stub:
        session = await stub.login("ada")
        with pytest.raises(AioRpcError) as refused:
            await stub.send(session.token, "ada", str(code))

    error = refused.value
    info = detail_of(error, error_details_pb2.ErrorInfo)
    assert info is not None
    assert error.code() is status_of(code)
    assert error.details() == refusal.text
    assert (info.reason, info.domain) == (refusal.name, "chatcore")
    assert info.metadata == {**refusal.fields, "code": str(code)}


@pytest.mark.rule("E1")
def test_a_request_that_is_wrong_in_itself_names_its_field() -> None:
    wrong = {code for code in REFUSALS if 110 <= code < 200}

    for code in wrong:
        refused = pb.Refused(code=code, text="why")
        (_, packed) = status_pb2.Status.FromString(details_of(refused)).details
        bad_request = error_details_pb2.BadRequest()
        assert packed.Unpack(bad_request)
        (violation,) = bad_request.field_violations
        assert violation.description == "why"
        assert re.fullmatch(
            "username|password|body|pattern|key|limit|proof", violation.field
        )


@pytest.mark.rule("E1")
async def test_a_busy_server_says_when_to_come_again() -> None:
    async with serving(URL, policy=Refusing()) as server, calling(server) as stub:
        session = await stub.login("ada")
        with pytest.raises(AioRpcError) as refused:
            await stub.send(session.token, "ada", "500")

    retry = detail_of(refused.value, error_details_pb2.RetryInfo)
    assert retry is not None
    assert retry.retry_delay.ToMilliseconds() == 1500


@pytest.mark.rule("E1")
async def test_a_name_that_is_bad_is_named_as_the_field() -> None:
    async with serving(URL) as server, calling(server) as stub:
        with pytest.raises(AioRpcError) as refused:
            await stub.login("a*")

    assert refused.value.code() is StatusCode.INVALID_ARGUMENT
    assert number_of(refused.value) == 110
    bad_request = detail_of(refused.value, error_details_pb2.BadRequest)
    assert bad_request is not None
    assert [it.field for it in bad_request.field_violations] == ["username"]


@pytest.mark.rule("E2")
@pytest.mark.parametrize("code", list(CloseCode))
def test_a_code_that_allows_to_come_back_is_unavailable_or_exhausted(
    code: CloseCode,
) -> None:
    room_is_short = {CloseCode.OVERLOADED, CloseCode.TOO_MANY_CONNECTIONS}

    status = status_of_closing(code)

    assert (status is StatusCode.UNAVAILABLE) == (
        code.may_reconnect and code not in room_is_short
    )
    if code in room_is_short:
        assert status is StatusCode.RESOURCE_EXHAUSTED
