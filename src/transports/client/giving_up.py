"""Why a client gives up a link that is still there: it then tries another one."""

from chatcore.errors import ChatError, Refusal


class LinkGivenUp(ChatError):
    """A link is of no more use.

    Attributes:
        reason: one sentence, which names no content of an event.
        refusal: what the server has refused the session with, if that is why.
        retry_after_s: how long it asks to be left alone.
    """

    def __init__(
        self,
        reason: str,
        *,
        refusal: Refusal | None = None,
        retry_after_s: float = 0.0,
    ) -> None:
        self.reason = reason
        self.refusal = refusal
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class UnexpectedEvent(LinkGivenUp):
    """An event that the server has no reason to send now: it is not to be trusted."""
