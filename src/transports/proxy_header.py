"""The PROXY protocol, version 2: a proxy's first bytes name whom it speaks for.

As in https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.2: twelve
bytes that nothing else begins with, version and command, family, and the length of the
addresses and of further fields, which are passed over here. Version 1 is not spoken.
"""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, TypeAlias, cast

from transports.entry import Entry
from transports.proxies import Proxies
from transports.rate_limited_log import RateLimitedLog

Source: TypeAlias = tuple[str, int]
"""An address and a port."""

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED_BYTES: Final = 16
_MOST_BYTES: Final = 2048
"""Of addresses and fields: without fields they have at most 216."""
_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_ADDRESS_BYTES: Final = {0x11: 4, 0x21: 16}
"""Of TCP over IPv4 and over IPv6. For what is neither, the connection's own address
counts, as the protocol has it."""


class BadProxyHeader(Exception):
    """What a proxy wrote is no header of version 2, or is too long."""


def header_length(fixed: bytes) -> int:
    """How many bytes follow the first 16; raises ``BadProxyHeader``."""
    if not fixed.startswith(SIGNATURE) or fixed[12] not in {_LOCAL, _PROXY}:
        raise BadProxyHeader("a proxy's connection begins with PROXY protocol 2")
    length = int.from_bytes(fixed[14:16], "big")
    if length > _MOST_BYTES:
        raise BadProxyHeader(f"its header is longer than {_MOST_BYTES} bytes")
    return length


def read_source(header: bytes) -> Source | None:
    """Whom a whole header names; None where the proxy speaks for itself, as to see
    whether the server is up. Raises ``BadProxyHeader``.
    """
    size = _ADDRESS_BYTES.get(header[13])
    if header[12] == _LOCAL or size is None:
        return None
    source, rest = header[_FIXED_BYTES:][:size], header[_FIXED_BYTES + 2 * size :]
    if len(rest) < 4:  # noqa: PLR2004  # the two ports
        raise BadProxyHeader("its header ends within the addresses")
    return str(ip_address(source)), int.from_bytes(rest[:2], "big")


class ProxiedConnection(asyncio.BufferedProtocol):
    """Reads a header from a proxy, and nothing beyond it; then others go on.

    Args:
        entry: the connection's place, which becomes one of the address that is named.
        proxies: who must begin with a header; nobody else may.
        within_s: how long it may take.
        go_on: makes the protocol that goes on, told whom the proxy speaks for.
        log: told of proxies that write something else.
    """

    def __init__(
        self,
        entry: Entry,
        proxies: Proxies,
        within_s: float,
        go_on: Callable[[Source | None], asyncio.BaseProtocol],
        log: RateLimitedLog,
    ) -> None:
        self._entry = entry
        self._proxies = proxies
        self._within_s = within_s
        self._go_on = go_on
        self._log = log
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._header = bytearray(_FIXED_BYTES)
        self._filled = 0
        self._address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a proxy's header; go on at once with anybody else."""
        self._transport = cast("asyncio.Transport", transport)
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._proxies.trusts(self._address):
            self._hand_over(self._transport, None)
        elif self._entry.take(""):  # of nobody yet: it counts in all
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._within_s, self._transport.abort)
        else:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # not a byte more
        """See ``asyncio.BufferedProtocol``."""
        return memoryview(self._header)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Go on once the header is whole."""
        self._filled += nbytes
        if self._filled < len(self._header) or self._transport is None:
            return
        header = bytes(self._header)
        try:
            if self._filled == _FIXED_BYTES and (more := header_length(header)):
                self._header = bytearray(header + bytes(more))
                return
            source = read_source(header)
        except BadProxyHeader as reason:
            self._log.info("Refused the proxy %s: %s", self._address, reason)
            self._transport.abort()
            return
        self._entry.take(source[0] if source else self._address)
        self._hand_over(self._transport, source)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # nobody waits to be told
        """It is gone before its header was whole."""
        self._settle()
        self._entry.leave()

    def _hand_over(self, transport: asyncio.Transport, source: Source | None) -> None:
        self._settle()
        protocol = self._go_on(source)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def _settle(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
