"""Messages that had no answer when their session ended (M2).

Whoever waited for them was told why it ended. They may have been stored: they are sent
again under the keys that they had, and by the account whose keys those are.
"""

from collections.abc import Iterable, Sequence

from chatcore.commands import Send
from chatcore.errors import Closed
from chatcore.ids import AccountId
from transports.client.events import Answer


class UnsentMessages:
    """What one account has to send again; another account's end forgets it."""

    def __init__(self) -> None:
        self._account: AccountId | None = None
        self._by_key: dict[bytes, Send] = {}

    def keep(self, account: AccountId, sends: Iterable[Send]) -> None:
        """Keep what had no answer, after what is kept already."""
        if account != self._account:
            self._account = account
            self._by_key.clear()
        for send in sends:
            self._by_key.setdefault(send.key, send)

    def of(self, account: AccountId) -> Sequence[Send]:
        """What this account has to send again, in the order of its first asking."""
        return [*self._by_key.values()] if account == self._account else []

    def forget(self, sends: Iterable[Send], answers: Iterable[Answer]) -> None:
        """Forget those that were answered: accepted, or refused by the server."""
        for send, answer in zip(sends, answers, strict=True):
            if not isinstance(answer, Closed):
                self._by_key.pop(send.key, None)
