"""What the operator has given webhooks that they cannot be sent with."""


class BadWebhookTarget(ValueError):
    """A URL that no webhook can be sent to."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"No webhook can be sent to {url!r}: {reason}")


class BadWebhookSecret(ValueError):
    """A secret that nothing can be signed with; it is not told."""
