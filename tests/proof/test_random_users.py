"""Random users do anything at all, and see what the model says, step by step (A1 to D6).

A run is a real ``Chat`` over a real store, with links that are lost, days that pass and
servers that are killed between any two calls of the store. After each step everything
that came out of each link is compared with ``model``; at the end ``history`` judges all
that the clients saw. The long way, for a night::

    RANDOM_USERS=long python -m pytest tests/proof/test_random_users.py
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chatcore import Limits, SecondLogin
from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    Delete,
    Deliver,
    DeliveryMode,
    Inbox,
    List,
    Login,
    Logout,
    Outbox,
    Request,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountInUse,
    AcknowledgedTooMuch,
    CloseCode,
    InvalidBody,
    InvalidKey,
    InvalidUsername,
    KeyExpired,
    KeyReused,
    MailboxClosing,
    MailboxFull,
    NameTaken,
    NoSuchRecipient,
    OtherAccount,
    Refusal,
    SessionGone,
    WrongCredentials,
)
from chatcore.events import (
    Accepted,
    Bounced,
    Closing,
    Created,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    Listed,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Ping,
    Received,
    Refused,
    Resumed,
    Started,
)
from chatcore.ids import AccountId, ResumeToken
from chatcore.limits import DAY_MS
from chatcore.model import DeletionReceipt
from tests.proof import history
from tests.proof.model import Letter, Model, Person
from tests.proof.stage import Death, Stage, shelf_of
from world import Peer

LIMITS: Final = Limits(
    mailbox_messages=5,
    window_messages=3,
    bounce_messages=2,
    cleanup_rows=2,
    page_names=1,
    walk_names=2,
)
PASSWORDS: Final = ("correct horse", "battery staple")
RIGHT: Final = st.sampled_from((True, True, True, False))
NAMES: Final = st.sampled_from(("ada", "bob", "cy"))
SOMEBODY: Final = st.integers(0, 11)
YES_OR_NO: Final = st.booleans()

AnEvent = TypeVar("AnEvent", bound=Event)
