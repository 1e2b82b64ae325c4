"""Refusing other versions of the chat, before anything else is looked at (W1)."""

from typing import NoReturn

import grpc
from grpc.aio import ServicerContext

from chatcore.errors import CloseCode
from transports.base import LinkClosed
from transports.grpc.options import SERVICE
from transports.grpc.status import end_call

_ANY_VERSION = "/chat.v"


class UnsupportedVersions(grpc.GenericRpcHandler):
    """Answers the methods of every other version with what is spoken here."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """A refusal for ``chat.v…``; None for what is no chat at all."""
        method = str(handler_call_details.method)
        if not method.startswith(_ANY_VERSION) or method.startswith(f"/{SERVICE}/"):
            return None
        return grpc.stream_stream_rpc_method_handler(self._refuse)

    async def _refuse(
        self, _requests: object, context: "ServicerContext[bytes, bytes]"
    ) -> NoReturn:
        await end_call(
            context,
            LinkClosed(CloseCode.WRONG_VERSION, f"This server speaks {SERVICE}."),
        )
