# The types of all that an application calls; __init__.py finds it when it runs.

from chatcore.chat import Chat as Chat
from chatcore.commands import DeliveryMode as DeliveryMode
from chatcore.commands import InboxAction as InboxAction
from chatcore.commands import OutboxAction as OutboxAction
from chatcore.commands import Send as Send
from chatcore.errors import AccountInUse as AccountInUse
from chatcore.errors import AccountsElsewhere as AccountsElsewhere
from chatcore.errors import AcknowledgedTooMuch as AcknowledgedTooMuch
from chatcore.errors import AlreadyLoggedIn as AlreadyLoggedIn
from chatcore.errors import Busy as Busy
from chatcore.errors import ChatError as ChatError
from chatcore.errors import CloseCode as CloseCode
from chatcore.errors import Closed as Closed
from chatcore.errors import DeletionStalled as DeletionStalled
from chatcore.errors import Fenced as Fenced
from chatcore.errors import InternalError as InternalError
from chatcore.errors import InvalidBody as InvalidBody
from chatcore.errors import InvalidKey as InvalidKey
from chatcore.errors import InvalidPassword as InvalidPassword
from chatcore.errors import InvalidPattern as InvalidPattern
from chatcore.errors import InvalidUsername as InvalidUsername
from chatcore.errors import KeyExpired as KeyExpired
from chatcore.errors import KeyReused as KeyReused
from chatcore.errors import LoginRequired as LoginRequired
from chatcore.errors import MailboxClosing as MailboxClosing
from chatcore.errors import MailboxFull as MailboxFull
from chatcore.errors import MailboxShare as MailboxShare
from chatcore.errors import MalformedCommand as MalformedCommand
from chatcore.errors import NameTaken as NameTaken
from chatcore.errors import NoSuchRecipient as NoSuchRecipient
from chatcore.errors import OtherAccount as OtherAccount
from chatcore.errors import Outage as Outage
from chatcore.errors import OutcomeUnknown as OutcomeUnknown
from chatcore.errors import RateExceeded as RateExceeded
from chatcore.errors import Refusal as Refusal
from chatcore.errors import SessionGone as SessionGone
from chatcore.errors import ShuttingDown as ShuttingDown
from chatcore.errors import StoreUnavailable as StoreUnavailable
from chatcore.errors import TooManyAttempts as TooManyAttempts
from chatcore.errors import TooManyOperations as TooManyOperations
from chatcore.errors import UnknownCommand as UnknownCommand
from chatcore.errors import WrongCredentials as WrongCredentials
from chatcore.events import Accepted as Accepted
from chatcore.events import Bounced as Bounced
from chatcore.events import Delivered as Delivered
from chatcore.events import LoggedIn as LoggedIn
from chatcore.events import Received as Received
from chatcore.ids import AccountId as AccountId
from chatcore.ids import IdempotencyKey as IdempotencyKey
from chatcore.ids import Position as Position
from chatcore.ids import Username as Username
from chatcore.limits import Limits as Limits
from chatcore.limits import LimitsContradict as LimitsContradict
from chatcore.logins import SecondLogin as SecondLogin
from chatcore.model import DeletionReceipt as DeletionReceipt
from chatcore.ports import Credentials as Credentials
from chatcore.ports import Environment as Environment
from chatcore.ports import SendPolicy as SendPolicy
from chatcore.services import NotStarted as NotStarted
from chatcore.store import Store as Store
from chatstores import open_store as open_store
from chatstores import register_store as register_store
from chatstores.errors import BadStoreUrl as BadStoreUrl
from chatstores.errors import FolderMissing as FolderMissing
from chatstores.errors import OpeningError as OpeningError
from chatstores.errors import SchemaUnreadable as SchemaUnreadable
from chatstores.errors import StoreInUse as StoreInUse
from chatstores.errors import StoreNotOurs as StoreNotOurs
from chatstores.errors import StoreReadOnly as StoreReadOnly
from chatstores.errors import StoreTooNew as StoreTooNew
from chatstores.errors import UnknownStore as UnknownStore
from chatsystem import HashSettings as HashSettings
from chatsystem import system_environment as system_environment
from transports import Client as Client
from transports import LinkDown as LinkDown
from transports import LinkUp as LinkUp
from transports import ListedAccount as ListedAccount
from transports import ReconnectPolicy as ReconnectPolicy
from transports import connect as connect
from transports import register_transport as register_transport
from transports import serve as serve
from transports.base import Address as Address
from transports.base import BadUrl as BadUrl
from transports.base import CannotConnect as CannotConnect
from transports.base import CannotListen as CannotListen
from transports.base import Link as Link
from transports.base import LinkClosed as LinkClosed
from transports.base import LinkSettings as LinkSettings
from transports.base import Listener as Listener
from transports.base import ServeLink as ServeLink
from transports.base import Spawn as Spawn
from transports.base import Transport as Transport
from transports.base import WrongTransport as WrongTransport
from transports.codec import Codec as Codec
from transports.memory_budget import MemoryBudget as MemoryBudget
from transports.tcp.handshake import greet_server as greet_server
from transports.tcp.handshake import welcome_client as welcome_client
from transports.tcp.link import TcpLink as TcpLink

__all__ = [
    "Accepted",
    "AccountId",
    "AccountInUse",
    "AccountsElsewhere",
    "AcknowledgedTooMuch",
    "Address",
    "AlreadyLoggedIn",
    "BadStoreUrl",
    "BadUrl",
    "Bounced",
    "Busy",
    "CannotConnect",
    "CannotListen",
    "Chat",
    "ChatError",
    "Client",
    "CloseCode",
    "Closed",
    "Codec",
    "Credentials",
    "DeletionReceipt",
    "DeletionStalled",
    "Delivered",
    "DeliveryMode",
    "Environment",
    "Fenced",
    "FolderMissing",
    "HashSettings",
    "IdempotencyKey",
    "InboxAction",
    "InternalError",
    "InvalidBody",
    "InvalidKey",
    "InvalidPassword",
    "InvalidPattern",
    "InvalidUsername",
    "KeyExpired",
    "KeyReused",
    "Limits",
    "LimitsContradict",
    "Link",
    "LinkClosed",
    "LinkDown",
    "LinkSettings",
    "LinkUp",
    "ListedAccount",
    "Listener",
    "LoggedIn",
    "LoginRequired",
    "MailboxClosing",
    "MailboxFull",
    "MailboxShare",
    "MalformedCommand",
    "MemoryBudget",
    "NameTaken",
    "NoSuchRecipient",
    "NotStarted",
    "OpeningError",
    "OtherAccount",
    "Outage",
    "OutboxAction",
    "OutcomeUnknown",
    "Position",
    "RateExceeded",
    "Received",
    "ReconnectPolicy",
    "Refusal",
    "SchemaUnreadable",
    "SecondLogin",
    "Send",
    "SendPolicy",
    "ServeLink",
    "SessionGone",
    "ShuttingDown",
    "Spawn",
    "Store",
    "StoreInUse",
    "StoreNotOurs",
    "StoreReadOnly",
    "StoreTooNew",
    "StoreUnavailable",
    "TcpLink",
    "TooManyAttempts",
    "TooManyOperations",
    "Transport",
    "UnknownCommand",
    "UnknownStore",
    "Username",
    "WrongCredentials",
    "WrongTransport",
    "connect",
    "greet_server",
    "open_store",
    "register_store",
    "register_transport",
    "serve",
    "system_environment",
    "welcome_client",
]
