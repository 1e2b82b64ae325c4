"""How webhooks are sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """How often, how many, how long.

    Attributes:
        attempts: after so many one is kept as failed.
        at_once: so many are under way to one target.
        within_s: so long the whole of one attempt may take.
        first_retry_s: the first wait, at the most; each further one is twice as long.
        longest_retry_s: the longest.
    """

    attempts: int = 36
    at_once: int = 8
    within_s: float = 10.0
    first_retry_s: float = 1.0
    longest_retry_s: float = 3600.0

    def retry_s(self, attempts: int, chance: float) -> float:
        """How long to wait after so many attempts; ``chance`` is from 0 to 1.

        It is half of the wait at the least, so that those that failed together do not
        come together again.
        """
        # 2.0**64 is far above any longest wait, and no overflow.
        doubled = self.first_retry_s * 2.0 ** min(attempts - 1, 64)
        return min(doubled, self.longest_retry_s) * (1 + chance) / 2
