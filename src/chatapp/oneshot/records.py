"""What the one-shot commands print, for programs and for people.

The names of the fields are in ``docs/scripting.md``, and stay.
"""

from dataclasses import asdict
from datetime import UTC, datetime

from chatapp import wording
from chatapp.oneshot.record_writer import Record
from chatcore.events import Accepted, Bounced, Delivered
from chatcore.ids import AccountId
from chatcore.model import DeletionReceipt
from transports import ListedAccount


def created(name: str, account: AccountId) -> Record:
    """An account exists now; ``name`` is as it was asked for."""
    fields = {"type": "created", "name": name, "account": account}
    return Record(fields, f"Created {name}.")


def sent(recipient: str, receipt: Accepted, *, line: int = 0) -> Record:
    """A message is stored; ``line`` is the number of its line in the input, if any."""
    picked = _picked(receipt, "recipient_id position sent_at_ms durable")
    fields = {"type": "sent", "recipient": recipient, **picked}
    shown = wording.sent(recipient, receipt)
    return Record(fields | ({"line": line} if line else {}), shown)


def mail(piece: Delivered | Bounced) -> Record:
    """A message, or the notice that some of one's own came back."""
    shown = wording.mail(piece, now=datetime.now(UTC).astimezone())
    if isinstance(piece, Bounced):
        names = "position recipient recipient_id positions sent_at_ms"
        return Record({"type": "bounce", **_picked(piece, names)}, shown)
    names = "position sender sender_id sender_deleted sent_at_ms body"
    return Record({"type": "message", **_picked(piece, names)}, shown)


def _picked(source: object, names: str) -> dict[str, object]:
    """The fields of these names, and no others that may come to be there."""
    return {name: getattr(source, name) for name in names.split()}


def entry(account: ListedAccount) -> Record:
    """One account of a list."""
    fields = {"type": "account", **_picked(account, "username online")}
    return Record(fields, wording.entry(account))


def password_changed(username: str) -> Record:
    """The new password holds; ``username`` is as it was asked for."""
    fields = {"type": "password_changed", "username": username}
    return Record(fields, "The password is changed.")


def deletion(username: str, receipt: DeletionReceipt) -> Record:
    """What a deletion would do, or did; ``username`` is as it was asked for."""
    counts = {key: it for key, it in asdict(receipt).items() if key != "dry_run"}
    fields = {
        "type": "plan" if receipt.dry_run else "deleted",
        "username": username,
        **counts,
    }
    begun = "This would do" if receipt.dry_run else f"Deleted {username}"
    return Record(fields, f"{begun}: {wording.deletion(receipt)}.")
