"""Whom the application lets its users find (L1)."""

import unittest
from collections.abc import Sequence

from chatcore.commands import List, Send
from chatcore.errors import InternalError, InvalidPattern
from chatcore.events import Accepted, Listed, Refused
from chatcore.ids import Username
from chatcore.limits import Limits
from chatcore.listing import ListNobody
from tests.unit.chatcore.chat_fixture import ChatFixture, of_type
from tests.unit.chatcore.marks import rule

SMALL_PAGES = Limits(page_names=3, walk_names=5)


class Friends:
    """Shows to each the names that begin as his own does."""

    def __init__(self) -> None:
        self.asked: list[tuple[Username, list[Username]]] = []

    async def visible(
        self, asker: Username, names: Sequence[Username]
    ) -> Sequence[bool]:
        self.asked.append((asker, list(names)))
        return [it[0] == asker[0] for it in names]


class Refusing:
    """Refuses every list."""

    async def visible(
        self, asker: Username, names: Sequence[Username]
    ) -> Sequence[bool]:
        raise InvalidPattern(maximum=len(asker), chars=len(names))


class Wrong:
    """Answers for one name, however many there are."""

    async def visible(
        self,
        asker: Username,  # noqa: ARG002  # it looks at nothing
        names: Sequence[Username],  # noqa: ARG002
    ) -> Sequence[bool]:
        return [True]


class ListPolicyTest(unittest.TestCase):
    @rule("L1")
    def test_only_those_whom_the_application_shows_are_listed(self) -> None:
        friends = Friends()
        fixture = ChatFixture(SMALL_PAGES, list_policy=friends)
        for name in ("ada", "bob", "amy", "ben", "alan", "bea", "abe"):
            fixture.account(name)

        pages = of_type(fixture.user("ann").do(List()), Listed)

        names = [name for page in pages for name in page.names]
        online = [it for page in pages for it in page.online]
        self.assertEqual(names, ["abe", "ada", "alan", "amy", "ann"])
        self.assertEqual(online, [False, False, False, False, True])
        self.assertEqual([it.complete for it in pages], [False, True])
        self.assertEqual({asker for asker, _ in friends.asked}, {"ann"})

    @rule("L1")
    def test_it_is_asked_about_what_matches_and_nothing_else(self) -> None:
        friends = Friends()
        fixture = ChatFixture(list_policy=friends)
        for name in ("ada", "adam", "bob"):
            fixture.account(name)

        fixture.user("ann").do(List(pattern="adam*"))

        self.assertEqual(friends.asked, [("ann", ["adam"])])

    @rule("L1")
    def test_where_nobody_is_shown_a_list_is_empty_and_mail_goes_on(self) -> None:
        fixture = ChatFixture(list_policy=ListNobody())
        fixture.account("bob")
        ann = fixture.user("ann")

        (page,) = of_type(ann.do(List()), Listed)

        self.assertEqual((page.names, page.complete), ((), True))
        self.assertIsInstance(ann.ask(Send("bob", "hello")), Accepted)

    @rule("L1", "E2")
    def test_a_policy_that_refuses_or_fails_ends_that_list_alone(self) -> None:
        for policy, expected in (
            (Refusing(), InvalidPattern),
            (Wrong(), InternalError),
        ):
            with self.subTest(expected=expected):
                fixture = ChatFixture(list_policy=policy)
                fixture.account("bob")
                ann = fixture.user("ann")

                (refused,) = of_type(ann.do(List()), Refused)

                self.assertIsInstance(refused.refusal, expected)
                self.assertIsInstance(ann.ask(Send("bob", "hello")), Accepted)
