"""Listing accounts, a page at a time (L1)."""

import unittest
from collections.abc import Sequence
from fnmatch import fnmatchcase

from chatcore.commands import List, Send
from chatcore.errors import InvalidPattern, StoreUnavailable, TooManyOperations
from chatcore.events import Accepted, Event, Listed, Refused, Started
from chatcore.ids import Username
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import ChatFixture, Peer, of_type
from tests.unit.chatcore.environment import seeded
from tests.unit.chatcore.marks import rule

SMALL_PAGES = Limits(page_names=3, walk_names=5)


def names_in(events: Sequence[Event]) -> list[str]:
    """The names of all pages."""
    return [name for page in of_type(events, Listed) for name in page.names]


class ListTest(unittest.TestCase):
    def fixture(
        self, *names: str, limits: Limits | None = None
    ) -> tuple[ChatFixture, Peer]:
        """A world with these accounts, and a link of the account "zoe"."""
        fixture = ChatFixture(limits)
        for name in names:
            fixture.account(name)
        return fixture, fixture.user("zoe")

    @rule("L1", "W7")
    def test_a_list_is_started_and_then_finished_under_its_id(self) -> None:
        _, zoe = self.fixture("ada")

        events = zoe.do(List())

        names = (Username("ada"), Username("zoe"))
        self.assertEqual(
            events, [Started(2), Listed(2, names, (False, True), complete=True)]
        )

    @rule("L1")
    def test_names_come_sorted_by_code_point(self) -> None:
        _, zoe = self.fixture("b", "ä", "a", "10", "9", "\U0001f600", "\uffee")

        names = names_in(zoe.do(List()))

        self.assertEqual(
            names, ["10", "9", "a", "b", "zoe", "ä", "\uffee", "\U0001f600"]
        )

    @rule("L1")
    def test_only_the_names_that_match_come(self) -> None:
        _, zoe = self.fixture("ada", "adam", "bob", "bobby")

        found = {
            pattern: names_in(zoe.do(List(pattern)))
            for pattern in ("ad*", "b?b", "ob", "*y", "", "nobody")
        }

        self.assertEqual(
            found,
            {
                "ad*": ["ada", "adam"],
                "b?b": ["bob"],
                "ob": ["bob", "bobby"],
                "*y": ["bobby"],
                "": ["ada", "adam", "bob", "bobby", "zoe"],
                "nobody": [],
            },
        )

    @rule("L1")
    def test_an_account_is_online_while_a_link_carries_its_session(self) -> None:
        fixture, zoe = self.fixture("ada")
        fixture.user("bob").lose()
        fixture.user("eve")

        (page,) = of_type(zoe.do(List()), Listed)

        self.assertEqual(
            dict(zip(page.names, page.online, strict=True)),
            {"ada": False, "bob": False, "eve": True, "zoe": True},
        )

    @rule("L1")
    def test_a_long_list_comes_in_pages_of_which_the_last_is_marked(self) -> None:
        _, zoe = self.fixture(*(f"user{n:02}" for n in range(9)), limits=SMALL_PAGES)

        pages = of_type(zoe.do(List()), Listed)

        self.assertEqual([len(it.names) for it in pages], [3, 3, 3, 1])
        self.assertEqual([it.complete for it in pages], [False, False, False, True])

    @rule("L1")
    def test_the_pages_are_all_the_names_whatever_their_size(self) -> None:
        random = seeded(3)
        for _ in range(60):
            names = {
                "".join(random.choices("ab", k=random.randrange(1, 6)))
                for _ in range(random.randrange(30))
            }
            limits = Limits(
                page_names=random.randrange(1, 9), walk_names=random.randrange(1, 9)
            )
            pattern = random.choice(["*", "a*", "*a", "?b*", "a?b", "b*a*b", "bb*"])
            _, zoe = self.fixture(*names, limits=limits)

            pages = of_type(zoe.do(List(pattern)), Listed)

            names.add("zoe")
            self.assertEqual(
                names_in(pages), sorted(it for it in names if fnmatchcase(it, pattern))
            )
            self.assertEqual([it.complete for it in pages].index(True), len(pages) - 1)

    @rule("L1")
    def test_a_list_continues_after_a_name(self) -> None:
        _, zoe = self.fixture("ada", "bob", "eve")

        names = names_in(zoe.do(List("*", after="bob")))

        self.assertEqual(names, ["eve", "zoe"])

    @rule("L1")
    def test_a_prefix_walks_its_part_of_the_index_only(self) -> None:
        names = [*(f"a{n}" for n in range(50)), "bob", *(f"c{n}" for n in range(50))]
        fixture, zoe = self.fixture(*names, limits=SMALL_PAGES)

        found = names_in(zoe.do(List("b*")))

        self.assertEqual(found, ["bob"])
        self.assertEqual(fixture.store.calls.count("names"), 1)

    @rule("L1", "W8")
    def test_a_peer_that_does_not_read_is_sent_one_page(self) -> None:
        fixture, zoe = self.fixture(*(f"user{n}" for n in range(9)), limits=SMALL_PAGES)
        zoe.is_clogged = True
        zoe.do(List())

        waiting = len(zoe.connection.outbox)
        read = fixture.store.calls.count("names")
        pages = of_type(zoe.unclog(), Listed)

        self.assertEqual((waiting, read), (2, 1))
        self.assertEqual(sum(len(it.names) for it in pages), 10)

    @rule("L1")
    def test_a_list_ends_with_its_link(self) -> None:
        fixture, zoe = self.fixture(*(f"user{n}" for n in range(9)), limits=SMALL_PAGES)
        zoe.is_clogged = True
        zoe.do(List())

        zoe.lose()

        self.assertEqual(zoe.connection.operations, 0)
        self.assertEqual(fixture.store.calls.count("names"), 1)

    @rule("L1", "E1")
    def test_an_outage_in_the_middle_ends_the_list_with_a_refusal(self) -> None:
        fixture, zoe = self.fixture("ada")
        fixture.store.fail("names", StoreUnavailable(reason="disk full"))

        started, refused = zoe.do(List())

        self.assertEqual(started, Started(2))
        assert isinstance(refused, Refused)
        self.assertEqual((refused.id, refused.refusal.code), (2, 501))

    @rule("L1", "E2")
    def test_a_pattern_that_is_too_long_is_refused_and_nothing_starts(self) -> None:
        _, zoe = self.fixture()

        self.assertIsInstance(zoe.refusal(List("*" * 257)), InvalidPattern)

    @rule("W7")
    def test_other_commands_are_answered_while_a_list_runs(self) -> None:
        _, zoe = self.fixture(*(f"user{n}" for n in range(9)), limits=SMALL_PAGES)
        zoe.is_clogged = True
        zoe.do(List(), Send("zoe", "meanwhile"))

        events = zoe.unclog()

        self.assertEqual(events[0], Started(2))
        accepted = events.index(of_type(events, Accepted)[0])
        last = events.index(of_type(events, Listed)[-1])
        self.assertLess(accepted, last)

    @rule("W8", "E2")
    def test_more_than_eight_operations_at_once_are_refused(self) -> None:
        _, zoe = self.fixture(*(f"user{n}" for n in range(9)), limits=SMALL_PAGES)
        zoe.is_clogged = True
        zoe.do(*(List() for _ in range(9)))

        events = zoe.unclog()

        (refused,) = of_type(events, Refused)
        self.assertEqual(refused.id, 10)
        self.assertIsInstance(refused.refusal, TooManyOperations)
        self.assertEqual(sum(it.complete for it in of_type(events, Listed)), 8)
        self.assertEqual(len(of_type(zoe.do(List()), Listed)), 4)
