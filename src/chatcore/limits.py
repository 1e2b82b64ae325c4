"""The numbers that bound a chat, all of them settings."""

from dataclasses import dataclass, fields
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
DAY_MS: Final = 24 * 60 * 60 * 1000


_TEXT_BYTES: Final = 6
"""What JSON may write for one byte of a text: U+0000 as six."""
_ITEM_BYTES: Final = 4096
"""More than all the rest of a command takes, its names among them."""
_POSITION_BYTES: Final = 24
"""More than JSON writes for a position."""
_NAME_CHARACTER_BYTES: Final = 4
"""What UTF-8 writes for one character of a name, or JSON for one that is quoted."""


FIXED_LIMITS: Final = frozenset(
    {
        # Transports have set their buffers by these.
        "frame_bytes",
        "login_frame_bytes",
        "login_unsent_bytes",
        "held_bytes",
        "handshakes",
        # So many may be under way already.
        "identity_checks",
        # Connections are counted by what these said when they came.
        "loopback_counts",
        # Clients were told, and hold the server to it.
        "window_messages",
        # Keys that were forgotten, or kept, by it would be the wrong ones (B7).
        "key_lifetime_ms",
    }
)
"""Limits that hold from the start of a chat to its end."""


class LimitsContradict(ValueError):
    """Limits under which what one allows could not go on because of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one chat; each refusal names the bound that it hit.

    Sizes are in bytes of UTF-8 or of wire, times in the unit of their name; a rate of
    0 is no limit.

    Raises:
        LimitsContradict: two of them cannot both hold.
    """

    username_chars: int = 64
    password_min_bytes: int = 8
    password_max_bytes: int = 1024
    body_bytes: int = 64 * KIB
    pattern_chars: int = 256
    proof_bytes: int = 16 * KIB
    mailbox_messages: int = 10_000

    frame_bytes: int = MIB
    login_frame_bytes: int = 32 * KIB
    pending_commands: int = 1024
    pending_bytes: int = MIB
    operations: int = 8
    window_messages: int = 256
    window_bytes: int = 512 * KIB
    login_unsent_bytes: int = 64 * KIB
    unsent_bytes: int = MIB
    held_bytes: int = 128 * MIB
    turn_commands: int = 256
    turn_s: float = 0.001

    connections: int = 20_000
    address_connections: int = 256
    address_strangers: int = 64
    handshakes: int = 512
    loopback_counts: bool = False

    session_messages_per_s: float = 0
    session_bytes_per_s: float = 0
    session_lists_per_s: float = 20
    session_creates_per_s: float = 0
    account_messages_per_s: float = 0
    account_bytes_per_s: float = 0
    account_lists_per_s: float = 20
    address_messages_per_s: float = 0
    address_bytes_per_s: float = 0
    address_lists_per_s: float = 100
    address_creates_per_s: float = 2
    address_logins_per_s: float = 10
    rate_burst_s: float = 10.0

    wrong_passwords: int = 5
    account_wrong_passwords: int = 20
    throttle_first_s: float = 1.0
    throttle_longest_s: float = 300.0
    account_throttle_longest_s: float = 10.0
    known_address_s: float = 30 * 86_400.0

    identity_checks: int = 64
    application_within_s: float = 5.0
    expiring_s: float = 60.0

    page_names: int = 500
    walk_names: int = 1000
    bounce_messages: int = 1000
    cleanup_rows: int = 1000

    key_lifetime_ms: int = 7 * DAY_MS
    forget_every_ms: int = DAY_MS // 24
    grace_s: float = 30.0
    probe_s: float = 2.0
    ping_after_s: float = 20.0
    pong_within_s: float = 10.0
    login_within_s: float = 10.0
    deletion_stall_s: float = 30.0
    retry_after_ms: int = 1000

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other."""
        self._need("password_max_bytes", self.password_min_bytes, "password_min_bytes")
        self._need(
            "frame_bytes",
            _TEXT_BYTES * self.body_bytes + _ITEM_BYTES,
            "body_bytes",
        )
        least = _TEXT_BYTES * self.password_max_bytes + _ITEM_BYTES
        self._need("frame_bytes", least, "password_max_bytes")
        self._need("login_frame_bytes", least, "password_max_bytes")
        least = _NAME_CHARACTER_BYTES * self.username_chars + _ITEM_BYTES
        # A page of a list is half a frame, and has one name at the least.
        self._need("frame_bytes", 2 * least, "username_chars")
        self._need("login_frame_bytes", least, "username_chars")

    def follow(self, other: "Limits") -> None:
        """Become another's equal, for all who hold this one.

        A chat does this to a copy of its own when its operator changes a limit: its
        parts read their limits from that copy whenever they need one, on the way of
        each message, and a look through a holder would cost each of them.
        """
        for limit in fields(self):
            object.__setattr__(self, limit.name, getattr(other, limit.name))

    def _need(self, name: str, least: int, because: str) -> None:
        found: int = getattr(self, name)
        if found < least:
            text = (
                f"With {because} = {getattr(self, because)} the limit {name} is at "
                f"least {least}, not {found}."
            )
            raise LimitsContradict(text)

    @property
    def silence_s(self) -> float:
        """How long a peer may show no life before its link is ended (S5)."""
        return self.ping_after_s + self.pong_within_s

    @property
    def stranger_turn_commands(self) -> int:
        """How many commands make a turn of a link that nobody is logged in on (B2)."""
        return max(1, self.turn_commands // 4)

    @property
    def first_frame_bytes(self) -> int:
        """The largest frame before a login is answered."""
        return min(self.login_frame_bytes, self.frame_bytes)

    @property
    def most_proof_bytes(self) -> int:
        """What a proof may have: it has to fit into a frame before the login."""
        return min(self.proof_bytes, self.first_frame_bytes - _ITEM_BYTES)

    @property
    def command_bytes(self) -> int:
        """What any one command takes at the most, in a form that is not JSON."""
        return max(
            self.body_bytes + _ITEM_BYTES,
            2 * self.password_max_bytes + _ITEM_BYTES,
            self.most_proof_bytes + _ITEM_BYTES,
            _NAME_CHARACTER_BYTES * (self.username_chars + self.pattern_chars)
            + _ITEM_BYTES,
        )

    @property
    def bounce_positions(self) -> int:
        """How many messages a bounce names at most: so many as fit into a frame, and
        as one step of a clean-up takes out, so that a dry run counts alike (D5).
        """
        fitting = (self.frame_bytes - _ITEM_BYTES) // _POSITION_BYTES
        return min(self.bounce_messages, self.cleanup_rows, fitting)
