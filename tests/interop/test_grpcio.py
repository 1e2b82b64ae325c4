"""grpcio's own client, which knows our service by reflection alone."""

from collections.abc import Iterator
from typing import Any, cast

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from tests.interop.servers import PASSWORD

WITHIN_S = 10.0


class Chat:
    """Calls of a service whose messages are made from what the server describes."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        self._service = self._pool.FindServiceByName("chat.v1.Chat")
        self.token = b""

    @property
    def methods(self) -> list[str]:
        return [it.name for it in self._service.methods]

    def unary(self, name: str, **fields: Any) -> Any:
        path, request, answer = self._method(name, fields)
        call = self._channel.unary_unary(path, bytes_of, answer.FromString)
        return call(request, timeout=WITHIN_S, metadata=self._metadata())

    def stream(self, name: str, **fields: Any) -> Iterator[Any]:
        path, request, answer = self._method(name, fields)
        call = self._channel.unary_stream(path, bytes_of, answer.FromString)
        answers: Iterator[Any] = call(
            request, timeout=WITHIN_S, metadata=self._metadata()
        )
        return answers

    def converse(self, frames: list[Any]) -> Iterator[Any]:
        path, _, answer = self._method("Converse", {})
        call = self._channel.stream_stream(path, bytes_of, answer.FromString)
        answers: Iterator[Any] = call(iter(frames), timeout=WITHIN_S)
        return answers

    def message(self, name: str, **fields: Any) -> Any:
        kind = GetMessageClass(self._pool.FindMessageTypeByName(f"chat.v1.{name}"))
        return kind(**fields)

    def _method(
        self, name: str, fields: dict[str, Any]
    ) -> tuple[str, Message, type[Message]]:
        method = self._service.methods_by_name[name]
        request = GetMessageClass(method.input_type)(**fields)
        path = f"/{self._service.full_name}/{name}"
        return path, request, GetMessageClass(method.output_type)

    def _metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return (("chat-session-bin", self.token),) if self.token else ()


@pytest.fixture
def channel(grpc_url: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(grpc_url.removeprefix("grpc://")) as channel:
        yield channel


@pytest.fixture
def chat(channel: grpc.Channel) -> Chat:
    return Chat(channel)


@pytest.mark.rule("W4")
def test_reflection_describes_every_method(chat: Chat) -> None:
    assert chat.methods == [
        "CreateAccount",
        "Login",
        "Logout",
        "ChangePassword",
        "Send",
        "Acknowledge",
        "ListAccounts",
        "Deliver",
        "DeleteAccount",
        "Converse",
    ]


@pytest.mark.rule("W4", "M4", "M7")
def test_a_client_without_generated_code_holds_a_whole_conversation(
    chat: Chat,
) -> None:
    logged_in = chat.unary("Login", username="grpcio", password=PASSWORD, create=True)
    chat.token = logged_in.token
    for body in ("one", "two"):
        chat.unary("Send", recipient="grpcio", body=body)
    pages = list(chat.stream("ListAccounts", pattern="grpcio"))

    events = []
    for event in chat.stream("Deliver"):
        events.append(event)
        if event.HasField("delivered"):
            chat.unary("Acknowledge", position=event.delivered.position)
    (deleted,) = chat.stream("DeleteAccount", username="grpcio", password=PASSWORD)

    assert [it.username for page in pages for it in page.entries] == ["grpcio"]
    assert [it.delivered.body for it in events[:-1]] == ["one", "two"]
    assert events[-1].delivery_finished.messages == 2
    assert deleted.HasField("deleted")


@pytest.mark.rule("W4", "W7")
def test_frames_go_each_way_on_one_stream(chat: Chat) -> None:
    login = chat.message("Login", username="frames", password=PASSWORD, create=True)
    frames = [
        chat.message("ClientFrame", commands=[chat.message("Command", id=n, **it)])
        for n, it in enumerate([{"login": login}, {"list": chat.message("List")}], 1)
    ]

    events = [event for frame in chat.converse(frames) for event in frame.events]

    kinds = [(it.id, it.WhichOneof("event")) for it in events]
    assert kinds == [
        (0, "welcome"),
        (1, "logged_in"),
        (2, "started"),
        (2, "listed"),
    ]


@pytest.mark.rule("E1", "W4")
def test_a_refusal_has_its_details_in_the_standard_place(chat: Chat) -> None:
    chat.unary("CreateAccount", username="taken", password=PASSWORD)
    taken = refusal(chat, "CreateAccount", username="taken", password=PASSWORD)
    short = refusal(chat, "CreateAccount", username="new", password="short")

    (info,) = taken.details
    error_info = error_details_pb2.ErrorInfo()
    assert info.Unpack(error_info)
    assert error_info.reason == "NAME_TAKEN"
    assert error_info.metadata == {"code": "204", "username": "taken"}
    _, wrong = short.details
    bad_request = error_details_pb2.BadRequest()
    assert wrong.Unpack(bad_request)
    assert bad_request.field_violations[0].field == "password"


@pytest.mark.rule("W4")
def test_the_standard_health_service_answers(channel: grpc.Channel) -> None:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        bytes_of,
        health_pb2.HealthCheckResponse.FromString,
    )

    answers = [
        check(health_pb2.HealthCheckRequest(service=it), timeout=WITHIN_S).status
        for it in ("", "chat.v1.Chat")
    ]

    assert answers == [health_pb2.HealthCheckResponse.SERVING] * 2


def bytes_of(message: Message) -> bytes:
    return message.SerializeToString()


def refusal(chat: Chat, method: str, **fields: Any) -> status_pb2.Status:
    """The rich status that a call ends with."""
    with pytest.raises(grpc.RpcError) as refused:
        chat.unary(method, **fields)
    status = rpc_status.from_call(cast("grpc.Call", refused.value))
    assert status is not None
    return status
