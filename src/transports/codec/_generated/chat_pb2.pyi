from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeliveryMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_MODE_UNSPECIFIED: _ClassVar[DeliveryMode]
    DELIVERY_MODE_PUSH: _ClassVar[DeliveryMode]
    DELIVERY_MODE_MANUAL: _ClassVar[DeliveryMode]

class Inbox(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INBOX_UNSPECIFIED: _ClassVar[Inbox]
    INBOX_DELIVER: _ClassVar[Inbox]
    INBOX_DISCARD: _ClassVar[Inbox]

class Outbox(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTBOX_UNSPECIFIED: _ClassVar[Outbox]
    OUTBOX_KEEP: _ClassVar[Outbox]
    OUTBOX_RETRACT: _ClassVar[Outbox]
DELIVERY_MODE_UNSPECIFIED: DeliveryMode
DELIVERY_MODE_PUSH: DeliveryMode
DELIVERY_MODE_MANUAL: DeliveryMode
INBOX_UNSPECIFIED: Inbox
INBOX_DELIVER: Inbox
INBOX_DISCARD: Inbox
OUTBOX_UNSPECIFIED: Outbox
OUTBOX_KEEP: Outbox
OUTBOX_RETRACT: Outbox

class ClientFrame(_message.Message):
    __slots__ = ("commands",)
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    commands: _containers.RepeatedCompositeFieldContainer[Command]
    def __init__(self, commands: _Optional[_Iterable[_Union[Command, _Mapping]]] = ...) -> None: ...

class ServerFrame(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("id", "create", "login", "resume", "logout", "send", "acknowledge", "deliver", "list", "delete", "change_password", "pong", "prove")
    ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    LOGOUT_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_FIELD_NUMBER: _ClassVar[int]
    DELIVER_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    PROVE_FIELD_NUMBER: _ClassVar[int]
    id: int
    create: Create
    login: Login
    resume: Resume
    logout: Logout
    send: Send
    acknowledge: Acknowledge
    deliver: Deliver
    list: List
    delete: Delete
    change_password: ChangePassword
    pong: Pong
    prove: Prove
    def __init__(self, id: _Optional[int] = ..., create: _Optional[_Union[Create, _Mapping]] = ..., login: _Optional[_Union[Login, _Mapping]] = ..., resume: _Optional[_Union[Resume, _Mapping]] = ..., logout: _Optional[_Union[Logout, _Mapping]] = ..., send: _Optional[_Union[Send, _Mapping]] = ..., acknowledge: _Optional[_Union[Acknowledge, _Mapping]] = ..., deliver: _Optional[_Union[Deliver, _Mapping]] = ..., list: _Optional[_Union[List, _Mapping]] = ..., delete: _Optional[_Union[Delete, _Mapping]] = ..., change_password: _Optional[_Union[ChangePassword, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., prove: _Optional[_Union[Prove, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "welcome", "created", "logged_in", "resumed", "logged_out", "accepted", "delivered", "bounced", "received", "started", "listed", "delivery_finished", "deleted", "password_changed", "refused", "ping", "closing", "proved", "expiring")
    ID_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    LOGGED_IN_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    LOGGED_OUT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    BOUNCED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FINISHED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_CHANGED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    PROVED_FIELD_NUMBER: _ClassVar[int]
    EXPIRING_FIELD_NUMBER: _ClassVar[int]
    id: int
    welcome: Welcome
    created: Created
    logged_in: LoggedIn
    resumed: Resumed
    logged_out: LoggedOut
    accepted: Accepted
    delivered: Delivered
    bounced: Bounced
    received: Received
    started: Started
    listed: Listed
    delivery_finished: DeliveryFinished
    deleted: Deleted
    password_changed: PasswordChanged
    refused: Refused
    ping: Ping
    closing: Closing
    proved: Proved
    expiring: Expiring
    def __init__(self, id: _Optional[int] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., created: _Optional[_Union[Created, _Mapping]] = ..., logged_in: _Optional[_Union[LoggedIn, _Mapping]] = ..., resumed: _Optional[_Union[Resumed, _Mapping]] = ..., logged_out: _Optional[_Union[LoggedOut, _Mapping]] = ..., accepted: _Optional[_Union[Accepted, _Mapping]] = ..., delivered: _Optional[_Union[Delivered, _Mapping]] = ..., bounced: _Optional[_Union[Bounced, _Mapping]] = ..., received: _Optional[_Union[Received, _Mapping]] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., listed: _Optional[_Union[Listed, _Mapping]] = ..., delivery_finished: _Optional[_Union[DeliveryFinished, _Mapping]] = ..., deleted: _Optional[_Union[Deleted, _Mapping]] = ..., password_changed: _Optional[_Union[PasswordChanged, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., closing: _Optional[_Union[Closing, _Mapping]] = ..., proved: _Optional[_Union[Proved, _Mapping]] = ..., expiring: _Optional[_Union[Expiring, _Mapping]] = ...) -> None: ...

class Create(_message.Message):
    __slots__ = ("username", "password", "key", "invitation")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    username: str
    password: str
    key: bytes
    invitation: str
    def __init__(self, username: _Optional[str] = ..., password: _Optional[str] = ..., key: _Optional[bytes] = ..., invitation: _Optional[str] = ...) -> None: ...

class Login(_message.Message):
    __slots__ = ("username", "password", "create", "delivery", "invitation", "proof")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    username: str
    password: str
    create: bool
    delivery: DeliveryMode
    invitation: str
    proof: str
    def __init__(self, username: _Optional[str] = ..., password: _Optional[str] = ..., create: bool = ..., delivery: _Optional[_Union[DeliveryMode, str]] = ..., invitation: _Optional[str] = ..., proof: _Optional[str] = ...) -> None: ...

class Resume(_message.Message):
    __slots__ = ("token", "last_seen", "delivery", "proof")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    last_seen: int
    delivery: DeliveryMode
    proof: str
    def __init__(self, token: _Optional[bytes] = ..., last_seen: _Optional[int] = ..., delivery: _Optional[_Union[DeliveryMode, str]] = ..., proof: _Optional[str] = ...) -> None: ...

class Prove(_message.Message):
    __slots__ = ("proof",)
    PROOF_FIELD_NUMBER: _ClassVar[int]
    proof: str
    def __init__(self, proof: _Optional[str] = ...) -> None: ...

class Logout(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Send(_message.Message):
    __slots__ = ("recipient", "body", "key")
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    recipient: str
    body: str
    key: bytes
    def __init__(self, recipient: _Optional[str] = ..., body: _Optional[str] = ..., key: _Optional[bytes] = ...) -> None: ...

class Acknowledge(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: int
    def __init__(self, position: _Optional[int] = ...) -> None: ...

class AcknowledgeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Deliver(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class List(_message.Message):
    __slots__ = ("pattern", "after")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    after: str
    def __init__(self, pattern: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class Delete(_message.Message):
    __slots__ = ("username", "password", "inbox", "outbox", "dry_run", "key", "proof")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    INBOX_FIELD_NUMBER: _ClassVar[int]
    OUTBOX_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    username: str
    password: str
    inbox: Inbox
    outbox: Outbox
    dry_run: bool
    key: bytes
    proof: str
    def __init__(self, username: _Optional[str] = ..., password: _Optional[str] = ..., inbox: _Optional[_Union[Inbox, str]] = ..., outbox: _Optional[_Union[Outbox, str]] = ..., dry_run: bool = ..., key: _Optional[bytes] = ..., proof: _Optional[str] = ...) -> None: ...

class ChangePassword(_message.Message):
    __slots__ = ("old", "new")
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    old: str
    new: str
    def __init__(self, old: _Optional[str] = ..., new: _Optional[str] = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("server_time_ms", "frame_bytes", "body_bytes", "pending_commands", "window_messages", "login_frame_bytes")
    SERVER_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    BODY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PENDING_COMMANDS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    server_time_ms: int
    frame_bytes: int
    body_bytes: int
    pending_commands: int
    window_messages: int
    login_frame_bytes: int
    def __init__(self, server_time_ms: _Optional[int] = ..., frame_bytes: _Optional[int] = ..., body_bytes: _Optional[int] = ..., pending_commands: _Optional[int] = ..., window_messages: _Optional[int] = ..., login_frame_bytes: _Optional[int] = ...) -> None: ...

class Created(_message.Message):
    __slots__ = ("account", "username")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    account: int
    username: str
    def __init__(self, account: _Optional[int] = ..., username: _Optional[str] = ...) -> None: ...

class LoggedIn(_message.Message):
    __slots__ = ("account", "username", "token", "queued", "acknowledged", "grace_ms", "expires_in_ms")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_MS_FIELD_NUMBER: _ClassVar[int]
    account: int
    username: str
    token: bytes
    queued: int
    acknowledged: int
    grace_ms: int
    expires_in_ms: int
    def __init__(self, account: _Optional[int] = ..., username: _Optional[str] = ..., token: _Optional[bytes] = ..., queued: _Optional[int] = ..., acknowledged: _Optional[int] = ..., grace_ms: _Optional[int] = ..., expires_in_ms: _Optional[int] = ...) -> None: ...

class Resumed(_message.Message):
    __slots__ = ("account", "username", "queued", "last_seen", "expires_in_ms")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_MS_FIELD_NUMBER: _ClassVar[int]
    account: int
    username: str
    queued: int
    last_seen: int
    expires_in_ms: int
    def __init__(self, account: _Optional[int] = ..., username: _Optional[str] = ..., queued: _Optional[int] = ..., last_seen: _Optional[int] = ..., expires_in_ms: _Optional[int] = ...) -> None: ...

class Proved(_message.Message):
    __slots__ = ("expires_in_ms",)
    EXPIRES_IN_MS_FIELD_NUMBER: _ClassVar[int]
    expires_in_ms: int
    def __init__(self, expires_in_ms: _Optional[int] = ...) -> None: ...

class Expiring(_message.Message):
    __slots__ = ("expires_in_ms",)
    EXPIRES_IN_MS_FIELD_NUMBER: _ClassVar[int]
    expires_in_ms: int
    def __init__(self, expires_in_ms: _Optional[int] = ...) -> None: ...

class LoggedOut(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("recipient_id", "position", "sent_at_ms", "durable")
    RECIPIENT_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    recipient_id: int
    position: int
    sent_at_ms: int
    durable: bool
    def __init__(self, recipient_id: _Optional[int] = ..., position: _Optional[int] = ..., sent_at_ms: _Optional[int] = ..., durable: bool = ...) -> None: ...

class Delivered(_message.Message):
    __slots__ = ("position", "follows", "sender", "sender_id", "body", "sent_at_ms", "sender_deleted")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    SENDER_DELETED_FIELD_NUMBER: _ClassVar[int]
    position: int
    follows: int
    sender: str
    sender_id: int
    body: str
    sent_at_ms: int
    sender_deleted: bool
    def __init__(self, position: _Optional[int] = ..., follows: _Optional[int] = ..., sender: _Optional[str] = ..., sender_id: _Optional[int] = ..., body: _Optional[str] = ..., sent_at_ms: _Optional[int] = ..., sender_deleted: bool = ...) -> None: ...

class Bounced(_message.Message):
    __slots__ = ("position", "follows", "recipient", "recipient_id", "positions", "sent_at_ms")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_ID_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    position: int
    follows: int
    recipient: str
    recipient_id: int
    positions: _containers.RepeatedScalarFieldContainer[int]
    sent_at_ms: int
    def __init__(self, position: _Optional[int] = ..., follows: _Optional[int] = ..., recipient: _Optional[str] = ..., recipient_id: _Optional[int] = ..., positions: _Optional[_Iterable[int]] = ..., sent_at_ms: _Optional[int] = ...) -> None: ...

class Received(_message.Message):
    __slots__ = ("recipient", "recipient_id", "positions")
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_ID_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    recipient: str
    recipient_id: int
    positions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, recipient: _Optional[str] = ..., recipient_id: _Optional[int] = ..., positions: _Optional[_Iterable[int]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Entry(_message.Message):
    __slots__ = ("username", "online")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    ONLINE_FIELD_NUMBER: _ClassVar[int]
    username: str
    online: bool
    def __init__(self, username: _Optional[str] = ..., online: bool = ...) -> None: ...

class Listed(_message.Message):
    __slots__ = ("entries", "complete")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    complete: bool
    def __init__(self, entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., complete: bool = ...) -> None: ...

class DeliveryFinished(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: int
    def __init__(self, messages: _Optional[int] = ...) -> None: ...

class Deleted(_message.Message):
    __slots__ = ("dry_run", "delivered", "discarded", "bounces", "kept", "retracted")
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DISCARDED_FIELD_NUMBER: _ClassVar[int]
    BOUNCES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    dry_run: bool
    delivered: int
    discarded: int
    bounces: int
    kept: int
    retracted: int
    def __init__(self, dry_run: bool = ..., delivered: _Optional[int] = ..., discarded: _Optional[int] = ..., bounces: _Optional[int] = ..., kept: _Optional[int] = ..., retracted: _Optional[int] = ...) -> None: ...

class PasswordChanged(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    def __init__(self, token: _Optional[bytes] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("code", "name", "text", "fields")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    code: int
    name: str
    text: str
    fields: _containers.ScalarMap[str, str]
    def __init__(self, code: _Optional[int] = ..., name: _Optional[str] = ..., text: _Optional[str] = ..., fields: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Closing(_message.Message):
    __slots__ = ("code", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: int
    text: str
    def __init__(self, code: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
