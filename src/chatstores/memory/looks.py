"""What an operator is shown of the rows."""

from chatcore.ids import AccountId
from chatcore.model import (
    AccountRecord,
    MailboxContents,
    Place,
    SentMessage,
    SentPage,
)
from chatstores.memory.rows import AccountRow, MailboxRow, Rows, StoredMessage


def contents(box: MailboxRow) -> MailboxContents:
    """A mailbox in numbers."""
    messages = [it for it in box.mail if isinstance(it, StoredMessage)]
    return MailboxContents(
        messages=len(messages),
        bounces=len(box.mail) - len(messages),
        body_bytes=sum(it.body_bytes for it in messages),
        senders=len({it.sender.id for it in messages}),
        oldest_at_ms=min((it.sent_at_ms for it in box.mail), default=0),
    )


def record(row: AccountRow) -> AccountRecord:
    """What is kept about a live account."""
    return AccountRecord(
        created_at_ms=row.created_at_ms,
        epoch=row.epoch,
        has_session=row.token_hash is not None,
        logins_at_ms=tuple(sorted(row.addresses.values())),
    )


def sent(rows: Rows, account: AccountId, after: Place, messages: int) -> SentPage:
    """What a live account has in the next mailbox of another that has any."""
    owner = rows.accounts.get(account)
    for recipient in sorted(it for it in rows.boxes if it >= after.account):
        found = [
            SentMessage(
                rows.accounts[recipient].username,
                recipient,
                it.position,
                it.body,
                it.sent_at_ms,
            )
            for it in rows.boxes[recipient].mail
            if isinstance(it, StoredMessage)
            and it.sender is owner
            and recipient != account
            and (recipient, it.position) > after
        ][:messages]
        if found:
            return SentPage(found, Place(recipient, found[-1].position))
    return SentPage((), None)
