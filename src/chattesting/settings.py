"""What a test's chat is told."""

from dataclasses import dataclass, field

from chatcore import (
    Credentials,
    Identities,
    Limits,
    MessageHandlers,
    Observer,
    Registration,
    SecondLogin,
    SendPolicy,
)
from chatcore.ports import NO_OBSERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What a test's chat is told; see ``chatcore.Chat`` for each but the last.

    Attributes:
        observer: is told what becomes of accounts.
        store_url: where accounts and mail are kept.
    """

    limits: Limits = field(default_factory=Limits)
    second_login: SecondLogin = SecondLogin.REJECT
    policy: SendPolicy | None = None
    credentials: Credentials | None = None
    registration: Registration = Registration.OPEN
    handlers: MessageHandlers | None = None
    identities: Identities | None = None
    observer: Observer = NO_OBSERVER
    store_url: str = "memory:"
