"""What a client does with each event of the server's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, assert_never

from chatcore.commands import ChangePassword, Command, Login
from chatcore.errors import (
    AccountInUse,
    CloseCode,
    Closed,
    InvalidKey,
    KeyExpired,
    Outage,
    OutcomeUnknown,
    Refusal,
    SessionGone,
)
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
from chatcore.ids import AccountId, ResumeToken
from transports.client.conversation import Conversation
from transports.client.fitting import OWN_ID, misfit
from transports.client.giving_up import LinkGivenUp, UnexpectedEvent
from transports.client.inbox import Inbox
from transports.client.passwords import (
    Try,
    after_refused_repeat,
    is_wrong_password,
    logins_to_try,
)
from transports.client.phases import ClientState, ClientTrigger
from transports.client.reconnect import retry_after_s
from transports.client.welcome import read_limits

_MOST_TOKEN_BYTES: Final = 128
"""Four times a token of ours; a resume has to fit into the smallest frame."""


class EventReader:
    """Takes a conversation's events, one at a time.

    Attributes:
        session: what the login of the current session was answered, if there is one.
    """

    def __init__(self, on_received: Callable[[Received], None]) -> None:
        self._on_received = on_received
        self._inbox_of: AccountId | None = None
        self._tries: list[Try] = []
        self.session: LoggedIn | None = None

    def take(self, conversation: Conversation, event: Event) -> None:
        """Do what an event asks for, if it fits (see ``fitting``).

        Raises:
            LinkGivenUp: it shows that the link is of no more use.
        """
        asked = conversation.pending_commands.asked(getattr(event, "id", OWN_ID))
        if reason := misfit(event, conversation.phase, asked):
            raise UnexpectedEvent(reason)
        self._take(conversation, event, asked)

    def _take(  # noqa: C901, PLR0912  # one case for each event, and no more
        self, conversation: Conversation, event: Event, asked: Command | None
    ) -> None:
        match event:
            case Delivered() | Bounced():
                self._take_mail(conversation, event)
            case Listed():
                conversation.pending_commands.page(event)
            case LoggedIn():
                self._take_login(conversation, event)
            case Resumed():
                self._attach(conversation, after=event)
            case LoggedOut():
                self._end_session(conversation)
                conversation.pending_commands.finish(event.id, event)
            case Deleted():
                if not event.receipt.dry_run:
                    self._end_session(conversation)
                conversation.pending_commands.finish(event.id, event)
            case PasswordChanged():
                self._take_password(conversation, event, asked)
            case Refused():
                if event.id == OWN_ID:
                    self._take_own_refusal(conversation, event.refusal)
                else:
                    self._take_refusal(conversation, event.id, event.refusal)
            case Accepted() | Created() | DeliveryFinished():
                conversation.pending_commands.finish(event.id, event)
            case Started():
                pass
            case Received():
                # None is kept; how much one names is bounded by its frame.
                self._on_received(event)
            case Welcome():
                self._take_welcome(conversation, event)
            case Ping():
                conversation.answer_ping()
            case Closing():
                conversation.last_words = Closed(event.code, event.text)
            case _:
                assert_never(event)

    # ---- a link begins

    @staticmethod
    def _take_welcome(conversation: Conversation, welcome: Welcome) -> None:
        conversation.outgoing.limits = read_limits(welcome)
        conversation.keys.set_server_time(welcome.server_time_ms)
        if conversation.token is None:
            conversation.step(ClientTrigger.WELCOMED)
        else:
            conversation.step(ClientTrigger.WELCOMED_WITH_TOKEN)
            conversation.resume()

    def _take_login(self, conversation: Conversation, login: LoggedIn) -> None:
        is_own = login.id == OWN_ID
        if not is_own and self.session is not None:
            raise UnexpectedEvent("LoggedIn comes to a link that has a session")
        _check_token(login.token)
        if login.account != self._inbox_of:
            if is_own:
                # Somebody else has the name by now (A5): nothing of ours is theirs.
                conversation.end(Closed(CloseCode.ACCOUNT_DELETED))
                return
            conversation.inbox = Inbox()
            self._inbox_of = login.account
        conversation.token = login.token
        self.session = login
        if is_own:
            chosen = self._tries[-1]
            conversation.login = chosen.login
            for command_id in chosen.changed:
                changed = PasswordChanged(command_id, login.token)
                conversation.pending_commands.finish(command_id, changed)
            self._attach(conversation, after=login)
        else:
            command = conversation.pending_commands.asked(login.id)
            conversation.login = command if isinstance(command, Login) else None
            conversation.outgoing.is_attached = True
            self._begin_inbox(conversation, login)
            conversation.pending_commands.finish(login.id, login)
            conversation.wake()  # what was too large before

    def _attach(self, conversation: Conversation, after: Resumed | LoggedIn) -> None:
        """The session goes on over this link."""
        conversation.outgoing.is_attached = True
        self._begin_inbox(conversation, after)
        conversation.step(ClientTrigger.ATTACHED)

    @staticmethod
    def _begin_inbox(conversation: Conversation, after: Resumed | LoggedIn) -> None:
        seen = after.last_seen if isinstance(after, Resumed) else after.acknowledged
        window = conversation.outgoing.limits.window_messages
        conversation.inbox.begin(seen, window=window)

    # ---- a session goes on, and ends

    def _take_mail(self, conversation: Conversation, mail: Delivered | Bounced) -> None:
        if self.session is None:
            raise UnexpectedEvent("Mail comes to a link that has no session")
        if conversation.inbox.receive(mail):
            conversation.mail_came.set()
        else:
            conversation.wake()  # had already: acknowledge it again

    @staticmethod
    def _take_password(
        conversation: Conversation, changed: PasswordChanged, asked: object
    ) -> None:
        """Keep the new password and token (A6); an older server keeps the token."""
        if changed.token:
            _check_token(changed.token)
            conversation.token = changed.token
        if isinstance(asked, ChangePassword) and conversation.login is not None:
            conversation.login = replace(conversation.login, password=asked.new)
        conversation.pending_commands.finish(changed.id, changed)

    def _end_session(self, conversation: Conversation) -> None:
        conversation.token = None
        conversation.login = None
        conversation.outgoing.is_attached = False
        self.session = None
        conversation.mail_came.set()

    # ---- refusals

    def _take_refusal(
        self, conversation: Conversation, command_id: int, refusal: Refusal
    ) -> None:
        """Tell whoever asked, unless asking again can help."""
        pending_commands = conversation.pending_commands
        pending = pending_commands.find(command_id)
        command = pending.command if pending is not None else None
        if isinstance(refusal, AccountInUse) and pending_commands.may_be_ours(
            command_id
        ):
            raise LinkGivenUp("An earlier try may have the account.", refusal=refusal)
        if (
            isinstance(refusal, KeyExpired | InvalidKey)
            and conversation.may_redial
            and pending_commands.may_make_key_anew(command_id)
        ):
            pending_commands.hold_for_key(command_id)
            return
        if (
            isinstance(command, ChangePassword)
            and pending is not None
            and pending.repeated_at_s is not None
        ):
            instead = after_refused_repeat(command, refusal)
            if isinstance(instead, ChangePassword):
                request = pending_commands.ask_instead(command_id, instead)
                conversation.outgoing.add([request])
                conversation.wake()
            else:
                pending_commands.refuse(command_id, instead)
            return
        pending_commands.refuse(command_id, refusal)
        conversation.wake()  # what has waited for a login has to be refused as well

    def _take_own_refusal(self, conversation: Conversation, refusal: Refusal) -> None:
        phase = conversation.phase
        if isinstance(refusal, Outage | AccountInUse):
            raise LinkGivenUp(
                refusal.text, refusal=refusal, retry_after_s=retry_after_s(refusal)
            )
        if phase is ClientState.RESUMING and isinstance(refusal, SessionGone):
            if conversation.login is None:
                conversation.end(refusal)
                return
            changes = conversation.pending_commands.changes_under_way()
            self._tries = logins_to_try(conversation.login, changes)
            conversation.step(ClientTrigger.SESSION_GONE)
            conversation.log_in_again(self._tries[-1].login)
        elif phase is ClientState.LOGGING_IN and is_wrong_password(refusal):
            self._tries.pop()
            if self._tries:
                conversation.log_in_again(self._tries[-1].login)
                return
            for command_id, _ in conversation.pending_commands.changes_under_way():
                conversation.pending_commands.refuse(command_id, OutcomeUnknown())
            conversation.end(refusal)
        elif phase is not ClientState.OPEN:
            conversation.end(refusal)


def _check_token(token: ResumeToken) -> None:
    if len(token) > _MOST_TOKEN_BYTES:
        raise UnexpectedEvent("A token is larger than any that can be shown")
