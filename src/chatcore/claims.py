"""Who somebody says they are, and what an embedding application makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ClaimPurpose(Enum):
    """What somebody shows who they are for."""

    LOGIN = "login"
    RESUME = "resume"
    RENEWAL = "renewal"
    DELETION = "deletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What somebody shows of who they are, and from where; nothing of it is judged.

    Attributes:
        password: of an account, or of one of the application's users.
        proof: what the application gave its user to show instead, such as a token.
        network: where the peer is, as limits count it.
        transport: the scheme that it came by.
        address: the peer's, without a port; empty where it has none.
        headers: see ``Claim``.
    """

    password: str = field(default="", repr=False)
    proof: str = field(default="", repr=False)
    network: str = ""
    transport: str = ""
    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Somebody says who they are: for the application to judge.

    Attributes:
        proof: what they show, a password or a token as the application gave it. It is
            empty only for a ``RESUME`` without one: then the token of the session was
            right, and its user may have been signed out since.
        username: as whom, prepared; empty where only the proof says so.
        purpose: what for.
        transport: the scheme that they came by, such as ``wss``.
        address: the peer's, without a port; empty where it has none.
        headers: of the request that the link was opened with, by names in lower case,
            where the transport has some: 64 of them and 16 KiB at the most.
    """

    proof: str = field(repr=False)
    username: str
    purpose: ClaimPurpose
    transport: str = ""
    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is.

    Attributes:
        username: the application's name for them; it is prepared as all names are (A1).
        expires_at_ms: until when that holds, in ms since 1970; None for as long as
            they stay. A link whose identity has expired is closed.
        may_create: whether a login makes the account where there is none.
    """

    username: str
    expires_at_ms: int | None = None
    may_create: bool = True
