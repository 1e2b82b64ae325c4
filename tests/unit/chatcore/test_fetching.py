"""Reading mail for sessions that have fallen behind (M3, M4)."""

import unittest

from chatcore.commands import (
    Delete,
    InboxAction,
    Resume,
    Send,
)
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.marks import rule


def discard(fixture: ChatFixture, username: str) -> None:
    """Delete an account and what waits for it."""
    fixture.peer().do(
        Delete(username=username, password=PASSWORD, inbox=InboxAction.DISCARD)
    )


class FetchTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("M3", "S3")
    def test_mail_that_was_read_for_a_link_that_is_gone_is_read_again(self) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "hello"))
        slow = self.fixture.peer()
        waiting = self.fixture.store.hold_after("read")
        slow.do(Resume(self.bob.token))
        quick = self.fixture.peer()

        quick.do(Resume(self.bob.token))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual((slow.bodies, quick.bodies), ([], ["hello"]))

    @rule("M3", "S3")
    def test_mail_that_was_read_for_two_links_is_delivered_to_the_later_one(
        self,
    ) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "hello"))
        links = [self.fixture.peer(), self.fixture.peer()]
        waiting = []
        for link in links:
            waiting.append(self.fixture.store.hold_after("read"))
            link.do(Resume(self.bob.token))

        for it in waiting:
            it.end(answer=True)
            self.fixture.scheduler.run()

        self.assertEqual([it.bodies for it in links], [[], ["hello"]])

    @rule("M3")
    def test_mail_that_is_read_twice_at_once_is_delivered_once(self) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "hello"))
        waiting = self.fixture.store.hold_after("read")
        back = self.fixture.peer()
        back.do(Resume(self.bob.token))

        self.fixture.do(self.fixture.chat.fetch(back.connection))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(back.bodies, ["hello"])

    @rule("M3")
    def test_what_is_committed_while_mail_is_read_comes_after_it(self) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "one"))
        waiting = self.fixture.store.hold_after("read")
        back = self.fixture.peer()
        back.do(Resume(self.bob.token))

        self.ada.do(Send("bob", "two"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(back.bodies, ["one", "two"])

    def test_there_is_nothing_to_fetch_without_a_session_or_when_caught_up(
        self,
    ) -> None:
        before = self.fixture.store.calls.count("read")

        self.fixture.do(self.fixture.chat.fetch(self.fixture.peer().connection))
        self.fixture.do(self.fixture.chat.fetch(self.bob.connection))

        self.assertEqual(self.fixture.store.calls.count("read"), before)

    @rule("M4", "D4")
    def test_many_bounces_in_front_of_a_message_do_not_hide_it(self) -> None:
        fixture = ChatFixture(Limits(window_bytes=64, bounce_messages=10))
        sender = fixture.user("ada")
        for n in range(4):
            name = f"gone{n}"
            fixture.account(name)
            sender.do(*(Send(name, "x") for _ in range(10)))
        sender.lose()
        for n in range(4):
            discard(fixture, f"gone{n}")
        fixture.user("bob").do(Send("ada", "hello"))

        again = fixture.user("ada")

        self.assertEqual([it.position for it in again.mail], [1, 2, 3, 4, 5])
        self.assertEqual(again.bodies, ["hello"])
