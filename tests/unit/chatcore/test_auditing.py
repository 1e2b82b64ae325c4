"""What becomes of accounts is told to the observer: what was done, and what was not."""

import unittest

from chatcore.commands import (
    ChangePassword,
    Create,
    Delete,
    InboxAction,
    Login,
    Logout,
    Pong,
    Send,
)
from chatcore.errors import StoreUnavailable
from chatcore.ids import AccountId, Username
from chatcore.model import AuditAction, AuditEvent, Origin
from chatcore.ports import NO_OBSERVER
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule

HERE = Origin("c7", "tcp", "192.0.2.1:5")
WRONG = "wrong horse"


def login(username: str, password: str) -> Login:
    """A login."""
    return Login(username=username, password=password)


Told = tuple[str, str | None, int | None, int]


def told(event: AuditEvent) -> Told:
    """Action, name, account and the number of the refusal (0: it was done)."""
    code = event.refusal.code if event.refusal is not None else 0
    return event.action.value, event.username, event.account, code


class AuditTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.peer = self.fixture.peer(origin=HERE)
        self.events = self.fixture.surroundings.records.events

    @property
    def told(self) -> list[Told]:
        return [told(it) for it in self.events]

    def test_what_is_done_with_an_account_is_told_with_where_it_was_asked(self) -> None:
        for command in (
            Create("Ada", PASSWORD),
            login("ada", PASSWORD),
            ChangePassword(PASSWORD, "another horse"),
            Delete(username="ada", password="another horse", inbox=InboxAction.DISCARD),
        ):
            self.peer.do(command)

        self.assertEqual(
            self.told,
            [
                ("create", "ada", 1, 0),
                ("login", "ada", 1, 0),
                ("change_password", "ada", 1, 0),
                ("delete", "ada", 1, 0),
            ],
        )
        self.assertEqual({it.origin for it in self.events}, {HERE})

    @rule("A4")
    def test_a_login_that_creates_is_two(self) -> None:
        self.peer.log_in("ada")

        self.assertEqual(self.told, [("create", "ada", 1, 0), ("login", "ada", 1, 0)])

    @rule("D6")
    def test_a_repeat_of_a_request_is_not_done_again(self) -> None:
        key = key_of(1)

        self.peer.do(Create("ada", PASSWORD, key), Create("ada", PASSWORD, key))

        self.assertEqual(self.told, [("create", "ada", 1, 0)])

    def test_what_was_refused_is_told_with_its_number(self) -> None:
        self.fixture.account("bob")
        self.events.clear()

        self.peer.do(
            login("bob", WRONG),
            Create("bob", PASSWORD),
            Delete(username="bob", password=WRONG),
            Delete(username="bob", password=WRONG, dry_run=True),
        )
        self.peer.log_in("ada")
        self.events.pop()
        self.events.pop()
        self.peer.do(ChangePassword(WRONG, PASSWORD))

        self.assertEqual(
            self.told,
            [
                ("login", "bob", None, 202),
                ("create", "bob", None, 204),
                ("delete", "bob", None, 202),
                ("delete", "bob", None, 202),
                ("change_password", "ada", 2, 202),
            ],
        )

    @rule("B8")
    def test_what_cannot_be_a_name_is_not_repeated(self) -> None:
        self.peer.do(login("my password\nof two lines", PASSWORD))
        self.fixture.do(self.fixture.chat.stop())
        stopped = self.fixture.peer(origin=HERE)
        stopped.connection.closing = None

        stopped.do(login("a b", PASSWORD), login("Ada", PASSWORD))

        self.assertEqual(
            self.told,
            [
                ("login", None, None, 110),
                ("login", None, None, 503),
                ("login", "ada", None, 503),
            ],
        )

    def test_what_takes_no_password_is_not_told(self) -> None:
        self.peer.do(Send("ada", "1"), Logout(), ChangePassword(PASSWORD, WRONG))
        self.peer.do(Pong())

        self.assertEqual(self.told, [])

    @rule("D5")
    def test_a_dry_run_deletes_nothing_and_is_not_told(self) -> None:
        self.peer.log_in("ada")
        self.events.clear()

        self.peer.do(Delete(username="ada", password=PASSWORD, dry_run=True))

        self.assertEqual(self.told, [])

    @rule("D2")
    def test_a_deletion_that_the_store_did_not_decide_is_told_as_refused(self) -> None:
        self.peer.log_in("ada")
        self.events.clear()
        self.fixture.store.fail("delete_account", StoreUnavailable(reason="it is down"))

        discard = InboxAction.DISCARD
        self.peer.do(Delete(username="ada", password=PASSWORD, inbox=discard))

        self.assertEqual(self.told, [("delete", "ada", 1, 501)])

    def test_nobody_has_to_listen(self) -> None:
        NO_OBSERVER.audit(
            AuditEvent(
                action=AuditAction.LOGIN,
                origin=HERE,
                username=Username("ada"),
                account=AccountId(1),
            )
        )

        self.assertEqual(self.told, [])
