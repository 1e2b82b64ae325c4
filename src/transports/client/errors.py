"""Why a client ends a link that is still there: it then tries another one.

    LinkFailed
    ├── ProtocolError      an event that the server has no reason to send now
    ├── MailMissing        a delivery follows a position that this client never had
    ├── WindowExceeded     more mail than the server's own window allows
    └── SessionRefused     the server does not let the session go on here, or not yet

Callers see none of these: they see ``Closed`` where no other link follows,
``ClientMisused`` where they ask a client in a way that cannot be answered, and
``ProofFailed`` where there is nothing to show a server.
"""

from chatcore.errors import ChatError, Refusal


class ClientMisused(RuntimeError):
    """A client was asked from where it cannot answer: a fault of the caller."""


class ProofFailed(ChatError):
    """The application's function gave no proof; what it has raised is the cause.

    Attributes:
        reason: what it did instead.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The function that fetches proofs failed: {reason}.")


class LinkFailed(ChatError):
    """A link is of no more use.

    Attributes:
        reason: one sentence, which names no content of an event.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ProtocolError(LinkFailed):
    """An event that the server has no reason to send now: it is not to be trusted."""


class MailMissing(LinkFailed):
    """A delivery follows a position that this client never had.

    The session is resumed on another link, after what the client does have.
    """

    def __init__(self, follows: int, expected: int) -> None:
        self.follows = follows
        self.expected = expected
        super().__init__(f"A delivery follows {follows}, the last was {expected}.")


class WindowExceeded(LinkFailed):
    """The server delivers more than its window allows while nobody reads (W8)."""

    def __init__(self, window: int) -> None:
        self.window = window
        super().__init__(f"It delivers over its window of {window}.")


class SessionRefused(LinkFailed):
    """The server refuses the session for now.

    Attributes:
        refusal: with what.
        retry_after_s: how long it asks to be left alone.
    """

    def __init__(
        self, reason: str, refusal: Refusal, *, retry_after_s: float = 0.0
    ) -> None:
        self.refusal = refusal
        self.retry_after_s = retry_after_s
        super().__init__(reason)
