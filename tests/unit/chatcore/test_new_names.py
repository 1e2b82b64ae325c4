"""Names that nobody may take anew, and hashes that are made anew (A1, A2, A4)."""

import unittest

from chatcore.commands import Command, Create, Login, Send
from chatcore.errors import InvalidUsername, OutcomeUnknown, StoreUnavailable
from chatcore.events import Created, LoggedIn, Received
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule

LOOKALIKE = "adm\u0131n"  # with a dotless i
MIXED = "it has letters of two scripts"


def ways_to_create(username: str) -> list[Command]:
    """Both commands that make an account."""
    return [
        Create(username, PASSWORD),
        Login(username=username, password=PASSWORD, create=True),
    ]


class NewNameTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.names = self.fixture.surroundings.names
        self.passwords = self.fixture.surroundings.passwords
        self.peer = self.fixture.peer()

    def reason(self, command: Command) -> str:
        """Why a name is refused."""
        refusal = self.peer.refusal(command)
        assert isinstance(refusal, InvalidUsername), refusal
        return refusal.fields["reason"]

    @rule("A1", "A3", "A4")
    def test_a_name_that_mixes_scripts_is_not_taken_anew_and_costs_no_hash(
        self,
    ) -> None:
        self.names.objections["mixéd"] = MIXED

        reasons = [self.reason(it) for it in ways_to_create("Mixéd")]

        self.assertEqual(reasons, [MIXED, MIXED])
        self.assertEqual(self.passwords.hashed, [])

    @rule("A1", "A3", "A4")
    def test_a_lookalike_of_an_account_is_refused_once_a_hash_was_paid(self) -> None:
        self.names.lookalikes[LOOKALIKE] = "admin"
        self.fixture.account("admin")

        reasons = [self.reason(it) for it in ways_to_create(LOOKALIKE)]

        self.assertEqual(reasons, ["it looks like admin, which exists"] * 2)
        self.assertEqual(len(self.passwords.hashed), 3)

    @rule("A1", "A2")
    def test_that_the_plain_name_exists_is_not_told_while_hashing_is_refused(
        self,
    ) -> None:
        self.names.lookalikes[LOOKALIKE] = "admin"
        self.fixture.account("admin")
        self.passwords.is_full = True

        refusals = [self.peer.refusal(it).name for it in ways_to_create(LOOKALIKE)]

        self.assertEqual(refusals, ["BUSY", "BUSY"])

    @rule("A1")
    def test_a_lookalike_of_no_account_may_be_taken(self) -> None:
        self.names.lookalikes[LOOKALIKE] = "admin"

        answer = self.peer.ask(Create(LOOKALIKE, PASSWORD))

        self.assertIsInstance(answer, Created)

    @rule("A1", "A4")
    def test_who_has_such_a_name_already_still_logs_in_and_takes_mail(self) -> None:
        for create in (False, True):
            fixture = ChatFixture()
            fixture.account(LOOKALIKE)
            fixture.account("admin")
            fixture.surroundings.names.objections[LOOKALIKE] = MIXED
            fixture.surroundings.names.lookalikes[LOOKALIKE] = "admin"
            peer = fixture.peer()

            answer = peer.ask(
                Login(username=LOOKALIKE, password=PASSWORD, create=create)
            )
            peer.do(Send(LOOKALIKE, "hello"))

            self.assertIsInstance(answer, LoggedIn)
            self.assertEqual(peer.bodies, ["hello"])


class RehashTest(unittest.TestCase):
    """Hashes that were made at another cost are made anew at a login."""

    LOGIN = Login(username="ada", password=PASSWORD)

    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.fixture.account("ada")
        self.passwords = self.fixture.surroundings.passwords
        self.peer = self.fixture.peer()

    def outdate(self) -> None:
        """Let new hashes cost more than those that are stored."""
        for password_hash in [f"hash of {it}" for it in self.passwords.hashed]:
            self.passwords.outdated.add(password_hash)  # type: ignore[arg-type]  # as it is stored
        self.passwords.cost = "costly "
        self.passwords.hashed.clear()

    @rule("A2")
    def test_a_login_makes_an_outdated_hash_anew_once(self) -> None:
        self.outdate()

        first = self.peer.ask(self.LOGIN)
        self.peer.lose()
        second = self.fixture.peer().ask(self.LOGIN)

        self.assertIsInstance(first, LoggedIn)
        self.assertIsInstance(second, LoggedIn)
        self.assertEqual(self.passwords.hashed, [PASSWORD])

    @rule("A2")
    def test_a_hash_that_is_not_outdated_is_left(self) -> None:
        self.passwords.hashed.clear()

        self.peer.ask(self.LOGIN)

        self.assertEqual(self.passwords.hashed, [])

    @rule("A2")
    def test_a_wrong_password_never_makes_one(self) -> None:
        self.outdate()

        self.peer.refusal(Login(username="ada", password="wrong password"))

        self.assertEqual(self.passwords.hashed, [])

    @rule("A2")
    def test_a_full_queue_puts_it_off_to_the_next_login(self) -> None:
        self.outdate()
        self.passwords.fill_after_the_next_check = True

        first = self.peer.ask(self.LOGIN)
        self.passwords.is_full = False
        self.peer.lose()
        self.fixture.peer().ask(self.LOGIN)

        self.assertIsInstance(first, LoggedIn)
        self.assertEqual(self.passwords.hashed, [PASSWORD])

    @rule("A2", "E2")
    def test_a_store_that_fails_at_it_refuses_the_login_and_opens_nothing(
        self,
    ) -> None:
        for is_done, outage in (
            (False, StoreUnavailable(reason="disk full")),
            (True, OutcomeUnknown()),
        ):
            self.setUp()
            self.outdate()
            store = self.fixture.store
            (store.fail_after if is_done else store.fail)("replace_hash", outage)

            refusal = self.peer.refusal(self.LOGIN)
            again = self.peer.ask(self.LOGIN)

            self.assertIs(refusal, outage)
            self.assertIsInstance(again, LoggedIn)

    @rule("A2", "S2")
    def test_nothing_comes_before_the_answer_of_a_login_that_makes_one(self) -> None:
        ada, bob = self.fixture.user("ada"), self.fixture.user("bob")
        ada.do(Send("bob", "hello"))
        ada.lose()
        self.outdate()
        self.passwords.hashing = waiting = Wait(self.fixture.scheduler)
        self.peer.do(self.LOGIN)

        bob.acknowledge(1)
        before = list(self.peer.events[1:])
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(before, [])
        self.assertIsInstance(self.peer.events[1], LoggedIn)
        self.assertEqual(of_type(self.peer.events, Received), [])
