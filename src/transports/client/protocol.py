"""The client's end of the protocol, over as many links as it takes (S3, M5).

It does no I/O and reads no clock: what callers ask, frames and lost links go in; frames
to write and events (``events``) come out; time and jitter are arguments. Around it
somebody dials, reads and writes (``driver``).

When a link ends it dials again, the next URL each time, resumes the session, and
repeats what has no answer under the same keys. While nobody is logged in and nothing is
asked it needs no link, and dials none.
"""

from collections.abc import Sequence
from typing import assert_never

from chatcore import events
from chatcore.commands import Command, Login, Send
from chatcore.errors import (
    AccountInUse,
    ChatError,
    CloseCode,
    Closed,
    InvalidKey,
    InvalidPassword,
    KeyExpired,
    Outage,
    OutcomeUnknown,
    ProofRequired,
    Refusal,
    SessionGone,
    WrongCredentials,
)
from transports.client.errors import LinkFailed, ProtocolError, SessionRefused
from transports.client.events import (
    ClientEnded,
    ClientEvent,
    LinkDown,
    LinkFailure,
    LinkRejected,
    LinkUp,
    MailArrived,
    SessionEnded,
)
from transports.client.key_generator import KeyGenerator, steady_ms
from transports.client.limits import LARGEST_FRAME, read_limits
from transports.client.pending_commands import PendingCommands
from transports.client.reconnect import Attempts, ReconnectPolicy, retry_after_s
from transports.client.send_buffer import SendBuffer
from transports.client.session import ClientSession
from transports.client.states import (
    CLIENT_STATES,
    OWN_ID,
    ClientState,
    ClientTrigger,
    why_unexpected,
)
from transports.codec import BrokenFrame, Codec


class ClientProtocol:
    """One client of one server; see the module.

    Attributes:
        state: how far the current link is (see ``states``).
        dial_after_s: how long to wait before the next ``next_url``, while dialling.
        failure: why nothing can be asked any more; None until the end.
        unsent: after the end, the messages that had no answer.
        proof_failure: why no new proof could be shown before the last expires.
    """

    _codec: Codec

    def __init__(
        self,
        urls: Sequence[str],
        reconnect: ReconnectPolicy | None,
        keys: KeyGenerator,
        *,
        now_s: float,
    ) -> None:
        self._keys = keys
        self._attempts = Attempts(urls, reconnect, now_s)
        self._events: list[ClientEvent] = []
        self._pending = PendingCommands(self._tell, keys)
        self._buffer = SendBuffer(self._pending)
        self._session = ClientSession()
        self._mail_was_told = False
        self.state = ClientState.DIALLING
        self.dial_after_s = 0.0
        self.failure: ChatError | None = None
        self.unsent: list[Send] = []
        self.proof_failure: ChatError | None = None

    def renewed(self, now_s: float) -> "ClientProtocol":
        """Another, for a login after this one's end: it has the same mail and keys."""
        other = ClientProtocol([], None, self._keys, now_s=now_s)
        other._attempts = self._attempts.renewed(now_s)
        other._session = self._session.renewed()
        other._pending.number_after(self._pending.last_id)
        return other

    @property
    def session(self) -> events.LoggedIn | None:
        """What the login of the current session was answered; None without one."""
        return self._session.opened

    @property
    def missed(self) -> range:
        """See ``ClientSession``."""
        return self._session.missed

    @property
    def is_link_over(self) -> bool:
        """Whether a link that is still there is to be aborted."""
        return self._attempts.rejected is not None or self.state is ClientState.ENDED

    def take_events(self) -> list[ClientEvent]:
        """What has happened since this was last called, in order."""
        events, self._events = self._events, []
        self._mail_was_told = False
        return events

    def _tell(self, event: ClientEvent) -> None:
        self._events.append(event)

    # ---- what callers ask

    def ask(self, command: Command, now_s: float) -> int:
        """Ask a command; the id under which it will be answered or refused.

        A send, create or delete without a key gets one (M2, D6), but for a dry run. A
        body that no server takes is refused at once (M6).

        Raises:
            ChatError: nothing can be asked any more; see ``failure``.
        """
        if self.failure is not None:
            raise self.failure
        command_id = self._pending.add(command, now_s)
        if isinstance(command, Send) and (
            refusal := self._buffer.limits.refusal_of(command.body)
        ):
            self._pending.withdraw(command_id, refusal)
        elif self.state is ClientState.IDLE:
            self._attempts.restart(now_s)
            self._step(ClientTrigger.ASKED)
        return command_id

    def abandon(self, command_id: int) -> None:
        """Nobody waits for this command any more.

        It is not asked if it has waited for others; what was written may be carried
        out. A list's pages are dropped.
        """
        self._pending.abandon(command_id)

    def take_page(self, command_id: int) -> events.Listed | None:
        """The next page of a list, in order; None where none is there now.

        Where pages were dropped, since nobody took them, asking after the last that
        was kept has the list asked again.
        """
        return self._pending.take_page(command_id)

    def take_mail(self) -> events.Delivered | events.Bounced | None:
        """The next piece of mail; asking for it acknowledges the one before (M5)."""
        return self._session.inbox.hand_over()

    def acknowledge(self) -> None:
        """Acknowledge all mail that was taken."""
        self._session.inbox.acknowledge_handed()

    # ---- links

    def next_url(self) -> str:
        """Where to dial now."""
        return self._attempts.next_url()

    def link_opened(self, codec: Codec, proof: str = "") -> None:
        """A link to the URL is there, for frames of this codec; where the login showed
        a proof, this one is shown from now on, if there is one.
        """
        self._session.show(proof)
        self._codec = self._buffer.codec = codec
        self._step(ClientTrigger.LINKED)

    def link_lost(self, error: LinkFailure, *, now_s: float, jitter: float) -> None:
        """There is no link at the URL, or no longer; ``jitter`` is drawn from 0 to 1.

        Afterwards the state says what is next: dialling after ``dial_after_s``, waiting
        until something is asked, or nothing.
        """
        if self.state is ClientState.ENDED:
            return
        attempts = self._attempts
        if reason := attempts.reason_to_end(error):
            is_expired = getattr(reason, "code", None) is CloseCode.PROOF_EXPIRED
            self.end((is_expired and self.proof_failure) or reason)
            return
        if self.state is ClientState.OPEN:
            attempts.was_open(now_s)
            self._tell(LinkDown(attempts.url))
        self._step(ClientTrigger.LINK_LOST)
        self._buffer.clear()
        if self._is_idle:
            self._step(ClientTrigger.NOT_NEEDED)
            self.dial_after_s = 0.0
            return
        wait = attempts.wait_s(now_s, error, jitter)
        if isinstance(wait, ChatError):
            self.end(wait)
        else:
            self.dial_after_s = wait

    def end(self, failure: ChatError) -> None:
        """End for good: whoever waits is told why, and nothing can be asked."""
        if self.state is ClientState.ENDED:
            return
        self.failure = failure
        self._step(ClientTrigger.ENDED)
        self.unsent = self._pending.refuse_all(failure)
        self._tell(ClientEnded(failure))

    @property
    def _is_idle(self) -> bool:
        """Whether no link is needed, since nobody would say anything on it (B3)."""
        attempts = self._attempts
        return (
            attempts.has_opened
            and attempts.may_redial
            and self.session is None
            and not self._pending.is_awaited
        )

    def _step(self, trigger: ClientTrigger) -> None:
        self.state = CLIENT_STATES[self.state, trigger]

    def _open(self, trigger: ClientTrigger, now_s: float) -> None:
        """Commands flow from now on, first those that have no answer."""
        self._step(trigger)
        self._attempts.opened(now_s)
        self._buffer.add(self._pending.to_repeat(now_s))
        self._tell(LinkUp(self._attempts.url))

    def _reject(self, error: LinkFailed) -> None:
        self._attempts.reject(error)
        self._tell(LinkRejected(self._attempts.url, error))

    # ---- frames out

    @property
    def wants_to_write(self) -> bool:
        """Whether ``frames_to_send`` has something to say."""
        buffer = self._buffer
        if self._attempts.rejected is not None:
            return False
        if buffer.has_own:
            return True
        return self.state is ClientState.OPEN and (
            buffer.has_requests
            or (self._pending.may_admit and not buffer.is_blocked)
            or self._session.acknowledged > buffer.acknowledged
        )

    def frames_to_send(self) -> list[bytes]:
        """All that can be written now, in as few frames as hold it."""
        if not self.wants_to_write:
            return []
        is_open = self.state is ClientState.OPEN
        if is_open:
            self._buffer.add(self._pending.admit())
        try:
            return self._buffer.frames(
                is_open=is_open, acknowledged=self._session.acknowledged
            )
        except LinkFailed as error:
            self._reject(error)
            return []

    # ---- frames in

    def receive_frame(self, frame: bytes, now_s: float) -> None:
        """Take a frame of the server's.

        One that shows that the link is of no more use has it rejected: the rest of
        what it brings is not read.
        """
        if self.is_link_over:
            return
        try:
            self._receive(frame, now_s)
        except BrokenFrame as error:
            self._reject(LinkFailed(str(error)))
        except LinkFailed as error:
            self._reject(error)

    def _receive(self, frame: bytes, now_s: float) -> None:
        if len(frame) > LARGEST_FRAME:
            raise LinkFailed("A frame is larger than a client reads.")
        pending = self._pending
        for event in self._codec.decode_events(frame):
            if self.state is ClientState.ENDED:
                return
            asked = pending.asked(getattr(event, "id", OWN_ID))
            if reason := why_unexpected(event, self.state, asked):
                raise ProtocolError(reason)
            self._take(event, asked, now_s)
        if self.state is ClientState.OPEN and pending.wants_new_clock:
            raise LinkFailed("Keys have to be made by the server's clock of now.")

    def _take(  # noqa: C901, PLR0912  # one case for each event, and no more
        self, event: events.Event, asked: Command | None, now_s: float
    ) -> None:
        match event:
            case events.Accepted() | events.Created() | events.DeliveryFinished():
                self._pending.finish(event.id, event)
            case events.Delivered() | events.Bounced():
                self._take_mail(event)
            case events.Listed():
                self._pending.page(event)
            case events.LoggedIn():
                self._take_login(event, asked, now_s)
            case events.Resumed():
                self._session.inbox.begin(event.last_seen, window=self._window)
                self._buffer.is_attached = True
                self._open(ClientTrigger.ATTACHED, now_s)
            case events.LoggedOut():
                self._end_session()
                self._pending.finish(event.id, event)
            case events.Deleted():
                if not event.receipt.dry_run:
                    self._end_session()
                self._pending.finish(event.id, event)
            case events.PasswordChanged() | events.Proved():
                self._session.change_shown(event, asked)
                self._pending.finish(event.id, event)
            case events.Refused():
                if event.id == OWN_ID:
                    self._take_own_refusal(event.refusal)
                else:
                    self._take_refusal(event.id, event.refusal, now_s)
            case events.Started():
                pass
            case events.Received() | events.Expiring():
                # How much one names is bounded by its frame.
                self._tell(event)
            case events.Welcome():
                self._take_welcome(event, now_s)
            case events.Ping():
                self._buffer.owe_pong()
            case events.Closing():
                self._attempts.last_words = Closed(event.code, event.text)
            case _:
                assert_never(event)

    @property
    def _window(self) -> int:
        return self._buffer.limits.window_messages

    def _take_welcome(self, welcome: events.Welcome, now_s: float) -> None:
        self._buffer.limits = read_limits(welcome)
        self._keys.set_server_time(welcome.server_time_ms, steady_ms(now_s))
        resume = self._session.resume_command()
        if resume is None:
            self._open(ClientTrigger.WELCOMED, now_s)
        else:
            self._step(ClientTrigger.WELCOMED_WITH_TOKEN)
            self._buffer.say(resume)

    def _take_mail(self, mail: events.Delivered | events.Bounced) -> None:
        if self.session is None:
            raise ProtocolError("Mail comes to a link that has no session")
        if self._session.inbox.receive(mail) and not self._mail_was_told:
            self._mail_was_told = True
            self._tell(MailArrived())

    def _take_login(
        self, answer: events.LoggedIn, asked: Command | None, now_s: float
    ) -> None:
        if answer.id != OWN_ID:
            login = asked if isinstance(asked, Login) else None
            self._session.open(answer, login, window=self._window)
            self._buffer.attach(answer.acknowledged)
            self._pending.finish(answer.id, answer)
            return
        try:
            changed = self._session.reopened(answer, window=self._window)
        except Closed as closed:
            self.end(closed)
            return
        for command_id in changed:
            self._pending.finish(
                command_id, events.PasswordChanged(command_id, answer.token)
            )
        self._buffer.is_attached = True
        self._open(ClientTrigger.ATTACHED, now_s)

    def _end_session(self) -> None:
        self._session.end()
        self._buffer.is_attached = False
        self._tell(SessionEnded())

    # ---- refusals

    def _take_refusal(self, command_id: int, refusal: Refusal, now_s: float) -> None:
        """Tell whoever asked, unless asking again can help."""
        pending = self._pending
        if isinstance(refusal, AccountInUse) and pending.may_be_own_session(
            command_id, now_s
        ):
            raise SessionRefused("An earlier try may have the account.", refusal)
        if (
            isinstance(refusal, KeyExpired | InvalidKey)
            and self._attempts.may_redial
            and pending.may_make_key_anew(command_id)
        ):
            pending.hold_for_key(command_id)
        elif pending.is_repeated_change(command_id):
            if request := pending.retry_password(command_id, refusal):
                self._buffer.add([request])
        else:
            pending.finish(command_id, refusal)
            # What has waited for a login is refused as well, or waits for another.
            self._buffer.is_blocked = False

    def _take_own_refusal(self, refusal: Refusal) -> None:
        if isinstance(refusal, Outage | AccountInUse):
            asked_s = retry_after_s(refusal)
            raise SessionRefused(refusal.text, refusal, retry_after_s=asked_s)
        login = None
        if self.state is ClientState.RESUMING and isinstance(
            refusal, SessionGone | ProofRequired
        ):
            login = self._session.log_in_again(self._pending.changes_under_way())
            if login is not None:
                self._step(ClientTrigger.SESSION_GONE)
        elif self.state is ClientState.LOGGING_IN and isinstance(
            refusal, WrongCredentials | InvalidPassword
        ):
            login = self._session.next_login()
            if login is None:
                for command_id, _ in self._pending.changes_under_way():
                    self._pending.finish(command_id, OutcomeUnknown())
        elif self.state is ClientState.OPEN:
            return  # an acknowledgement that came to nothing
        if login is None:
            self.end(refusal)
        else:
            self._buffer.say(login)
