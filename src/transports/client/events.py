"""What a client does with each event of the server's."""

from collections.abc import Callable
from typing import assert_never

from chatcore.commands import Login
from chatcore.errors import AccountInUse, CloseCode, Closed, Outage, SessionGone
from chatcore.events import (
    Accepted,
    Bounced,
    Closing,
    Created,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    Listed,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Ping,
    Received,
    Refused,
    Resumed,
    Started,
    Welcome,
)
from chatcore.ids import AccountId
from transports.client.conversation import Conversation
from transports.client.inbox import Inbox
from transports.client.keys import KeyMaker
from transports.client.phases import Phase, Step

_OWN_ID = 0
"""The id of commands that the conversation itself asks: no caller's has it."""


class EventReader:
    """Takes a conversation's events, one at a time.

    Attributes:
        session: what the login of the current session was answered, if there is one.
    """

    def __init__(self, keys: KeyMaker, on_received: Callable[[Received], None]) -> None:
        self._keys = keys
        self._on_received = on_received
        self._inbox_of: AccountId | None = None
        self.session: LoggedIn | None = None

    def take(  # noqa: C901, PLR0912  # one case for each event, and no more
        self, conversation: Conversation, event: Event
    ) -> None:
        """Do what an event asks for.

        Raises:
            MailMissing: a delivery shows that another was lost; give up the link.
        """
        match event:
            case Delivered() | Bounced():
                if conversation.inbox.receive(event):
                    conversation.mail_came.set()
                else:
                    conversation.wake()  # had already: acknowledge it again
            case Listed():
                conversation.outstanding.page(event)
            case LoggedIn():
                self._take_login(conversation, event)
            case Resumed():
                conversation.inbox.begin(event.last_seen)
                conversation.step(Step.ATTACHED)
            case LoggedOut():
                self._end_session(conversation)
                conversation.outstanding.finish(event.id, event)
            case Deleted():
                if not event.receipt.dry_run:
                    self._end_session(conversation)
                conversation.outstanding.finish(event.id, event)
            case Refused():
                self._take_refusal(conversation, event)
            case Accepted() | Created() | DeliveryFinished() | PasswordChanged():
                conversation.outstanding.finish(event.id, event)
            case Started():
                pass
            case Received():
                self._on_received(event)
            case Welcome():
                self._take_welcome(conversation, event)
            case Ping():
                conversation.answer_ping()
            case Closing():
                conversation.last_words = Closed(event.code, event.text)
            case _:
                assert_never(event)

    def _take_welcome(self, conversation: Conversation, welcome: Welcome) -> None:
        self._keys.set_server_time(welcome.server_time_ms)
        conversation.frame_bytes = welcome.frame_bytes
        conversation.body_bytes = welcome.body_bytes
        if conversation.token is None:
            conversation.step(Step.WELCOMED)
        else:
            conversation.step(Step.WELCOMED_WITH_TOKEN)
            conversation.resume()

    def _take_login(self, conversation: Conversation, login: LoggedIn) -> None:
        if login.account != self._inbox_of:
            if login.id == _OWN_ID:
                # Somebody else has the name by now (A5): nothing of ours is theirs.
                conversation.end(Closed(CloseCode.ACCOUNT_DELETED))
                return
            conversation.inbox = Inbox()
            self._inbox_of = login.account
        conversation.inbox.begin(login.acknowledged)
        conversation.token = login.token
        self.session = login
        if login.id == _OWN_ID:
            conversation.step(Step.ATTACHED)
        else:
            command = conversation.outstanding.command(login.id)
            conversation.login = command if isinstance(command, Login) else None
            conversation.outstanding.finish(login.id, login)

    def _end_session(self, conversation: Conversation) -> None:
        conversation.token = None
        conversation.login = None
        self.session = None
        conversation.mail_came.set()

    def _take_refusal(self, conversation: Conversation, refused: Refused) -> None:
        refusal = refused.refusal
        if refused.id != _OWN_ID:
            if isinstance(
                refusal, AccountInUse
            ) and conversation.outstanding.may_be_ours(refused.id):
                conversation.drop_link()  # and ask again on the next
            else:
                conversation.outstanding.refuse(refused.id, refusal)
        elif conversation.phase is Phase.RESUMING and isinstance(refusal, SessionGone):
            if conversation.login is None:
                conversation.end(refusal)
            else:
                conversation.step(Step.SESSION_GONE)
                conversation.log_in_again()
        elif isinstance(refusal, Outage | AccountInUse):
            conversation.drop_link()
        elif conversation.phase is not Phase.OPEN:
            conversation.end(refusal)
