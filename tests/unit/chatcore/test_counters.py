"""What a chat counts: once for a batch, and only what was done."""

import unittest

from chatcore import Chat, Limits
from chatcore.commands import Acknowledge, List, Logout, Resume, Send
from chatcore.counters import Histogram, StoreCounters
from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatcore.model import Origin
from chatcore.store import Store
from tests.unit.chatcore.chat_fixture import ChatFixture
from tests.unit.chatcore.key_times import key_of

TCP = Origin("c1", "tcp", "192.0.2.1:5")
WS = Origin("c2", "ws", "192.0.2.1:6")


class HistogramTest(unittest.TestCase):
    def test_a_value_is_counted_at_the_first_bound_that_it_does_not_exceed(
        self,
    ) -> None:
        histogram = Histogram((1, 10))

        for value in (0, 1, 2, 10, 11, 1000):
            histogram.observe(value)

        self.assertEqual(histogram.counts, [2, 2, 2])
        self.assertEqual(histogram.total, 1024)

    def test_a_store_without_commits_observes_none(self) -> None:
        counters = StoreCounters(has_commits=False)

        counters.observe_commit(1.0, 1)

        self.assertIsNone(counters.commit_s)
        self.assertIsNone(counters.commit_rows)


class MessagesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada = self.fixture.user("ada")
        self.counters = self.fixture.chat.counters

    def seen(self) -> tuple[int, int, int]:
        counters = self.counters
        return counters.accepted, counters.delivered, counters.acknowledged

    def test_a_run_of_sends_counts_what_was_stored_and_what_went_out(self) -> None:
        bob = self.fixture.user("bob")

        self.ada.do(Send("bob", "1"), Send("bob", "2"), Send("nobody", "3"))
        bob.acknowledge(1)

        self.assertEqual(self.seen(), (2, 2, 1))
        self.assertEqual(dict(self.counters.refusals), {300: 1})

    def test_mail_that_was_read_from_the_store_counts_when_it_goes_out(self) -> None:
        self.fixture.account("bob")
        self.ada.do(Send("bob", "1"), Send("bob", "2"))
        before = self.seen()

        self.fixture.user("bob")

        self.assertEqual(before, (2, 0, 0))
        self.assertEqual(self.seen(), (2, 2, 0))

    def test_a_repeat_under_a_key_is_not_accepted_again(self) -> None:
        self.fixture.account("bob")
        key = key_of(1)

        self.ada.do(Send("bob", "1", key), Send("bob", "1", key))

        self.assertEqual(self.seen(), (1, 0, 0))

    def test_what_the_rules_refuse_counts_by_its_number(self) -> None:
        self.ada.do(Send("bob", ""), Acknowledge(9))
        self.fixture.peer().do(Send("bob", "1"), Send("bob", "1"))

        self.assertEqual(dict(self.counters.refusals), {112: 1, 200: 2, 305: 1})

    def test_failures_of_the_store_are_counted_whatever_met_them(self) -> None:
        self.fixture.store.fail("deposit", StoreUnavailable(reason="the disk is full"))
        self.ada.do(Send("ada", "1"))
        self.fixture.store.fail("names", OutcomeUnknown())
        self.ada.do(List())

        self.assertEqual(self.counters.store_failures, 2)
        self.assertEqual(dict(self.counters.refusals), {501: 1, 502: 1})


class SessionsAndConnectionsTest(unittest.TestCase):
    def test_both_are_counted_by_transport_as_they_come_and_go(self) -> None:
        fixture = ChatFixture(Limits(grace_s=30))
        chat = fixture.chat
        first, second = fixture.peer(origin=TCP), fixture.peer(origin=WS)

        first.log_in("ada")
        attached = dict(chat.attached_sessions), chat.detached_sessions
        first.lose()
        lost = dict(chat.attached_sessions), chat.detached_sessions
        second.do(Resume(first.token, 0))
        resumed = dict(chat.attached_sessions), chat.detached_sessions
        second.do(Logout())
        ended = dict(chat.attached_sessions), chat.detached_sessions

        self.assertEqual(attached, ({"tcp": 1}, 0))
        self.assertEqual(lost, ({"tcp": 0}, 1))
        self.assertEqual(resumed, ({"tcp": 0, "ws": 1}, 0))
        self.assertEqual(ended, ({"tcp": 0, "ws": 0}, 0))
        self.assertEqual(dict(chat.counters.connections), {"tcp": 0, "ws": 1})
        self.assertEqual(dict(chat.counters.opened), {"tcp": 1, "ws": 1})

    def test_a_link_that_is_lost_twice_counts_once(self) -> None:
        fixture = ChatFixture()
        peer = fixture.peer(origin=TCP)

        peer.lose()
        peer.lose()

        self.assertEqual(dict(fixture.chat.counters.connections), {"tcp": 0})


class Countless:
    """A store of somebody's who counts nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        if name == "counters":
            raise AttributeError(name)
        return getattr(self._store, name)


class StoresTest(unittest.TestCase):
    def test_those_of_the_store_are_there_where_it_counts(self) -> None:
        fixture = ChatFixture()
        fixture.user("ada").do(Send("ada", "1"), Send("ada", "2"))

        counters = fixture.chat.store_counters
        fixture.do(fixture.chat.ask_store())

        assert counters is not None
        self.assertEqual(counters.waiting, 2)

    def test_a_store_that_does_not_count_serves_all_the_same(self) -> None:
        countless: object = Countless(ChatFixture().store)

        chat = Chat(countless)  # type: ignore[arg-type]  # by its attributes it is one

        self.assertIsNone(chat.store_counters)
