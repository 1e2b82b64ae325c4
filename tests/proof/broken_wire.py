"""Violations of the rules of links, of the client and of the wire.

A function's name says what is wrong once it was called.
"""

from typing import Any

from chatcore.errors import CloseCode
from tests.proof.swapping import Method, swap, swap_everywhere
from transports.client.inbox import Inbox as ClientInbox
from transports.codec import maps
from transports.framing import LengthFraming
from transports.keepalive import Keepalive
from transports.origins import AllowedOrigins
from transports.tcp import handshake


def who_is_silent_is_given_up_unasked() -> None:
    def make(ping: Method) -> Method:
        def give_up(self: Any, silent_s: float, now_s: float) -> object:
            if silent_s >= self._limits.ping_after_s:
                self._connection.close(CloseCode.UNRESPONSIVE)
                self._link.abort()
            return ping(self, silent_s, now_s)

        return give_up

    swap(Keepalive, "_ping", make)


def what_was_had_is_handed_over_again() -> None:
    def make(_: Method) -> Method:
        def receive(self: Any, mail: Any) -> bool:
            self.follows = self.last_seen = mail.position
            self._waiting.append(mail)
            return True

        return receive

    swap(ClientInbox, "receive", make)


def any_version_is_taken() -> None:
    def make(read: Method) -> Method:
        return lambda line: read(line.replace(b"CHAT/2", b"CHAT/1"))

    swap_everywhere(handshake, "read_greeting", make)


def a_server_greets_in_its_own_words() -> None:
    swap_everywhere(handshake, "WELCOME", lambda _: b"CHAT/1 welcome\n")


def a_page_of_any_origin_may_connect() -> None:
    swap(AllowedOrigins, "allows", lambda _: lambda *_: True)


def a_unary_call_names_no_session() -> None:
    # Imported here: grpc must not be in a process that forks.
    from transports.grpc import service  # noqa: PLC0415

    swap(service, "_token", lambda _: lambda _context: b"")


def wide_integers_are_json_numbers() -> None:
    swap(
        maps,
        "MapCodec",
        lambda codec: lambda *names, **how: codec(*names, **{**how, "wide": int}),
    )


def a_frame_may_have_any_length() -> None:
    def make(begin: Method) -> Method:
        return lambda self, limit: begin(self, limit << 20)

    swap(LengthFraming, "__init__", make)
