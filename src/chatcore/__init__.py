"""A chat, and the one door to all that an application calls.

    from chatcore import Chat, connect, open_store, serve

The rules of the chat are here, in plain Python on the standard library alone. What
lives in an adapter comes through this door as well, and is imported when its name is
first used: ``import chatcore`` by itself loads no transport and no store. The types of
all names stand in ``__init__.pyi``.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

_HOMES: Final[Mapping[str, str]] = {
    "chatcore.chat": "Chat",
    "chatcore.claims": "Claim ClaimPurpose Identity",
    "chatcore.commands": "DeliveryMode InboxAction OutboxAction Send",
    "chatcore.errors": (
        "AccountInUse AccountsElsewhere AcknowledgedTooMuch AlreadyLoggedIn "
        "ApplicationUnavailable Busy ChatError CloseCode Closed DeletionStalled "
        "Fenced InternalError InvalidBody InvalidKey InvalidPassword InvalidPattern "
        "InvalidProof InvalidUsername InvitationRefused KeyExpired KeyReused "
        "LoginRequired MailboxClosing MailboxFull MailboxShare MalformedCommand "
        "NameTaken NoSuchAccount NoSuchRecipient OtherAccount Outage OutcomeUnknown "
        "PasswordsOnly ProofOfAnother ProofRefused ProofRequired RateExceeded Refusal "
        "RegistrationClosed SessionGone ShuttingDown StoreUnavailable TooManyAttempts "
        "TooManyOperations UnknownCommand WrongCredentials"
    ),
    "chatcore.events": "Accepted Bounced Delivered LoggedIn Received",
    "chatcore.ids": "AccountId IdempotencyKey Position Username",
    "chatcore.http_statuses": "http_status",
    "chatcore.keys": "derived_key",
    "chatcore.limits": "Limits LimitsContradict",
    "chatcore.listing": "ListNobody",
    "chatcore.logins": "SecondLogin",
    "chatcore.message_events": (
        "MailWaiting MessageAcknowledged MessageDelivered MessageEvent MessageStored"
    ),
    "chatcore.model": (
        "Account AccountRecord AuditAction AuditEvent Bounce Chunk CleanUp "
        "DeletionReceipt Deposit Erasure FirstUse LeftToDiscard LoggedErasure LogMark "
        "Mailbox Message NewMail OpenedSession Origin Place SenderShare SentPage "
        "SentPlace StoredInvitation StoredSession"
    ),
    "chatcore.outbox": "Outbox QueuedWebhook Retry Webhooks WebhooksNotKept",
    "chatcore.ports": (
        "Credentials Environment ErasureLog Identities ListPolicy MessageHandlers "
        "Observer SendPolicy"
    ),
    "chatcore.registration": "Registration",
    "chatcore.reports": "PendingMail SessionStatus",
    "chatcore.services": "NotStarted",
    "chatcore.store": "Declined KeySpan MailboxRoom Store Stored",
    "chatidentities.json_web_tokens": "JwtIdentities TokensWrong",
    "chatidentities.key_set": "KeySet KeySetUnreadable KeySetWrong",
    "chatidentities.shared_secret": "SecretTooShort SharedSecret sign_proof",
    "chatstores": "open_store register_store",
    "chatstores.erasure_log": "FileErasureLog",
    "chatstores.group_commit": "GroupCommit",
    "chatstores.sqlite.replication": "open_row_store",
    "chatstores.sqlite.row_database": "KeptRow RowDatabase WriteRefused",
    "chatstores.errors": (
        "AlreadyThere BadStoreUrl CopyFailed ErasureLogRefused FolderMissing "
        "OpeningError SchemaUnreadable StoreInUse StoreNotOurs StoreReadOnly "
        "StoreTooNew UnknownStore WalMissing"
    ),
    "chatsystem": "HashSettings system_environment",
    "chatsystem.handlers": "Handlers",
    "chatsystem.schemes": "BadPlugin",
    "chatwebhooks.errors": "BadWebhookSecret BadWebhookTarget",
    "chatwebhooks.secrets": "parse_webhook_secrets",
    "chatwebhooks.sender": "HttpWebhooks",
    "chatwebhooks.settings": "WebhookSettings",
    "transports": (
        "Client ClientMisused LinkDown LinkUp ListedAccount ProofFailed ProofSource "
        "ReconnectPolicy Server SyncClient connect connect_sync open_server "
        "register_transport serve"
    ),
    "transports.asgi": "AlreadyServing ChatApp NotServing WorkersSplit",
    "transports.audit_log": "AuditLog",
    "transports.awaited_link": "AwaitedLink",
    "transports.base": (
        "Address Admission FrameHandler Link LinkSettings Listener ServeLink Spawn "
        "Transport authority"
    ),
    "transports.certificates": "ServerCertificate client_context",
    "transports.codec": "Codec codec",
    "transports.errors": (
        "BadUrl CannotConnect CannotListen LinkClosed PeerFinished WrongTransport "
        "frame_too_large"
    ),
    "transports.framing": "FrameTooLarge Framing LengthFraming LineFraming",
    "transports.link_acceptor": "LinkAcceptor SocketListener",
    "transports.memory_budget": "MemoryBudget",
    "transports.message_link": "MessageLink",
    "transports.task_link": "TaskLink",
    "transports.tcp.handshake": "greet_server welcome_client",
    "transports.tcp.link": "TcpLink",
    "transports.tls": "CertificateUnusable ClientTls ServerTls",
}
"""The names that live in each module."""

_HOME_OF: Final = {
    name: home for home, names in _HOMES.items() for name in names.split()
}

__all__ = [*_HOME_OF]  # noqa: PLE0604  # they are strings


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'chatcore' has no attribute {name!r}")
    found: object = _find(home, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def _find(home: str, name: str) -> object:
    """The name out of its module.

    Raises:
        ImportError: a package of somebody else has the name of one of ours.
    """
    try:
        return getattr(import_module(home), name)
    except (ImportError, AttributeError) as error:
        package = home.partition(".")[0]
        others = _places(package)
        if not others or others[0].startswith(_OURS):
            raise
        raise ImportError(
            f"chatcore.{name} lives in chatcore's package {package!r}, which is hidden "
            f"by another of that name in {others[0]}: rename that one, or put it after "
            "chatcore's on sys.path."
        ) from error


_OURS: Final = __path__[0].removesuffix("chatcore")
"""The folder that all packages of this distribution are in."""


def _places(package: str) -> Sequence[str]:
    """Where a package or module is, as far as it can be imported at all."""
    try:
        found = import_module(package)
    except ImportError:
        return ()
    path = getattr(found, "__file__", None)
    return [path] if path else list(getattr(found, "__path__", ()))
