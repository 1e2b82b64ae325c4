"""What is shown of the rows, summed up and in pages."""

from collections.abc import Iterator, Sequence
from itertools import islice

from chatcore.ids import AccountId
from chatcore.model import (
    AccountRecord,
    Bounce,
    Place,
    SenderShare,
    SentPage,
    SentPlace,
)
from chatstores.memory.rows import Rows


class Summaries:
    """The part of ``chatcore.store.Store`` that counts and looks over what there is."""

    _rows: Rows

    async def shares(self, account: AccountId) -> Sequence[SenderShare]:
        """What the mailbox holds now, summed up for each sender."""
        rows = self._rows
        box = rows.boxes.get(account)
        found: dict[AccountId, SenderShare] = {}
        for it in box.mail if box is not None else ():
            if isinstance(it, Bounce):
                sender, messages, size = it.recipient_id, 0, 0
            else:
                sender, messages, size = it.sender.id, 1, it.body_bytes
            known = found.get(sender)
            if known is None:
                gone = sender not in rows.accounts
                known = SenderShare(sender, gone, 0, 0, 0, it.sent_at_ms)
            found[sender] = known._replace(
                messages=known.messages + messages,
                bounces=known.bounces + 1 - messages,
                body_bytes=known.body_bytes + size,
                oldest_at_ms=min(known.oldest_at_ms, it.sent_at_ms),
            )
        return [found[sender] for sender in sorted(found)]

    async def account_record(self, account: AccountId) -> AccountRecord | None:
        """What is kept about a live account."""
        row = self._rows.accounts.get(account)
        if row is None:
            return None
        return AccountRecord(
            created_at_ms=row.created_at_ms,
            epoch=row.epoch,
            has_session=row.token_hash is not None,
            logins_at_ms=tuple(sorted(row.addresses.values())),
        )

    async def sent(
        self, account: AccountId, *, after: Place, messages: int
    ) -> SentPage:
        """The next of what a live account has in others' mailboxes."""
        places = list(islice(self._sent_after(account, after), messages))
        if len(places) < messages:
            return SentPage(places, None)
        return SentPage(places, Place(*places[-1][1:]))

    def _sent_after(self, account: AccountId, after: Place) -> Iterator[SentPlace]:
        rows = self._rows
        sender = rows.accounts.get(account)
        for recipient, box in rows.boxes.items():  # by their ids, which only rise
            if recipient == account or recipient < after.account:
                continue
            name = rows.accounts[recipient].username
            for it in box.stored():
                if it.sender is sender and (recipient, it.position) > after:
                    yield SentPlace(name, recipient, it.position)
