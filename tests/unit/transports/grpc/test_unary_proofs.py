"""Unary calls of an application's users: a proof at the login and each call (W4)."""

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError

from chatcore import SharedSecret, sign_proof
from chatcore.errors import (
    OtherAccount,
    PasswordsOnly,
    ProofRefused,
    ProofRequired,
)
from tests.interop.servers import serving
from tests.unit.transports.grpc.stub import URL, calling, number_of
from transports.codec._generated import chat_pb2 as pb

SECRET = b"s" * 32


@pytest.mark.rule("W4", "A2")
async def test_a_session_of_unary_calls_is_resumed_with_a_bearer_token() -> None:
    ada, bob = sign_proof(SECRET, "ada"), sign_proof(SECRET, "bob")
    send = pb.Send(recipient="ada", body="hello")
    async with (
        serving(URL, identities=SharedSecret(SECRET)) as server,
        calling(server) as stub,
    ):
        opened = await stub.call("Login", pb.Login(proof=ada), pb.LoggedIn)
        refused = []
        for proof in ("", bob, "forged"):
            with pytest.raises(AioRpcError) as error:
                await stub.call(
                    "Send", send, pb.Accepted, token=opened.token, proof=proof
                )
            refused.append((error.value.code(), number_of(error.value)))
        sent = await stub.call("Send", send, pb.Accepted, token=opened.token, proof=ada)

    assert opened.username == "ada"
    assert 0 < opened.expires_in_ms <= 300_000
    assert refused == [
        (StatusCode.UNAUTHENTICATED, ProofRequired.code),
        (StatusCode.FAILED_PRECONDITION, OtherAccount.code),
        (StatusCode.UNAUTHENTICATED, ProofRefused.code),
    ]
    assert sent.position == 1


@pytest.mark.rule("W4", "A2")
async def test_where_accounts_have_passwords_a_bearer_token_is_told_so() -> None:
    async with serving(URL) as server, calling(server) as stub:
        token = (await stub.login("ada")).token
        with pytest.raises(AioRpcError) as error:
            await stub.call(
                "Send", pb.Send(recipient="ada"), pb.Accepted, token=token, proof="x"
            )

    assert number_of(error.value) == PasswordsOnly.code
