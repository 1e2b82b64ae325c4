"""Coming back: resume, fencing, restarts and shutting down (S3, S6, M5, W9)."""

import unittest

from chatcore.commands import (
    Command,
    Create,
    DeliveryMode,
    Login,
    Pong,
    Resume,
    Send,
)
from chatcore.errors import (
    AcknowledgedTooMuch,
    CloseCode,
    Fenced,
    OutcomeUnknown,
    SessionGone,
    ShuttingDown,
)
from chatcore.events import Accepted, Closing, Delivered, LoggedIn, Refused, Resumed
from chatcore.ids import AccountId, Epoch, Position, Username
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.marks import rule


class ResumeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.back = self.fixture.peer()

    @rule("S3")
    def test_a_resume_continues_after_what_was_seen_without_loss_or_repeat(
        self,
    ) -> None:
        self.bob.do(Send("ada", "one"), Send("ada", "two"))
        self.ada.lose()
        self.bob.do(Send("ada", "three"))

        events = self.back.do(Resume(self.ada.token, last_seen=1))

        self.assertEqual(
            events[0],
            Resumed(
                id=1,
                account=AccountId(1),
                username=Username("ada"),
                queued=3,
                last_seen=Position(1),
            ),
        )
        chain = [(it.position, it.follows) for it in of_type(events, Delivered)]
        self.assertEqual(chain, [(2, 1), (3, 2)])

    @rule("S3")
    def test_a_resume_hashes_no_password(self) -> None:
        self.ada.lose()

        self.back.ask(Resume(self.ada.token))

        self.assertEqual(self.fixture.surroundings.passwords.checked, [])

    @rule("S3", "S6", "E2")
    def test_a_resume_fences_the_old_link_while_it_is_half_open(self) -> None:
        answer = self.back.ask(Resume(self.ada.token))
        self.bob.do(Send("ada", "hello"))

        self.assertIsInstance(answer, Resumed)
        (closing,) = of_type(self.ada.events, Closing)
        self.assertIs(closing.code, CloseCode.RESUMED_ELSEWHERE)
        self.assertFalse(closing.code.may_reconnect)
        self.assertEqual((self.ada.bodies, self.back.bodies), ([], ["hello"]))

    @rule("S3")
    def test_what_the_old_link_still_brings_is_ignored(self) -> None:
        self.bob.do(Send("ada", "hello"))
        self.back.ask(Resume(self.ada.token))

        self.ada.do(Send("bob", "too late"))
        self.ada.acknowledge(1)
        self.ada.lose()
        third = self.fixture.peer()
        third.do(Resume(self.ada.token))

        self.assertEqual(self.bob.bodies, [])
        self.assertEqual(third.bodies, ["hello"])

    @rule("S3", "S6")
    def test_a_send_that_is_under_way_on_the_old_link_is_fenced(self) -> None:
        waiting = self.fixture.store.hold("deposit")
        self.ada.do(Send("bob", "too late"))

        self.back.ask(Resume(self.ada.token))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(self.bob.bodies, [])
        self.assertEqual(of_type(self.ada.events, Accepted), [])

    @rule("S6", "E2")
    def test_what_the_store_fences_is_refused_by_its_name(self) -> None:
        self.fixture.store.fail_after("resume_session", OutcomeUnknown())
        self.back.refusal(Resume(self.ada.token))

        refusal = self.ada.refusal(Send("bob", "under an older epoch"))

        self.assertIsInstance(refusal, Fenced)

    @rule("S3", "E2")
    def test_having_seen_more_than_there_is_is_refused(self) -> None:
        self.bob.do(Send("ada", "one"))

        refusal = self.back.refusal(Resume(self.ada.token, last_seen=2))
        answer = self.ada.do(Send("ada", "still here"))

        self.assertIsInstance(refusal, AcknowledgedTooMuch)
        self.assertEqual(refusal.fields, {"position": "2", "delivered": "1"})
        self.assertEqual(len(of_type(answer, Accepted)), 1)

    @rule("S3")
    def test_a_token_that_nobody_was_given_resumes_nothing(self) -> None:
        for token in (b"", bytes(32), b"x" * 5000):
            self.assertIsInstance(self.back.refusal(Resume(token)), SessionGone)

    @rule("S3", "S6")
    def test_a_session_that_the_store_has_lost_is_gone(self) -> None:
        self.fixture.do(self.fixture.store.end_session(AccountId(1), self.epoch()))

        self.assertIsInstance(self.back.refusal(Resume(self.ada.token)), SessionGone)

    @rule("S6")
    def test_a_token_is_stable_over_many_resumes(self) -> None:
        for _ in range(5):
            back = self.fixture.peer()
            self.assertIsInstance(back.ask(Resume(self.ada.token)), Resumed)
            back.lose()

    @rule("S6")
    def test_each_login_and_each_resume_raises_the_epoch(self) -> None:
        epochs = [self.epoch()]
        self.back.ask(Resume(self.ada.token))
        epochs.append(self.epoch(self.back))
        self.back.lose()
        again = self.fixture.user("ada")
        epochs.append(self.epoch(again))

        self.assertEqual(epochs, [1, 2, 3])

    @rule("S3")
    def test_a_link_that_is_lost_during_its_resume_leaves_the_session_detached(
        self,
    ) -> None:
        self.ada.lose()
        waiting = self.fixture.store.hold("resume_session")
        self.back.do(Resume(self.ada.token))

        self.back.lose()
        waiting.end(answer=True)
        self.fixture.scheduler.run()
        self.fixture.pass_s(29)
        in_time = self.fixture.peer()

        self.assertIsInstance(in_time.ask(Resume(self.ada.token)), Resumed)

    @rule("S3")
    def test_the_grace_of_such_a_session_ends_as_well(self) -> None:
        waiting = self.fixture.store.hold("resume_session")
        self.back.do(Resume(self.ada.token))

        self.back.lose()
        waiting.end(answer=True)
        self.fixture.scheduler.run()
        self.fixture.pass_s(30)
        self.fixture.tick()

        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(self.ada.token)), SessionGone
        )

    @rule("S3", "S2")
    def test_a_manual_session_stays_manual(self) -> None:
        eve = self.fixture.peer()
        login = Login(
            username="eve",
            password=PASSWORD,
            create=True,
            delivery=DeliveryMode.MANUAL,
        )
        (logged_in,) = of_type(eve.do(login), LoggedIn)
        self.bob.do(Send("eve", "hello"))
        eve.lose()

        self.back.do(Resume(logged_in.token))

        self.assertEqual(self.back.bodies, [])

    @rule("S3", "S2")
    def test_a_resume_may_choose_anew_how_mail_comes(self) -> None:
        self.ada.lose()
        self.bob.do(Send("ada", "hello"))
        pushing = self.fixture.peer()

        self.back.do(Resume(self.ada.token, delivery=DeliveryMode.MANUAL))
        pushing.do(Resume(self.ada.token, delivery=DeliveryMode.PUSH))

        self.assertEqual((self.back.bodies, pushing.bodies), ([], ["hello"]))

    @rule("S6", "S2")
    def test_after_a_restart_mail_comes_by_itself_unless_the_resume_says_otherwise(
        self,
    ) -> None:
        self.ada.lose()
        self.bob.do(Send("ada", "hello"))
        self.fixture.restart()
        manual = self.fixture.peer()

        manual.do(Resume(self.ada.token, delivery=DeliveryMode.MANUAL))
        self.fixture.restart()
        pushing = self.fixture.peer()
        pushing.do(Resume(self.ada.token))

        self.assertEqual((manual.bodies, pushing.bodies), ([], ["hello"]))

    def epoch(self, peer: Peer | None = None) -> Epoch:
        connection = (peer or self.ada).connection
        session = self.fixture.chat.session_of(connection)
        assert session is not None
        return session.epoch


class RestartTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("S6", "S3")
    def test_a_session_survives_a_restart_of_the_server(self) -> None:
        self.bob.do(Send("ada", "one"), Send("ada", "two"))
        self.fixture.restart()
        back = self.fixture.peer()

        answer = back.do(Resume(self.ada.token, last_seen=1))[0]

        self.assertIsInstance(answer, Resumed)
        self.assertEqual(back.bodies, ["two"])

    @rule("S6", "M4")
    def test_what_was_seen_before_a_restart_can_be_acknowledged_after_it(self) -> None:
        self.bob.do(Send("ada", "one"), Send("ada", "two"))
        self.fixture.restart()
        back = self.fixture.peer()
        back.do(Resume(self.ada.token, last_seen=2))

        refusals = back.acknowledge(2)
        back.lose()
        (logged_in,) = of_type(
            self.fixture.peer().do(Login(username="ada", password=PASSWORD)), LoggedIn
        )

        self.assertEqual(refusals, [])
        self.assertEqual((logged_in.queued, logged_in.acknowledged), (0, 2))

    @rule("S6")
    def test_the_grace_of_a_stored_session_begins_with_the_new_server(self) -> None:
        self.fixture.pass_s(1000)
        self.fixture.restart()

        self.fixture.pass_s(29)
        self.fixture.tick()
        in_time = self.fixture.peer().ask(Resume(self.ada.token))
        self.fixture.pass_s(1)
        self.fixture.tick()

        self.assertIsInstance(in_time, Resumed)
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(self.bob.token)), SessionGone
        )

    @rule("S6", "S1")
    def test_a_stored_session_makes_way_for_a_login(self) -> None:
        self.fixture.restart()

        answer = self.fixture.peer().ask(Login(username="ada", password=PASSWORD))

        self.assertIsInstance(answer, LoggedIn)

    @rule("S6", "M1")
    def test_mail_for_a_session_that_is_not_resumed_yet_waits_for_it(self) -> None:
        self.fixture.restart()
        bob = self.fixture.peer()
        bob.do(Resume(self.bob.token))
        bob.do(Send("ada", "hello"))
        ada = self.fixture.peer()

        ada.do(Resume(self.ada.token))

        self.assertEqual(ada.bodies, ["hello"])

    @rule("S6", "E2")
    def test_a_resume_may_be_refused_and_tried_again(self) -> None:
        self.fixture.store.fail("resume_session", OutcomeUnknown())
        self.ada.lose()
        back = self.fixture.peer()

        refusal = back.refusal(Resume(self.ada.token))
        answer = back.ask(Resume(self.ada.token))

        self.assertIsInstance(refusal, OutcomeUnknown)
        self.assertIsInstance(answer, Resumed)


class StopTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture(Limits(retry_after_ms=700))
        self.ada = self.fixture.user("ada")
        self.guest = self.fixture.peer()

    @rule("W9")
    def test_each_peer_is_told_to_come_back_later(self) -> None:
        self.fixture.do(self.fixture.chat.stop())

        for peer in (self.ada, self.guest):
            closing = peer.events[-1]
            assert isinstance(closing, Closing)
            self.assertIs(closing.code, CloseCode.SHUTTING_DOWN)
            self.assertTrue(closing.code.may_reconnect)

    @rule("W9")
    def test_the_store_is_flushed(self) -> None:
        self.fixture.do(self.fixture.chat.stop())

        self.assertEqual(self.fixture.store.calls[-1], "flush")

    @rule("W9")
    def test_a_link_that_comes_while_the_server_stops_is_closed_at_once(self) -> None:
        self.fixture.do(self.fixture.chat.stop())

        late = self.fixture.peer()

        self.assertIsInstance(late.events[-1], Closing)
        self.assertEqual(late.do(Create("bob", PASSWORD)), [])

    @rule("W9")
    def test_no_session_is_opened_and_no_account_created_any_more(self) -> None:
        self.ada.lose()
        commands: list[Command] = [
            Create("bob", PASSWORD),
            Login(username="ada", password=PASSWORD),
            Resume(self.ada.token),
        ]
        for command in commands:
            with self.subTest(command=type(command).__name__):
                self.fixture.restart()
                guest = self.fixture.peer()
                # It has begun with a batch when the server stops: the command is next.
                guest.when_giving_way = self.stop
                fill = self.fixture.chat.limits.stranger_turn_commands
                self.fixture.store.calls.clear()

                events = guest.do(*[Pong()] * fill, command)

                (closing,) = events
                assert isinstance(closing, Closing)
                self.assertIs(closing.code, CloseCode.SHUTTING_DOWN)
                self.assertEqual(self.fixture.store.calls, ["flush"])
                self.assertIsNone(self.fixture.chat.session_of(guest.connection))

        with self.assertRaises(ShuttingDown) as refused:
            self.fixture.chat._services.logins.refuse_when_stopping()
        self.assertEqual(refused.exception.retry_after_ms, 700)

    def stop(self) -> None:
        self.fixture.do(self.fixture.chat.stop())

    @rule("W9", "S6")
    def test_a_session_can_be_resumed_on_the_next_server(self) -> None:
        self.fixture.do(self.fixture.chat.stop())
        self.ada.lose()

        self.fixture.restart()

        self.assertIsInstance(self.fixture.peer().ask(Resume(self.ada.token)), Resumed)

    @rule("W9")
    def test_commands_behind_the_notice_are_not_carried_out(self) -> None:
        waiting = self.fixture.store.hold("deposit")
        self.ada.do(Send("ada", "stored"), Create("bob", PASSWORD))
        self.fixture.do(self.fixture.chat.stop())

        waiting.end(answer=True)
        self.fixture.scheduler.run()
        self.fixture.restart()

        self.assertEqual(self.fixture.user("ada").bodies, ["stored"])
        self.assertEqual(self.fixture.account("bob"), 2)
        self.assertEqual(of_type(self.ada.events, Refused), [])
