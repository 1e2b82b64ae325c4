"""Who may make an account (A3, A4)."""

from enum import Enum


class Registration(Enum):
    """Who may make an account, besides the operator.

    It says nothing about the users of an application that brings its own (A2).
    """

    OPEN = "open"
    CLOSED = "closed"
