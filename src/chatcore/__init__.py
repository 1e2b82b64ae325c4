"""The rules of a chat, without any transport, store or clock."""

from chatcore.chat import Chat
from chatcore.limits import Limits
from chatcore.logins import SecondLogin

__all__ = ["Chat", "Limits", "SecondLogin"]
