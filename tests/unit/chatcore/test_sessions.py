"""Sessions: their state table, and finding them (S1 to S6)."""

import unittest
from itertools import product

from chatcore.commands import Resume, Send
from chatcore.delivery import Delivery, DeliveryState
from chatcore.errors import SessionGone
from chatcore.events import Resumed
from chatcore.ids import AccountId, Epoch, Position, TokenHash, Username
from chatcore.limits import Limits
from chatcore.model import Mailbox
from chatcore.sessions import (
    SESSION_STATES,
    Session,
    Sessions,
    SessionState,
    SessionTrigger,
)
from tests.unit.chatcore.chat_fixture import ChatFixture
from tests.unit.chatcore.marks import rule

IMPOSSIBLE = {
    (SessionState.DETACHED, SessionTrigger.LINK_LOST): "it has no link to lose",
    (SessionState.ENDED, SessionTrigger.LINK_LOST): "nobody finds it any more",
    (SessionState.ENDED, SessionTrigger.RESUMED): "nobody finds it any more",
    (SessionState.ENDED, SessionTrigger.ENDED): "nobody finds it any more",
}


def session(account: int = 1) -> Session:
    empty = Mailbox(acknowledged=Position(0), head=Position(0), queued=0)
    return Session(
        AccountId(account),
        Username(f"user{account}"),
        Epoch(1),
        TokenHash(bytes([account])),
        Delivery(empty, Limits(), pushes=True),
    )


class SessionTableTest(unittest.TestCase):
    def test_each_pair_of_state_and_cause_has_an_entry_or_is_impossible(self) -> None:
        pairs = set(product(SessionState, SessionTrigger))

        self.assertEqual(set(SESSION_STATES) | set(IMPOSSIBLE), pairs)
        self.assertEqual(set(SESSION_STATES) & set(IMPOSSIBLE), set())

    def test_a_session_follows_the_table_and_nothing_else(self) -> None:
        for state, cause in product(SessionState, SessionTrigger):
            it = session()
            it.state = state

            if (state, cause) in IMPOSSIBLE:
                with self.assertRaises(KeyError):
                    it.change(cause)
                self.assertIs(it.state, state)
            else:
                it.change(cause)
                self.assertIs(it.state, SESSION_STATES[state, cause])

    def test_an_ended_session_stays_ended(self) -> None:
        leaving = {to for (state, _), to in SESSION_STATES.items() if state is to}

        self.assertNotIn(SessionState.ENDED, {state for state, _ in SESSION_STATES})
        self.assertEqual(leaving, {SessionState.ATTACHED})


class SessionsTest(unittest.TestCase):
    def test_a_session_is_found_by_what_it_has_until_it_ends(self) -> None:
        sessions, it = Sessions(grace_s=30), session()
        connection = ChatFixture().peer().connection
        sessions.attach(it, connection)

        found = [
            sessions.of_account(it.account),
            sessions.of_token(it.token_hash),
            sessions.of_connection(connection),
        ]
        sessions.end(it)

        self.assertEqual(found, [it, it, it])
        self.assertIsNone(sessions.of_account(it.account))
        self.assertIsNone(sessions.of_token(it.token_hash))
        self.assertIsNone(sessions.of_connection(connection))

    @rule("S3")
    def test_the_session_that_is_detached_longest_is_overdue_first(self) -> None:
        sessions, first, second = Sessions(grace_s=30), session(1), session(2)
        sessions.add_detached(first, 0.0)
        sessions.add_detached(second, 10.0)

        self.assertIsNone(sessions.overdue(29.9))
        self.assertIs(sessions.overdue(30.0), first)
        sessions.end(first)
        self.assertIsNone(sessions.overdue(39.9))
        self.assertIs(sessions.overdue(40.0), second)
        sessions.end(second)
        self.assertIsNone(sessions.overdue(1000.0))


class GraceTest(unittest.TestCase):
    @rule("S3")
    def test_nothing_is_delivered_to_a_session_without_a_link(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        session = fixture.chat.session_of(ada.connection)
        assert session is not None

        attached = session.delivery.flow
        ada.lose()
        fixture.user("bob").do(Send("ada", "hello"))

        self.assertEqual(
            (attached, session.delivery.flow), (DeliveryState.LIVE, DeliveryState.HELD)
        )
        self.assertEqual(session.delivery.delivered, 0)

    @rule("S3")
    def test_a_lost_link_leaves_thirty_seconds_for_a_resume(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        ada.lose()

        fixture.pass_s(29.9)
        fixture.tick()
        answer = fixture.peer().ask(Resume(ada.token))

        self.assertIsInstance(answer, Resumed)

    @rule("S3")
    def test_after_its_grace_a_session_has_ended_in_the_store_as_well(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        ada.lose()

        fixture.pass_s(30)
        fixture.tick()
        refusal = fixture.peer().refusal(Resume(ada.token))
        fixture.restart()
        after_restart = fixture.peer().refusal(Resume(ada.token))

        self.assertIsInstance(refusal, SessionGone)
        self.assertIsInstance(after_restart, SessionGone)

    @rule("S3")
    def test_each_loss_of_a_link_begins_a_new_grace(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        ada.lose()
        fixture.pass_s(20)
        again = fixture.peer()
        again.ask(Resume(ada.token))
        again.lose()

        fixture.pass_s(20)
        fixture.tick()
        answer = fixture.peer().ask(Resume(ada.token))

        self.assertIsInstance(answer, Resumed)

    @rule("S3")
    def test_a_session_that_is_attached_is_never_overdue(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        ada.lose()
        again = fixture.peer()
        again.ask(Resume(ada.token))

        fixture.pass_s(1000)
        fixture.tick()

        self.assertIsNotNone(fixture.chat.session_of(again.connection))

    @rule("S3", "E2")
    def test_a_resume_that_was_refused_does_not_lengthen_the_grace(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        ada.lose()
        fixture.peer().refusal(Resume(ada.token, last_seen=99))

        fixture.pass_s(30)
        fixture.tick()

        self.assertIsInstance(fixture.peer().refusal(Resume(ada.token)), SessionGone)

    @rule("S3", "S5")
    def test_a_session_that_has_ended_leaves_its_mail_where_it_was(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.lose()
        ada.do(Send("bob", "hello"))

        fixture.pass_s(30)
        fixture.tick()
        again = fixture.user("bob")

        self.assertEqual(again.bodies, ["hello"])
