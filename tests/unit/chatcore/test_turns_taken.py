"""No peer holds up the others: work gives way (B2)."""

import unittest

from chatcore.commands import (
    Acknowledge,
    AlreadyRefused,
    Command,
    Deliver,
    List,
    Logout,
    Pong,
    Resume,
    Send,
    Unknown,
)
from chatcore.errors import AcknowledgedTooMuch, LoginRequired
from chatcore.events import Accepted, Listed, Received, Refused, Started
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import ChatFixture, of_type
from tests.unit.chatcore.environment import seeded
from tests.unit.chatcore.marks import rule

KINDS: list[Command] = [
    Pong(),
    Logout(),
    Acknowledge(99),
    Unknown("dance"),
    Send("", "nobody's"),
    AlreadyRefused(LoginRequired(command="acknowledge")),
]


class GivingWayTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.clock = self.fixture.surroundings.clock
        self.ada.ways_given = 0

    def runs(self) -> int:
        """How many calls of the store the sends were."""
        return self.fixture.store.calls.count("deposit")

    @rule("B2")
    def test_it_gives_way_between_every_256_commands_of_whatever_kind(self) -> None:
        for kind in KINDS:
            if isinstance(kind, Logout):
                continue  # after the first it would be a stranger's
            before = self.ada.ways_given

            self.ada.do(*([kind] * 1024))

            with self.subTest(kind=kind):
                self.assertEqual(self.ada.ways_given - before, 1024 // 256 - 1)

    @rule("B2")
    def test_on_a_link_that_nobody_is_logged_in_on_a_turn_is_a_quarter_of_it(
        self,
    ) -> None:
        for kind in KINDS:
            peer = self.fixture.peer()

            peer.do(*([kind] * 1024))

            with self.subTest(kind=kind):
                self.assertEqual(peer.ways_given, 1024 // 64 - 1)

    @rule("B2")
    def test_a_few_commands_that_take_no_time_need_not(self) -> None:
        self.ada.do(*([Pong()] * 255))

        self.assertEqual(self.ada.ways_given, 0)

    @rule("B2")
    def test_it_gives_way_when_its_time_has_passed_however_few_commands_it_was(
        self,
    ) -> None:
        self.clock.step_s = 0.001

        self.ada.do(*([Unknown("dance")] * 100))

        self.assertGreaterEqual(self.ada.ways_given, 100 // 3)
        self.assertLess(self.ada.ways_given, 100)

    @rule("B2")
    def test_others_are_served_between_two_turns_of_one(self) -> None:
        stored: list[int] = []
        self.ada.when_giving_way = lambda: stored.append(self.runs())
        before = self.runs()

        self.ada.do(*([Send("bob", "hello")] * 1000))

        self.assertEqual([it - before for it in stored], [1, 2, 3])
        self.assertEqual(len(of_type(self.ada.events, Accepted)), 1000)

    @rule("B2", "M3")
    def test_a_run_of_sends_is_cut_at_256_and_stays_in_order(self) -> None:
        before = self.runs()

        self.ada.do(*(Send("bob", str(number)) for number in range(600)))
        while len(self.bob.bodies) < 600:
            self.bob.acknowledge(self.bob.mail[-1].position)

        self.assertEqual(self.runs() - before, 3)
        self.assertEqual(self.bob.bodies, [str(number) for number in range(600)])

    @rule("B2")
    def test_the_number_is_a_setting(self) -> None:
        fixture = ChatFixture(Limits(turn_commands=10))
        ada = fixture.user("ada")
        before, calls = ada.ways_given, fixture.store.calls.count("deposit")

        ada.do(*([Send("ada", "hello")] * 100))

        self.assertEqual(fixture.store.calls.count("deposit") - calls, 10)
        self.assertEqual(ada.ways_given - before, 9)

    @rule("B2", "M3", "W7")
    def test_judging_that_takes_long_is_cut_and_the_rest_follows_in_order(self) -> None:
        before = self.runs()
        self.clock.step_s = 0.001
        names = ["Bób", "bob"] * 30

        events = self.ada.do(
            *(Send(name, str(number)) for number, name in enumerate(names))
        )

        answered = [
            it.id for it in of_type(events, Accepted) + of_type(events, Refused)
        ]
        self.assertEqual(len(answered), 60)
        self.assertEqual(len(set(answered)), 60)
        self.assertGreater(self.runs() - before, 4)
        self.assertGreater(self.ada.ways_given, 4)
        self.assertEqual(self.bob.bodies, [str(it) for it in range(60) if it % 2])

    @rule("B2")
    def test_judging_that_takes_ever_so_long_still_gets_on(self) -> None:
        self.clock.step_s = 3600

        events = self.ada.do(*(Send("bób", str(number)) for number in range(5)))

        self.assertEqual(len(of_type(events, Refused)), 5)

    @rule("B2", "E2")
    def test_a_run_in_which_every_send_is_refused_is_answered_whole(self) -> None:
        random = seeded(1)
        events = self.ada.do(
            *(Send("x" * random.randrange(65, 99), "hello") for _ in range(700))
        )

        self.assertEqual(len(of_type(events, Refused)), 700)

    @rule("B2")
    def test_what_waits_when_a_link_is_lost_during_a_turn_is_not_done(self) -> None:
        self.ada.when_giving_way = lambda: self.fixture.chat.detach(self.ada.connection)

        self.ada.do(*([Send("bob", "hello")] * 600))

        self.assertEqual(len(self.bob.bodies), 256)


class ListTest(unittest.TestCase):
    @rule("B2", "L1")
    def test_a_list_gives_way_while_it_walks_over_names_that_do_not_match(self) -> None:
        fixture = ChatFixture(Limits(turn_commands=10, walk_names=50))
        for number in range(200):
            fixture.account(f"user{number}")
        ada = fixture.user("ada")
        before = ada.ways_given

        events = ada.do(List("*no such name*"))

        self.assertEqual([type(it) for it in events], [Started, Listed])
        self.assertGreaterEqual(ada.ways_given - before, 201 // 10)

    @rule("B2", "L1")
    def test_of_many_lists_one_is_at_the_store_at_a_time(self) -> None:
        fixture = ChatFixture()
        users = [fixture.user(f"user{number}") for number in range(3)]
        waiting = fixture.store.hold("names")
        lists = [List("a*"), List("b*"), List("*")]

        for user, command in zip(users, lists, strict=True):
            user.do(command)
        at_once = fixture.store.calls.count("names")
        waiting.end(answer=True)
        fixture.scheduler.run()

        self.assertEqual(at_once, 1)
        pages = [of_type(it.events, Listed) for it in users]
        self.assertEqual([[it.complete for it in some] for some in pages], [[True]] * 3)


class ReadTest(unittest.TestCase):
    @rule("B2", "M3")
    def test_of_many_sessions_that_are_behind_four_read_their_mail_at_a_time(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        others = [fixture.user(f"user{number}") for number in range(6)]
        for number, other in enumerate(others):
            other.lose()
            ada.do(Send(f"user{number}", "hello"))
        peers = [fixture.peer() for _ in others]

        waiting = []
        before = fixture.store.calls.count("read")
        for number, (other, peer) in enumerate(zip(others, peers, strict=True)):
            if number < 4:
                waiting.append(fixture.store.hold("read"))
            peer.do(Resume(other.token))
        at_once = fixture.store.calls.count("read") - before
        for it in waiting:
            it.end(answer=True)
        fixture.scheduler.run()

        self.assertEqual(at_once, 4)
        self.assertEqual([it.bodies for it in peers], [["hello"]] * 6)


class JudgedTest(unittest.TestCase):
    @rule("B1", "W7")
    def test_a_refused_acknowledgement_is_answered_in_its_turn(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(Send("ada", "hello"))
        (refusal,) = fixture.chat.acknowledge(ada.connection, [Acknowledge(7)])
        assert refusal is not None
        before = len(ada.events)

        told_early = list(ada.connection.outbox)
        events = ada.do(Send("bob", "one"), AlreadyRefused(refusal), Send("bob", "two"))

        self.assertIsInstance(refusal, AcknowledgedTooMuch)
        self.assertEqual(told_early, [])
        self.assertEqual(ada.events[before:], events)
        self.assertEqual([type(it) for it in events], [Accepted, Refused, Accepted])
        (refused,) = of_type(events, Refused)
        self.assertIs(refused.refusal, refusal)

    @rule("B2", "M4")
    def test_acknowledgements_that_come_together_are_one_step(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(*(Send("ada", str(number)) for number in range(5)))
        wanted = [Acknowledge(position) for position in (1, 9, 3, 2)]

        refusals = fixture.chat.acknowledge(ada.connection, wanted)
        fixture.scheduler.run()

        self.assertEqual([it and it.code for it in refusals], [None, 305, None, None])
        told = [it.positions for it in of_type(bob.events, Received)]
        self.assertEqual(told, [(1, 2, 3)])

    @rule("B1", "W7")
    def test_a_valid_one_waits_for_nothing_and_has_no_answer(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(Send("ada", "hello"))
        waiting = fixture.store.hold("mailbox")
        ada.do(Deliver())

        (refusal,) = fixture.chat.acknowledge(ada.connection, [Acknowledge(1)])
        settled = fixture.chat.session_of(ada.connection)
        waiting.end(answer=True)
        fixture.scheduler.run()

        self.assertIsNone(refusal)
        assert settled is not None
        self.assertEqual(settled.delivery.acknowledged, 1)
        self.assertEqual(of_type(ada.events, Refused), [])

    @rule("B1", "S4")
    def test_before_the_login_it_is_refused_in_its_turn_as_well(self) -> None:
        peer = ChatFixture().peer()

        (_, refused) = [*peer.events, *peer.acknowledge(1)]

        assert isinstance(refused, Refused)
        self.assertIsInstance(refused.refusal, LoginRequired)
        self.assertEqual(refused.id, 1)
