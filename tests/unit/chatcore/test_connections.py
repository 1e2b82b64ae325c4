"""Connections: events on their way out, and signs of life (S1, S5, E2)."""

import unittest

from chatcore.connections import Connection
from chatcore.errors import CloseCode
from chatcore.events import Closing, Ping
from tests.unit.chatcore.chat_fixture import ChatFixture, Peer
from tests.unit.chatcore.marks import rule


class ConnectionTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.peer: Peer = self.fixture.peer()
        self.connection: Connection = self.peer.connection
        self.answers: list[bool] = []

    async def note_probe(self) -> None:
        self.answers.append(await self.connection.probe(within_s=2))

    async def note_progress(self) -> None:
        self.answers.append(await self.connection.progress(within_s=30))

    def test_events_come_out_in_the_order_in_which_they_went_in(self) -> None:
        self.peer.is_clogged = True
        self.connection.emit(Ping())
        self.connection.close(CloseCode.UNRESPONSIVE)

        events = self.peer.unclog()

        self.assertEqual([type(it) for it in events], [Ping, Closing])

    @rule("E2")
    def test_closing_is_the_last_event(self) -> None:
        self.connection.close(CloseCode.REPLACED)
        self.connection.emit(Ping())
        self.connection.close(CloseCode.SHUTTING_DOWN, "Bye.")
        self.fixture.scheduler.run()

        self.assertEqual(
            self.peer.events[1:],
            [Closing(CloseCode.REPLACED, "The account logged in elsewhere.")],
        )
        self.assertTrue(self.connection.is_over)

    def test_an_end_may_say_more_than_its_code(self) -> None:
        self.connection.close(CloseCode.BROKEN_FRAME, "Line 3 is no JSON.")
        self.fixture.scheduler.run()

        self.assertEqual(
            self.peer.events[-1], Closing(CloseCode.BROKEN_FRAME, "Line 3 is no JSON.")
        )

    def test_what_a_lost_link_would_have_carried_goes_nowhere(self) -> None:
        self.peer.is_clogged = True
        self.connection.emit(Ping())
        self.peer.lose()
        self.connection.emit(Ping())
        self.connection.close(CloseCode.REPLACED)

        self.assertEqual(self.peer.unclog(), [])
        self.assertIsNone(self.connection.closing)

    @rule("S1")
    def test_any_byte_answers_a_probe(self) -> None:
        self.fixture.do(self.note_probe())
        asked = list(self.answers)

        self.connection.hear()
        self.fixture.scheduler.run()

        self.assertEqual((asked, self.answers), ([], [True]))
        self.assertIsInstance(self.peer.events[-1], Ping)

    @rule("S1")
    def test_a_probe_without_an_answer_fails_after_its_time(self) -> None:
        self.fixture.do(self.note_probe())

        self.fixture.pass_s(1.9)
        early = list(self.answers)
        self.fixture.pass_s(0.1)

        self.assertEqual((early, self.answers), ([], [False]))

    @rule("S1")
    def test_a_link_that_is_over_does_not_answer_a_probe(self) -> None:
        self.peer.lose()
        self.fixture.do(self.note_probe())

        closing = self.fixture.peer()
        closing.connection.close(CloseCode.REPLACED)
        self.connection = closing.connection
        self.fixture.do(self.note_probe())

        self.assertEqual(self.answers, [False, False])

    @rule("S5")
    def test_it_is_known_when_the_peer_was_last_heard(self) -> None:
        self.fixture.pass_s(5)
        before = self.connection.heard_s
        self.connection.hear()

        self.assertEqual((before, self.connection.heard_s), (0, 5))

    def test_progress_is_told_to_who_waits_for_it(self) -> None:
        self.fixture.do(self.note_progress())
        self.connection.advance()
        self.fixture.scheduler.run()

        self.assertEqual(self.answers, [True])

    def test_no_progress_is_told_after_its_time(self) -> None:
        self.fixture.do(self.note_progress())
        self.fixture.pass_s(30)

        self.assertEqual(self.answers, [False])

    def test_closing_a_link_wakes_who_waits_for_progress(self) -> None:
        self.fixture.do(self.note_progress())
        self.connection.close(CloseCode.REPLACED)
        self.fixture.scheduler.run()

        self.assertEqual(self.answers, [True])

    def test_the_end_of_a_link_wakes_who_waits_for_progress(self) -> None:
        self.fixture.do(self.note_progress())
        self.peer.lose()

        self.fixture.do(self.note_progress())

        self.assertEqual(self.answers, [True, True])
