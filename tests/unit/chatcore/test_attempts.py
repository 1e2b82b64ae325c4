"""Wrong passwords at each command that takes one (B4)."""

import unittest
from collections.abc import Callable

from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    Delete,
    InboxAction,
    Login,
    Logout,
    Resume,
)
from chatcore.errors import (
    Busy,
    Refusal,
    StoreUnavailable,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import Deleted, LoggedIn, Refused, Resumed
from chatcore.ids import PasswordHash
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.environment import QuickPasswords, seeded
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule

HOME, AWAY = "192.0.2.1", "198.51.100.1"
WRONG = "wrong password"
LIMITS = Limits(
    wrong_passwords=3,
    account_wrong_passwords=8,
    account_throttle_longest_s=5,
    address_logins_per_s=0,
    address_creates_per_s=0,
)
RIGHT_LOGIN = Login(username="ada", password=PASSWORD)
WRONG_LOGIN = Login(username="ada", password=WRONG)


class AttemptsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture(LIMITS)
        self.fixture.account("ada")
        self.passwords = self.fixture.surroundings.passwords
        self.peer = self.fixture.peer(HOME)

    def guess(self, times: int, *, first: int = 0) -> None:
        """Wrong passwords, each from an address that nobody knows."""
        for number in range(first, first + times):
            guesser = self.fixture.peer(f"203.0.113.{number}")
            self.assertIsInstance(guesser.refusal(WRONG_LOGIN), WrongCredentials)

    def known(self, address: str) -> Peer:
        """A link from where the account was logged in to before."""
        peer = self.fixture.peer(address)
        self.assertIsInstance(peer.ask(RIGHT_LOGIN), LoggedIn)
        peer.ask(Logout())
        return peer

    @rule("B4")
    def test_after_the_free_ones_no_password_is_looked_at_for_a_while(self) -> None:
        for _ in range(3):
            self.assertIsInstance(self.peer.refusal(WRONG_LOGIN), WrongCredentials)

        refusal = self.peer.refusal(RIGHT_LOGIN)
        looked_at = len(self.passwords.checked)
        assert isinstance(refusal, TooManyAttempts)
        self.fixture.pass_s(refusal.retry_after_ms / 1000)
        answer = self.peer.ask(RIGHT_LOGIN)

        self.assertEqual(refusal.retry_after_ms, 1000)
        self.assertEqual(looked_at, 3)
        self.assertIsInstance(answer, LoggedIn)

    @rule("B4", "D6")
    def test_each_command_that_takes_a_password_is_slowed_down_alike(self) -> None:
        create = Create("eve", PASSWORD, key_of(1))
        erase = Delete(
            username="bob", password=PASSWORD, inbox=InboxAction.DISCARD, key=key_of(2)
        )
        ways: dict[str, Callable[[str], Command]] = {
            "login": lambda it: Login(username="ada", password=it),
            "login that creates": lambda it: Login(
                username="ada", password=it, create=True
            ),
            "delete": lambda it: Delete(username="ada", password=it),
            "dry run": lambda it: Delete(username="ada", password=it, dry_run=True),
            "repeated create": lambda it: Create("eve", it, create.key),
            "repeated delete": lambda it: Delete(
                username="bob", password=it, key=erase.key
            ),
        }
        for name, command in ways.items():
            self.setUp()
            self.fixture.account("bob")
            self.fixture.peer().ask(create)
            self.fixture.peer().do(erase)
            before = len(self.passwords.checked)

            refusals = [self.peer.refusal(command(WRONG)).name for _ in range(3)]
            refusals.append(self.peer.refusal(command(PASSWORD)).name)

            with self.subTest(way=name):
                self.assertEqual(
                    refusals, ["WRONG_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"]
                )
                self.assertEqual(len(self.passwords.checked) - before, 3)

    @rule("B4", "A6")
    def test_a_change_of_password_is_slowed_down_as_well(self) -> None:
        self.peer.ask(RIGHT_LOGIN)

        refusals = [
            self.peer.refusal(ChangePassword(it, "new password")).name
            for it in (WRONG, WRONG, WRONG, PASSWORD)
        ]

        self.assertEqual(refusals, ["WRONG_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"])

    @rule("B4")
    def test_a_name_that_no_account_has_is_treated_alike(self) -> None:
        """The same sequence from the same addresses, answer for answer."""

        def answers_for(username: str) -> list[tuple[float, str, dict[str, str], int]]:
            random = seeded(9)
            fixture = ChatFixture(LIMITS)
            fixture.account("ada")
            checked = fixture.surroundings.passwords.checked
            peers = [fixture.peer(f"192.0.2.{number}") for number in range(6)]
            answers = []
            for _ in range(400):
                fixture.pass_s(random.choice((0, 0, 0.3, 1, 4)))
                calls = len(fixture.store.calls)
                refusal = random.choice(peers).refusal(
                    Login(username=username, password=WRONG)
                )
                self.asked.append(fixture.store.calls[calls:])
                now_s = fixture.surroundings.clock.monotonic_s()
                answers.append((now_s, refusal.name, refusal.fields, len(checked)))
            return answers

        self.asked: list[list[str]] = []
        of_ada = answers_for("ada")
        of_nobody = answers_for("eve")

        self.assertEqual(of_ada, of_nobody)
        self.assertEqual(self.asked[:400], self.asked[400:])
        self.assertEqual(
            {it[1] for it in of_ada}, {"WRONG_CREDENTIALS", "TOO_MANY_ATTEMPTS"}
        )

    @rule("B4")
    def test_the_owner_gets_in_from_where_it_was_before_while_strangers_guess(
        self,
    ) -> None:
        home = self.known(HOME)
        self.guess(8)

        stranger = self.fixture.peer(AWAY).refusal(RIGHT_LOGIN)
        owner = home.ask(RIGHT_LOGIN)

        assert isinstance(stranger, TooManyAttempts)
        self.assertEqual(stranger.retry_after_ms, 1000)
        self.assertIsInstance(owner, LoggedIn)

    @rule("B4")
    def test_nobody_is_locked_out_by_others_from_a_new_address_either(self) -> None:
        self.guess(8)
        for number in range(20):
            self.fixture.pass_s(5)
            self.guess(1, first=100 + number)
        owner = self.fixture.peer(AWAY)

        refusal = owner.refusal(RIGHT_LOGIN)
        assert isinstance(refusal, TooManyAttempts)
        self.fixture.pass_s(refusal.retry_after_ms / 1000)

        self.assertEqual(refusal.retry_after_ms, 5000)
        self.assertIsInstance(owner.ask(RIGHT_LOGIN), LoggedIn)

    @rule("B4")
    def test_an_address_is_known_for_thirty_days(self) -> None:
        days = 24 * 3600
        answers = []
        for passed_s in (30 * days - 60, 30 * days + 60):
            self.setUp()
            home = self.known(HOME)
            self.fixture.pass_s(passed_s)
            self.guess(8)
            (answer,) = home.do(RIGHT_LOGIN)
            answers.append(type(answer))

        self.assertEqual(answers, [LoggedIn, Refused])

    @rule("B4")
    def test_a_known_address_is_slowed_down_for_its_own_guesses(self) -> None:
        home = self.known(HOME)
        self.guess(8)
        for _ in range(3):
            self.assertIsInstance(home.refusal(WRONG_LOGIN), WrongCredentials)

        self.assertIsInstance(home.refusal(RIGHT_LOGIN), TooManyAttempts)

    @rule("B4")
    def test_a_hundred_at_once_get_no_more_looked_at_than_the_free_ones(self) -> None:
        waits = []
        peers = [self.fixture.peer(HOME) for _ in range(100)]
        for peer in peers:
            self.passwords.checking = waiting = Wait(self.fixture.scheduler)
            waits.append(waiting)
            peer.do(WRONG_LOGIN)
        self.passwords.checking = None
        looked_at = len(self.passwords.checked)

        for waiting in waits:
            waiting.end(answer=True)
        self.fixture.scheduler.run()

        refusals = [of_type(peer.events, Refused)[0].refusal.name for peer in peers]
        self.assertEqual(looked_at, 3)
        self.assertEqual(
            refusals, ["WRONG_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"] * 97
        )

    @rule("B4")
    def test_nor_do_they_from_a_known_address_while_the_store_is_asked(self) -> None:
        self.known(HOME)
        self.guess(8)
        before = len(self.passwords.checked)
        peers = [self.fixture.peer(HOME) for _ in range(20)]
        waits, checks = [], []
        for peer in peers:
            waits.append(self.fixture.store.hold("knows_address"))
            peer.do(WRONG_LOGIN)

        for waiting in waits:
            self.passwords.checking = check = Wait(self.fixture.scheduler)
            checks.append(check)
            waiting.end(answer=True)
            self.fixture.scheduler.run()

        self.assertEqual(len(self.passwords.checked) - before, 3)

    @rule("A2")
    def test_a_name_without_an_account_lets_nobody_in_whatever_a_check_says(
        self,
    ) -> None:
        class Gullible(QuickPasswords):
            async def verify(
                self, password_hash: PasswordHash | None, password: str, *, address: str
            ) -> bool:
                await super().verify(password_hash, password, address=address)
                return True

        self.fixture.surroundings.passwords = Gullible()
        self.fixture.restart()

        refusal = self.fixture.peer().refusal(Login(username="eve", password=PASSWORD))

        self.assertIsInstance(refusal, WrongCredentials)

    @rule("B4", "A2")
    def test_what_could_not_be_looked_at_counts_as_nothing(self) -> None:
        def fill() -> None:
            self.passwords.is_full = True

        def fail() -> None:
            self.fixture.store.fail("find_account", StoreUnavailable(reason="no disk"))

        for hinder, expected in ((fill, Busy), (fail, StoreUnavailable)):
            self.setUp()
            for _ in range(50):
                hinder()
                self.assertIsInstance(self.peer.refusal(WRONG_LOGIN), expected)
            self.passwords.is_full = False

            self.assertIsInstance(self.peer.refusal(WRONG_LOGIN), WrongCredentials)
            self.assertIsInstance(self.peer.ask(RIGHT_LOGIN), LoggedIn)

    @rule("B4", "S3")
    def test_a_resume_and_whoever_is_logged_in_are_not_slowed_down(self) -> None:
        ada = self.fixture.user("ada")
        self.guess(8)
        for _ in range(3):
            self.peer.refusal(WRONG_LOGIN)
        ada.lose()

        self.assertIsInstance(self.peer.ask(Resume(ada.token)), Resumed)

    @rule("B4", "B3")
    def test_without_an_address_only_the_account_as_a_whole_is_slowed_down(
        self,
    ) -> None:
        local = self.fixture.peer("127.0.0.1")
        refusals: list[Refusal] = [local.refusal(WRONG_LOGIN) for _ in range(9)]

        self.assertEqual(
            [it.name for it in refusals],
            ["WRONG_CREDENTIALS"] * 8 + ["TOO_MANY_ATTEMPTS"],
        )

    @rule("B4", "D1")
    def test_a_deletion_from_a_known_address_is_not_held_up_by_strangers(self) -> None:
        home = self.known(HOME)
        self.guess(8)

        events = home.do(
            Delete(username="ada", password=PASSWORD, inbox=InboxAction.DISCARD)
        )

        self.assertEqual(len(of_type(events, Deleted)), 1)

    @rule("B4")
    def test_hashes_are_asked_for_under_the_address_that_limits_count(self) -> None:
        for address in ("192.0.2.7", "2001:db8:0:1::7", "127.0.0.1", "::1"):
            self.fixture.peer(address).refusal(WRONG_LOGIN)

        self.assertEqual(
            self.passwords.addresses[-4:], ["192.0.2.7", "2001:db8:0:1::/64", "", ""]
        )
