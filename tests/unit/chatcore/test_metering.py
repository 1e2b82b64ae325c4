"""Rates, as those who ask meet them (B5)."""

import unittest
from dataclasses import replace

from chatcore.commands import Command, Create, List, Login, Logout, Resume, Send
from chatcore.errors import RateExceeded
from chatcore.events import (
    Accepted,
    Created,
    Event,
    Listed,
    LoggedIn,
    Refused,
    Started,
)
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule

HOME = "192.0.2.1"
OFF = Limits(
    session_lists_per_s=0,
    account_lists_per_s=0,
    address_lists_per_s=0,
    address_creates_per_s=0,
    address_logins_per_s=0,
    rate_burst_s=2,
)


def outcomes(events: list[Event]) -> list[str]:
    """For each answer what it was: "accepted", or what there was too much of."""
    found = []
    for it in events:
        if isinstance(it, Accepted):
            found.append("accepted")
        elif isinstance(it, Refused):
            assert isinstance(it.refusal, RateExceeded), it
            found.append(it.refusal.fields["what"])
    return found


class SendRatesTest(unittest.TestCase):
    def begin(self, limits: Limits) -> None:
        self.fixture = ChatFixture(limits)
        self.bob = self.fixture.user("bob")
        self.ada = self.fixture.user("ada")

    @rule("B5")
    def test_messages_over_the_rate_are_refused_and_the_others_go_on(self) -> None:
        self.begin(replace(OFF, session_messages_per_s=1))

        events = self.ada.do(*(Send("bob", str(number)) for number in range(4)))

        self.assertEqual(outcomes(events), ["accepted"] * 2 + ["messages"] * 2)
        self.assertEqual(self.bob.bodies, ["0", "1"])
        refusals = [it.refusal for it in of_type(events, Refused)]
        self.assertEqual([it.fields["retry_after_ms"] for it in refusals], ["1000"] * 2)

    @rule("B5")
    def test_bytes_over_the_rate_are_refused_and_smaller_ones_go_on(self) -> None:
        self.begin(replace(OFF, session_bytes_per_s=5))

        events = self.ada.do(
            Send("bob", "seven.."), Send("bob", "four"), Send("bob", "ä1")
        )

        self.assertEqual(outcomes(events), ["accepted", "bytes", "accepted"])

    @rule("B5", "E2", "M2")
    def test_what_was_refused_left_no_trace_and_is_sent_under_its_key_later(
        self,
    ) -> None:
        self.begin(replace(OFF, session_messages_per_s=1))
        sends = [Send("bob", str(number), key_of(number)) for number in range(3)]
        self.ada.do(*sends)

        self.fixture.pass_s(1)
        events = self.ada.do(sends[2])

        self.assertEqual(outcomes(events), ["accepted"])
        self.assertEqual(self.bob.bodies, ["0", "1", "2"])

    @rule("B5")
    def test_what_the_rules_refuse_anyway_takes_nothing_of_the_rate(self) -> None:
        self.begin(replace(OFF, session_messages_per_s=1))

        self.ada.do(*(Send("bob", "") for _ in range(50)))
        events = self.ada.do(Send("bob", "1"), Send("bob", "2"))

        self.assertEqual(outcomes(events), ["accepted"] * 2)

    @rule("B5")
    def test_a_new_session_has_full_buckets_and_a_resumed_one_its_own(self) -> None:
        self.begin(replace(OFF, session_messages_per_s=0.5))
        self.ada.do(Send("bob", "1"))
        self.ada.lose()
        back = self.fixture.peer()
        back.do(Resume(self.ada.token))

        resumed = outcomes(back.do(Send("bob", "2")))
        back.do(Logout())
        back.log_in("ada")
        anew = outcomes(back.do(Send("bob", "3")))

        self.assertEqual((resumed, anew), (["messages"], ["accepted"]))

    @rule("B5")
    def test_an_account_has_its_rate_over_all_of_its_sessions(self) -> None:
        self.begin(replace(OFF, account_messages_per_s=0.5))
        self.ada.do(Send("bob", "1"), Logout())
        self.ada.log_in("ada")

        again = outcomes(self.ada.do(Send("bob", "2")))
        other = outcomes(self.bob.do(Send("ada", "3")))

        self.assertEqual((again, other[-1]), (["messages"], "accepted"))

    @rule("B5", "B3")
    def test_an_address_has_its_rate_over_all_of_its_accounts_and_loopback_none(
        self,
    ) -> None:
        for address, counts, expected in (
            (HOME, False, "messages"),
            ("127.0.0.1", False, "accepted"),
            ("127.0.0.1", True, "messages"),
            ("", True, "accepted"),
        ):
            self.begin(replace(OFF, address_messages_per_s=0.5, loopback_counts=counts))
            peers = [self.fixture.peer(address) for _ in range(2)]
            for peer, name in zip(peers, ("eve", "joe"), strict=True):
                peer.log_in(name)

            first, second = (outcomes(it.do(Send("bob", "1"))) for it in peers)

            with self.subTest(address=address, counts=counts):
                self.assertEqual((first, second), (["accepted"], [expected]))


class OtherRatesTest(unittest.TestCase):
    def refused_for(self, peer: Peer, command: Command) -> str:
        """What there was too much of; empty when it was not refused."""
        (*_, last) = peer.do(command)
        if not isinstance(last, Refused):
            return ""
        assert isinstance(last.refusal, RateExceeded), last
        return last.refusal.fields["what"]

    @rule("B5")
    def test_lists_over_the_rate_are_refused_before_they_are_started(self) -> None:
        fixture = ChatFixture(replace(OFF, session_lists_per_s=0.5))
        ada = fixture.user("ada")

        first = ada.do(List())
        second = ada.do(List())

        self.assertEqual([type(it) for it in first], [Started, Listed])
        self.assertEqual([type(it) for it in second], [Refused])
        self.assertEqual(outcomes(second), ["lists"])

    @rule("B5")
    def test_a_list_that_is_wrong_takes_nothing_of_the_rate(self) -> None:
        fixture = ChatFixture(replace(OFF, session_lists_per_s=0.5))
        ada = fixture.user("ada")
        ada.refusal(List("x" * 1000))

        self.assertEqual(len(of_type(ada.do(List()), Listed)), 1)

    @rule("B5", "A3", "A4")
    def test_creates_are_counted_for_their_address_by_whatever_command(self) -> None:
        fixture = ChatFixture(replace(OFF, address_creates_per_s=1))

        refused = [
            self.refused_for(fixture.peer(HOME), it)
            for it in (
                Create("eve", PASSWORD),
                Login(username="joe", password=PASSWORD, create=True),
                Create("kim", PASSWORD),
                Login(username="lee", password=PASSWORD, create=True),
            )
        ]
        existing = fixture.peer(HOME).ask(
            Login(username="eve", password=PASSWORD, create=True)
        )

        self.assertEqual(refused, ["", "", "creates", "creates"])
        self.assertEqual(len(fixture.surroundings.passwords.hashed), 2)
        self.assertIsInstance(existing, LoggedIn)

    @rule("B5", "A3")
    def test_asking_whether_a_name_is_taken_is_counted_as_creating_it(self) -> None:
        fixture = ChatFixture(replace(OFF, address_creates_per_s=1))
        fixture.account("ada")
        peer = fixture.peer(HOME)

        refusals = [peer.refusal(Create("ada", PASSWORD)).name for _ in range(3)]

        self.assertEqual(refusals, ["NAME_TAKEN", "NAME_TAKEN", "RATE_EXCEEDED"])

    @rule("B5", "D6")
    def test_a_repeat_under_its_key_is_no_second_creation(self) -> None:
        fixture = ChatFixture(replace(OFF, address_creates_per_s=0.5))
        peer, create = fixture.peer(HOME), Create("ada", PASSWORD, key_of(1))
        peer.ask(create)

        self.assertIsInstance(peer.ask(create), Created)

    @rule("B5")
    def test_creates_have_a_rate_on_a_link_that_nobody_has_logged_in_on(self) -> None:
        fixture = ChatFixture(replace(OFF, session_creates_per_s=0.5))
        peer = fixture.peer()

        refused = [self.refused_for(peer, Create(it, PASSWORD)) for it in ("a1", "b1")]

        self.assertEqual(refused, ["", "creates"])
        self.assertEqual(self.refused_for(fixture.peer(), Create("c1", PASSWORD)), "")

    @rule("B5", "B4")
    def test_logins_are_counted_for_their_address_whoever_they_are_for(self) -> None:
        fixture = ChatFixture(replace(OFF, address_logins_per_s=1))
        fixture.account("ada")
        logins = [
            Login(username="ada", password="wrong password"),
            Login(username="eve", password=PASSWORD),
            Login(username="ada", password=PASSWORD),
        ]

        (*_, third) = [fixture.peer(HOME).refusal(it) for it in logins]
        elsewhere = fixture.peer("192.0.2.2").ask(logins[2])

        assert isinstance(third, RateExceeded)
        self.assertEqual(third.fields, {"what": "logins", "retry_after_ms": "1000"})
        self.assertEqual(len(fixture.surroundings.passwords.checked), 3)
        self.assertIsInstance(elsewhere, LoggedIn)

    @rule("B5")
    def test_by_default_nobody_on_loopback_meets_a_limit_by_address(self) -> None:
        fixture = ChatFixture()
        for number in range(60):
            peer = fixture.peer("127.0.0.1")
            self.assertIsInstance(peer.ask(Create(f"user{number}", PASSWORD)), Created)
            logged_in = peer.ask(Login(username=f"user{number}", password=PASSWORD))
            self.assertIsInstance(logged_in, LoggedIn)
