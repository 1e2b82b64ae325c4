"""Unary and streaming calls: one request, its answer, or its refusal (W4)."""

import asyncio

import pytest
from google.rpc import error_details_pb2
from grpc import StatusCode
from grpc.aio import AioRpcError

from chatcore import Limits
from chatcore.commands import List
from chatcore.events import Delivered, Listed
from chatcore.limits import KIB, MIB
from tests.interop.servers import PASSWORD, serving
from tests.unit.transports.grpc.stub import (
    URL,
    calling,
    detail_of,
    number_of,
    read_mail,
    read_rest,
)
from transports.codec._generated import chat_pb2 as pb


@pytest.mark.rule("W4", "A3")
async def test_an_account_can_be_made_once() -> None:
    async with serving(URL) as server, calling(server) as stub:
        request = pb.Create(username="Ada", password=PASSWORD)
        created = await stub.call("CreateAccount", request, pb.Created)
        with pytest.raises(AioRpcError) as refused:
            await stub.call("CreateAccount", request, pb.Created)

    assert (created.account, created.username) == (1, "ada")
    assert refused.value.code() is StatusCode.ALREADY_EXISTS
    assert number_of(refused.value) == 204


@pytest.mark.rule("W4", "M1")
async def test_a_message_is_sent_and_has_its_receipt() -> None:
    async with serving(URL) as server, calling(server) as stub:
        session = await stub.login("ada")
        request = pb.Send(recipient="ada", body="hello")
        receipt = await stub.call("Send", request, pb.Accepted, token=session.token)

    assert (receipt.recipient_id, receipt.position) == (session.account, 1)
    assert receipt.sent_at_ms


@pytest.mark.rule("W4", "M4", "M7")
async def test_mail_is_delivered_until_all_of_it_is_acknowledged() -> None:
    async with serving(URL) as server, calling(server) as stub:
        session = await stub.login("ada")
        await stub.send(session.token, "ada", "one", "two", "three")

        call = stub.deliver(session.token)
        mail = await read_mail(call, 3)
        await stub.acknowledge(session.token, 3)
        events = await read_rest(call)

        assert [it.body for it in mail] == ["one", "two", "three"]
        assert [it.follows for it in mail] == [0, 1, 2]
        assert events == [pb.Event(delivery_finished=pb.DeliveryFinished(messages=3))]
        assert await call.code() is StatusCode.OK


@pytest.mark.rule("M4", "W4")
async def test_an_acknowledgement_is_answered_whether_it_is_new_or_old() -> None:
    async with serving(URL) as server, calling(server) as stub:
        session = await stub.login("ada")
        await stub.send(session.token, "ada", "one", "two")
        call = stub.deliver(session.token)
        await read_mail(call, 2)

        await stub.acknowledge(session.token, 1)
        await stub.acknowledge(session.token, 1)
        with pytest.raises(AioRpcError) as refused:
            await stub.acknowledge(session.token, 3)

    assert refused.value.code() is StatusCode.OUT_OF_RANGE
    info = detail_of(refused.value, error_details_pb2.ErrorInfo)
    assert info is not None
    assert (info.metadata["position"], info.metadata["delivered"]) == ("3", "2")


@pytest.mark.rule("D1", "D2", "W4")
async def test_a_deletion_delivers_first_and_ends_with_its_receipt() -> None:
    delete = pb.Delete(username="ada", password=PASSWORD)
    async with serving(URL) as server, calling(server) as stub:
        session = await stub.login("ada")
        await stub.send(session.token, "ada", "last words")

        call = stub.stream("DeleteAccount", delete, pb.Event, token=session.token)
        mail = await read_mail(call, 1)
        await stub.acknowledge(session.token, 1)
        events = await read_rest(call)

        assert mail[0].body == "last words"
        assert events == [pb.Event(deleted=pb.Deleted(delivered=1))]
        assert list(await stub.names((await stub.login("eve")).token)) == ["eve"]


@pytest.mark.rule("D2", "D5", "W4")
async def test_a_deletion_that_discards_needs_no_session() -> None:
    delete = pb.Delete(
        username="ada", password=PASSWORD, inbox=pb.INBOX_DISCARD, dry_run=True
    )
    async with serving(URL) as server, calling(server) as stub:
        session = await stub.login("ada")
        await stub.send(session.token, "ada", "never read")
        await stub.call("Logout", pb.Logout(), pb.LoggedOut, token=session.token)

        for is_dry in (True, False):
            delete.dry_run = is_dry
            call = stub.stream("DeleteAccount", delete, pb.Event)
            (event,) = await read_rest(call)
            assert event.deleted == pb.Deleted(dry_run=is_dry, discarded=1)


@pytest.mark.rule("A6", "S4", "W4")
async def test_a_password_is_changed_and_a_session_ended() -> None:
    change = pb.ChangePassword(old=PASSWORD, new="battery staple")
    login = pb.Login(username="ada", password="battery staple")
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token

        changed = await stub.call(
            "ChangePassword", change, pb.PasswordChanged, token=token
        )
        token = changed.token
        await stub.call("Logout", pb.Logout(), pb.LoggedOut, token=token)
        with pytest.raises(AioRpcError) as gone:
            await stub.send(token, "ada", "hello")

        assert number_of(gone.value) == 205
        assert (await stub.call("Login", login, pb.LoggedIn)).username == "ada"


@pytest.mark.rule("S2", "W4")
async def test_a_session_of_calls_never_gets_mail_pushed() -> None:
    login = pb.Login(
        username="ada",
        password=PASSWORD,
        create=True,
        delivery=pb.DELIVERY_MODE_PUSH,
    )
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.call("Login", login, pb.LoggedIn)).token
        await stub.send((await stub.login("eve")).token, "ada", "waits")

        async with server.peer() as peer:
            await peer.resume(token)
            await peer.tell(List())
            events = [await peer.next() for _ in range(2)]

        assert isinstance(events[-1], Listed)
        assert not any(isinstance(it, Delivered) for it in events)


# ---- refusals


@pytest.mark.rule("S4", "E1")
@pytest.mark.parametrize("method", ["Send", "Logout", "Acknowledge", "ListAccounts"])
async def test_a_call_without_a_session_is_refused(method: str) -> None:
    async with serving(URL) as server, calling(server) as stub:
        with pytest.raises(AioRpcError) as refused:
            await stub.call(method, b"", pb.Accepted)

    assert refused.value.code() is StatusCode.UNAUTHENTICATED
    assert number_of(refused.value) == 200


@pytest.mark.rule("S3", "E1")
async def test_a_token_that_nobody_gave_is_refused() -> None:
    async with serving(URL) as server, calling(server) as stub:
        with pytest.raises(AioRpcError) as refused:
            await stub.send(b"x" * 32, "ada", "hello")

    assert refused.value.code() is StatusCode.UNAUTHENTICATED
    assert number_of(refused.value) == 205


@pytest.mark.rule("E1", "E2")
@pytest.mark.parametrize("method", ["CreateAccount", "Acknowledge", "Deliver"])
async def test_bytes_that_are_no_request_are_refused(method: str) -> None:
    async with serving(URL) as server, calling(server) as stub:
        with pytest.raises(AioRpcError) as refused:
            await stub.call(method, b"\xff\xff", pb.Created)

    assert refused.value.code() is StatusCode.INVALID_ARGUMENT
    assert number_of(refused.value) == 100


@pytest.mark.rule("M6", "W4")
async def test_a_body_over_its_limit_is_refused_as_on_other_transports() -> None:
    async with serving(URL) as server, calling(server) as stub:
        session = await stub.login("ada")
        with pytest.raises(AioRpcError) as refused:
            await stub.send(session.token, "ada", "x" * (64 * KIB + 1))
        await stub.send(session.token, "ada", "x" * (64 * KIB))

    assert refused.value.code() is StatusCode.INVALID_ARGUMENT
    assert number_of(refused.value) == 112


@pytest.mark.rule("W6", "W4")
@pytest.mark.parametrize("over_bytes", [MIB, 0])
async def test_a_request_over_the_limit_is_refused_and_harms_no_other_call(
    over_bytes: int,
) -> None:
    request = pb.Send(recipient="ada")
    request.body = "x" * (MIB + over_bytes - request.ByteSize() - 4)
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "hello")
        call = stub.deliver(token)
        await read_mail(call, 1)

        with pytest.raises(AioRpcError) as refused:
            await stub.call("Send", request, pb.Accepted, token=token)

        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
        await stub.acknowledge(token, 1)
        (finished,) = await read_rest(call)
        assert finished.delivery_finished.messages == 1


@pytest.mark.rule("W8", "W4")
async def test_a_session_has_so_many_operations_at_once_and_no_more() -> None:
    limits = Limits(operations=3)
    async with serving(URL, limits=limits) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "hello")
        running = [stub.deliver(token) for _ in range(3)]
        for call in running:
            await read_mail(call, 1)

        with pytest.raises(AioRpcError) as refused:
            await stub.deliver(token).read()
        await stub.acknowledge(token, 1)

        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
        assert number_of(refused.value) == 504
        for call in running:
            (finished,) = await read_rest(call)
            assert finished.delivery_finished.messages == 1


@pytest.mark.rule("W8", "M4")
async def test_a_call_delivers_no_more_than_the_window() -> None:
    limits = Limits(window_messages=4)
    async with serving(URL, limits=limits) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", *"0123456")
        call = stub.deliver(token)

        mail = await read_mail(call, 4)
        nothing_yet = asyncio.ensure_future(call.read())  # noqa: TID251  # awaited below
        await stub.names(token)
        assert not nothing_yet.done()
        await stub.acknowledge(token, 4)
        fifth = await nothing_yet

        assert [it.body for it in mail] == list("0123")
        assert isinstance(fifth, pb.Event)
        assert fifth.delivered.body == "4"
        call.cancel()


# ---- versions


@pytest.mark.rule("W1")
@pytest.mark.parametrize(
    "method", ["/chat.v2.Chat/Login", "/chat.v1beta1.Chat/Send", "/chat.v1.Other/Send"]
)
async def test_another_version_is_refused_with_the_one_that_is_spoken(
    method: str,
) -> None:
    async with serving(URL) as server, calling(server) as stub:
        with pytest.raises(AioRpcError) as refused:
            await stub.call(method, b"\x0a\x03ada", pb.LoggedIn)

    assert refused.value.code() is StatusCode.FAILED_PRECONDITION
    assert "chat.v1.Chat" in (refused.value.details() or "")
    assert number_of(refused.value) == 4502


@pytest.mark.rule("W1", "E3")
@pytest.mark.parametrize("method", ["/chat.v1.Chat/Dance", "/mail.v1.Mail/Send"])
async def test_what_is_no_other_version_is_not_implemented(method: str) -> None:
    async with serving(URL) as server, calling(server) as stub:
        with pytest.raises(AioRpcError) as refused:
            await stub.call(method, b"", pb.Accepted)

    assert refused.value.code() is StatusCode.UNIMPLEMENTED
