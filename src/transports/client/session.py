"""A client's session over its links: what resumes it, and the mail that it brings.

A session is shown by its token on each new link (S3). Where it is gone, the same
account is logged in to again, and its mail goes on where it was (M5).
"""

from dataclasses import replace
from typing import Final

from chatcore.commands import ChangePassword, Login, Prove, Resume
from chatcore.errors import CloseCode, Closed
from chatcore.events import LoggedIn, PasswordChanged, Proved
from chatcore.ids import BEFORE_FIRST, AccountId, Position, ResumeToken
from transports.client.errors import ProtocolError
from transports.client.inbox import Inbox
from transports.client.passwords import Try, logins_to_try

_MOST_TOKEN_BYTES: Final = 128
"""Four times a token of ours; a resume has to fit into the smallest frame."""


class ClientSession:
    """Who is logged in, and what they have of their mail.

    Attributes:
        opened: what the login of the session was answered; None for nobody.
        login: what to log in with again when the session is gone, if that is known.
        inbox: the mail of the account that is logged in, or was last.
        missed: positions that another session has acknowledged, of which this client
            had none, as the last login told.
    """

    def __init__(self) -> None:
        self._token: ResumeToken | None = None
        self._inbox_of: AccountId | None = None
        self._tries: list[Try] = []
        self.opened: LoggedIn | None = None
        self.login: Login | None = None
        self.inbox = Inbox()
        self.missed = range(0)

    @property
    def acknowledged(self) -> Position:
        """Up to where mail of this link is acknowledged."""
        if self.opened is None:
            return BEFORE_FIRST
        inbox = self.inbox
        return min(inbox.acknowledged, inbox.follows)

    # ---- on a link

    def open(self, answer: LoggedIn, login: Login | None, *, window: int) -> None:
        """A caller's login was answered.

        Raises:
            ProtocolError: there is a session, or its token cannot be shown.
        """
        if self.opened is not None:
            raise ProtocolError("LoggedIn comes to a link that has a session")
        _check_token(answer.token)
        if answer.account != self._inbox_of:
            self.inbox = Inbox()
            self.inbox.last_seen = answer.acknowledged
            self._inbox_of = answer.account
        self.login = login
        self._open(answer, window)

    def renewed(self) -> "ClientSession":
        """For a login after an end: nobody is logged in, and mail is as it was."""
        self.end()
        self.inbox.prepare()
        return self

    def resume_command(self) -> Resume | None:
        """What shows the session on a new link; None without one."""
        if self._token is None:
            return None
        self.inbox.prepare()
        login = self.login
        if login is None:
            return Resume(self._token, self.inbox.last_seen)
        return Resume(self._token, self.inbox.last_seen, login.delivery, login.proof)

    def show(self, proof: str) -> None:
        """Show this proof from now on, where there is one and one was shown before."""
        if proof and self.login is not None and self.login.proof:
            self.login = replace(self.login, proof=proof)

    # ---- a session that is gone

    def log_in_again(self, changes: list[tuple[int, ChangePassword]]) -> Login | None:
        """The login to ask first; None where nothing is known to log in with.

        ``changes`` of the password may have been carried out (see ``passwords``).
        """
        if self.login is None:
            return None
        self._tries = logins_to_try(self.login, changes)
        return self._tries[-1].login

    def next_login(self) -> Login | None:
        """The login to ask where the one before was wrong; None after the last."""
        self._tries.pop()
        return self._tries[-1].login if self._tries else None

    def reopened(self, answer: LoggedIn, *, window: int) -> tuple[int, ...]:
        """Another session goes on over this link; the changes that have happened.

        Raises:
            Closed: somebody else has the name by now (A5): nothing of ours is theirs.
            ProtocolError: its token cannot be shown.
        """
        _check_token(answer.token)
        if answer.account != self._inbox_of:
            raise Closed(CloseCode.ACCOUNT_DELETED)
        chosen = self._tries[-1]
        self.login = chosen.login
        self._open(answer, window)
        return chosen.changed

    # ---- what else becomes of it

    def change_shown(self, changed: PasswordChanged | Proved, asked: object) -> None:
        """Keep the new proof, or the new password and token (A6); an older server keeps
        the token.
        """
        if isinstance(asked, Prove):
            self.show(asked.proof)
        if isinstance(changed, PasswordChanged) and changed.token:
            _check_token(changed.token)
            self._token = changed.token
        if isinstance(asked, ChangePassword) and self.login is not None:
            self.login = replace(self.login, password=asked.new)

    def end(self) -> None:
        """Nobody is logged in any more."""
        self._token = self.login = self.opened = None

    def _open(self, answer: LoggedIn, window: int) -> None:
        self._token = answer.token
        self.opened = answer
        self.missed = range(self.inbox.last_seen + 1, answer.acknowledged + 1)
        self.inbox.begin(answer.acknowledged, window=window)


def _check_token(token: ResumeToken) -> None:
    if len(token) > _MOST_TOKEN_BYTES:
        raise ProtocolError("A token is larger than any that can be shown")
