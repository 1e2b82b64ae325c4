"""The mail of one session that its calls have been given and none has acknowledged.

A call may end before its peer has read what it was given, so the next one that wants
mail is given all of it again. The session's window bounds how much that is.
"""

from collections import deque

from transports.codec._generated import chat_pb2 as pb
from transports.grpc.answers import Answers, mail_position


class UnacknowledgedMail:
    """Messages and bounces in order, and the calls that read them."""

    def __init__(self) -> None:
        self._unacknowledged: deque[pb.Event] = deque()
        self._readers: list[Answers] = []

    def put(self, event: pb.Event) -> None:
        """Give each reader what was delivered, and keep it."""
        self._unacknowledged.append(event)
        for reader in self._readers:
            reader.put(event)

    def begin(self, reader: Answers) -> None:
        """Give a call what is not acknowledged, and then what comes."""
        reader.put(*self._unacknowledged)
        self._readers.append(reader)

    def leave(self, reader: Answers) -> None:
        """Give a call no more, if it ever was given any."""
        if reader in self._readers:
            self._readers.remove(reader)

    def forget(self, position: int) -> None:
        """Drop what is acknowledged, up to ``position``."""
        mail = self._unacknowledged
        while mail and mail_position(mail[0]) <= position:
            mail.popleft()
        for reader in self._readers:
            reader.forget(position)
