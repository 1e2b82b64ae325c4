"""The names of a server's connections in its log: ``c1``, ``c2``, and so on.

The task that serves a connection is given its name, and whatever it starts inherits it
(a context variable), so that each line which is logged on the way can be told to be
about that connection, also those of libraries. It costs a message nothing.
"""

import logging
from contextvars import ContextVar
from itertools import count
from typing import Final

CONNECTION_FIELD: Final = "connection"
"""The attribute of a log record that has the name."""

_NAME: Final[ContextVar[str]] = ContextVar("connection_name", default="")
# What process ids are to a machine: no two connections of one process have the same.
_NUMBERS: Final = count(1)


def name_connection() -> str:
    """Give the running task the next name, whatever it had."""
    name = f"c{next(_NUMBERS)}"
    _NAME.set(name)
    return name


def connection_name() -> str:
    """The name of the connection that the running task serves; one that has none yet
    gets one.
    """
    return _NAME.get() or name_connection()


class ConnectionFilter(logging.Filter):
    """Gives each record the name of the connection that it is about; see ``logging``.

    It is empty where a line is about none. A record that has one already keeps it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """See ``logging.Filter``; it leaves nothing out."""
        if not hasattr(record, CONNECTION_FIELD):
            setattr(record, CONNECTION_FIELD, _NAME.get())
        return True
