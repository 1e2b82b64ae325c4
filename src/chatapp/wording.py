"""What a shell says, in words."""

from datetime import datetime

from chatcore.events import Accepted, Bounced, Delivered, LoggedIn
from chatcore.model import DeletionReceipt
from transports import ListedAccount


def mail(piece: Delivered | Bounced, *, now: datetime) -> str:
    """``[19:38] ada: text``, or a line of what was discarded."""
    at = _at(piece.sent_at_ms, now)
    if isinstance(piece, Bounced):
        lost = _count(len(piece.positions), "message")
        return (
            f"[{at}] -- {lost} to {piece.recipient} came back unread: "
            "the account was deleted"
        )
    deleted = " (deleted)" if piece.sender_deleted else ""
    return f"[{at}] {piece.sender}{deleted}: {piece.body}"


def login(event: LoggedIn) -> str:
    """Who is logged in, and what waits."""
    if not event.queued:
        return f"Logged in as {event.username}; nothing waits."
    return f"Logged in as {event.username}; waiting: {event.queued}."


def sent(recipient: str, receipt: Accepted) -> str:
    """The receipt of a message."""
    kept = "" if receipt.durable else ", in memory only"
    return f"Sent to {recipient} (number {receipt.position} of that mailbox{kept})."


def entry(account: ListedAccount) -> str:
    """One line of a list."""
    return f"{account.username} {'online' if account.online else 'offline'}"


def listed(accounts: int) -> str:
    """The last line of a list."""
    return f"{_count(accounts, 'account')}."


def delivered(messages: int) -> str:
    """What ``deliver`` did."""
    return f"Delivered: {messages}." if messages else "Nothing waits any more."


def deletion(receipt: DeletionReceipt) -> str:
    """What a deletion did, or would do."""
    return (
        f"waiting messages delivered: {receipt.delivered}, "
        f"discarded: {receipt.discarded} (senders told: {receipt.bounces}); "
        f"sent messages kept: {receipt.kept}, taken back: {receipt.retracted}"
    )


def _at(sent_at_ms: int, now: datetime) -> str:
    """The local time, with the date unless it is today's."""
    try:
        at = datetime.fromtimestamp(sent_at_ms / 1000, now.tzinfo)
    except (ValueError, OverflowError, OSError):  # what no calendar has
        return "?"
    return at.strftime("%H:%M" if at.date() == now.date() else "%Y-%m-%d %H:%M")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
