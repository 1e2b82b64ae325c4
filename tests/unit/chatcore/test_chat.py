"""The chat as a whole: batches, their answers, and whole histories (E2, E3, W7)."""

import unittest

from chatcore import Chat, Limits
from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Command,
    Create,
    Delete,
    Deliver,
    List,
    Login,
    Logout,
    Malformed,
    Pong,
    Resume,
    Send,
    Unknown,
)
from chatcore.errors import MalformedCommand, StoreUnavailable, UnknownCommand
from chatcore.events import (
    Accepted,
    Bounced,
    Delivered,
    Event,
    LoggedOut,
    Refused,
    Resumed,
    Started,
    Welcome,
)
from chatstores.memory import MemoryStore
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.environment import NOON_MS, seeded
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule


def answered_id(event: Event) -> int | None:
    """The command that an event answers; None for one that comes by itself."""
    return (
        None if isinstance(event, Delivered | Bounced) else getattr(event, "id", None)
    )


class WelcomeTest(unittest.TestCase):
    def test_the_first_event_on_a_link_tells_the_clock_and_the_limits(self) -> None:
        fixture = ChatFixture(Limits(body_bytes=100, window_messages=7))
        fixture.pass_s(2)

        peer = fixture.peer()

        self.assertEqual(
            peer.events,
            [
                Welcome(
                    server_time_ms=NOON_MS + 2000,
                    frame_bytes=1024 * 1024,
                    body_bytes=100,
                    pending_commands=1024,
                    window_messages=7,
                    login_frame_bytes=32 * 1024,
                )
            ],
        )

    @rule("B3")
    def test_a_frame_before_the_login_is_told_no_larger_than_any_other(self) -> None:
        limits = Limits(body_bytes=100, password_max_bytes=500, frame_bytes=20_000)

        (welcome,) = ChatFixture(limits).peer().events

        assert isinstance(welcome, Welcome)
        self.assertEqual(welcome.login_frame_bytes, 20_000)

    def test_a_chat_has_the_limits_of_the_rules_unless_it_is_told_others(self) -> None:
        self.assertEqual(Chat(MemoryStore()).limits, Limits())


class BatchTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada = self.fixture.user("ada")
        self.fixture.account("bob")

    @rule("W7")
    def test_answers_come_in_order_and_name_their_commands(self) -> None:
        commands: list[Command] = [
            Send("bob", "one"),
            Deliver(),
            ChangePassword(PASSWORD, "new password"),
            Send("nobody", "two"),
            Send("bob", "three"),
            Create("eve", PASSWORD),
            Unknown("Dance"),
            List(),
            Logout(),
        ]

        events = self.ada.do(*commands)

        firsts = list(dict.fromkeys(answered_id(it) for it in events))
        self.assertEqual(firsts, list(range(2, 11)))

    @rule("W7")
    def test_a_slow_command_holds_back_the_answers_of_those_behind_it(self) -> None:
        waiting = self.fixture.store.hold("deposit")

        early = self.ada.do(Send("bob", "slow"), Deliver())
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(early, [])
        self.assertEqual(
            [type(it) for it in self.ada.events[-3:-1]], [Accepted, Started]
        )

    @rule("E2")
    def test_a_refused_command_leaves_the_session_and_the_rest_of_the_batch(
        self,
    ) -> None:
        events = self.ada.do(
            Create("bob", PASSWORD), Send("nobody", "x"), Send("bob", "hello")
        )

        self.assertEqual([type(it) for it in events], [Refused, Refused, Accepted])
        self.assertIsNotNone(self.fixture.chat.session_of(self.ada.connection))

    @rule("E3")
    def test_an_unknown_command_is_refused_by_name_and_harms_nothing_else(self) -> None:
        events = self.ada.do(Send("bob", "one"), Unknown("42"), Send("bob", "two"))

        self.assertEqual([type(it) for it in events], [Accepted, Refused, Accepted])
        (refused,) = of_type(events, Refused)
        self.assertIsInstance(refused.refusal, UnknownCommand)
        self.assertEqual(refused.refusal.fields, {"command": "42"})

    @rule("E3", "E2")
    def test_a_malformed_command_is_refused_with_its_reason(self) -> None:
        refusal = self.fixture.peer().refusal(Malformed("send.body is missing"))

        self.assertIsInstance(refusal, MalformedCommand)
        self.assertIn("send.body is missing", refusal.text)

    @rule("E2")
    def test_a_client_may_give_all_its_commands_the_same_number(self) -> None:
        peer = self.fixture.peer()
        peer._last_id = -1

        refusal = peer.refusal(Logout())

        self.assertEqual(refusal.code, 200)

    @rule("W7")
    def test_a_pong_has_no_answer(self) -> None:
        self.assertEqual(self.ada.do(Pong()), [])

    @rule("E2")
    def test_after_a_logout_the_rest_of_the_batch_is_refused(self) -> None:
        events = self.ada.do(Logout(), Send("bob", "too late"), List())

        self.assertEqual([type(it) for it in events], [LoggedOut, Refused, Refused])


class RefusalsChangeNothingTest(unittest.TestCase):
    @rule("E2")
    def test_no_refused_command_leaves_a_trace(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(Send("ada", "waits"))
        refused: list[Command] = [
            Create("bob", PASSWORD),
            Create("*", PASSWORD),
            Create("eve", "short"),
            Create("eve", PASSWORD, b"no key"),
            Login(username="bob", password=PASSWORD),
            Resume(bytes(32)),
            Send("nobody", "x"),
            Send("bob", ""),
            Send("bob", "x", b"no key"),
            Acknowledge(2),
            List("*" * 257),
            Delete(username="bob", password=PASSWORD),
            Delete(username="ada", password="wrong password"),
            ChangePassword("wrong password", "new password"),
            ChangePassword(PASSWORD, "short"),
            Unknown("Dance"),
            Malformed("no reason"),
        ]
        before = snapshot(fixture)

        events = ada.do(*refused)

        self.assertEqual([type(it) for it in events], [Refused] * len(refused))
        self.assertEqual(snapshot(fixture), before)
        self.assertEqual(len(of_type(ada.do(Send("bob", "x")), Accepted)), 1)

    @rule("E2", "M1")
    def test_no_command_that_an_outage_refuses_leaves_a_trace(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        fixture.account("bob")
        outages: list[tuple[str, Command]] = [
            ("create_account", Create("eve", PASSWORD)),
            ("deposit", Send("bob", "x", key_of(1))),
            ("mailbox", Deliver()),
            ("end_session", Logout()),
        ]
        before = snapshot(fixture)

        for call, command in outages:
            fixture.store.fail(call, StoreUnavailable(reason="disk full"))
            refusal = ada.refusal(command)
            self.assertIsInstance(refusal, StoreUnavailable)

        self.assertEqual(snapshot(fixture), before)
        self.assertIsNotNone(fixture.chat.session_of(ada.connection))


def snapshot(fixture: ChatFixture) -> object:
    """All that the store holds, as values."""
    rows = fixture.store._rows
    return (
        sorted(
            (it.id, it.username, it.password_hash, it.epoch, it.token_hash)
            for it in rows.accounts.values()
        ),
        {
            name: (box.head, box.acknowledged, len(box.mail))
            for name, box in rows.boxes.items()
        },
        dict(rows.by_token.items()).keys(),
        {pair: set(known) for pair, known in rows.keys.items()},
        set(rows.requests),
        set(fixture.chat._services.closing.names),
    )


class Reader:
    """A client that keeps what it has received over all its links, as M5 asks."""

    def __init__(self, fixture: ChatFixture, username: str) -> None:
        self.fixture = fixture
        self.peer: Peer = fixture.user(username)
        self.token = self.peer.token
        self.seen = 0
        self.taken = 0
        self.bodies: list[str] = []

    def take(self) -> None:
        """Take what came, and see that it is the next in the chain."""
        mail = self.peer.mail
        for it in mail[self.taken :]:
            assert it.follows == self.seen, "something is missing, or came twice"
            self.seen = it.position
            if isinstance(it, Delivered):
                self.bodies.append(it.body)
        self.taken = len(mail)

    def come_back(self) -> None:
        """Resume on a new link, whatever has become of the old one."""
        older, self.peer, self.taken = self.peer, self.fixture.peer(), 0
        (resumed,) = of_type(
            self.peer.do(Resume(self.token, last_seen=self.seen)), Resumed
        )
        self.seen = resumed.last_seen
        if not older.connection.lost:
            older.lose()


class HistoryTest(unittest.TestCase):
    """Two senders and a reader that loses links, on a server that restarts."""

    def live_through(self, seed: int) -> tuple[list[str], list[str]]:
        random = seeded(seed)
        fixture = ChatFixture(Limits(window_messages=5, window_bytes=40))
        reader = Reader(fixture, "bob")
        senders = {name: fixture.user(name) for name in ("ada", "eve")}
        sent: list[str] = []
        for step in range(random.randrange(20, 80)):
            match random.randrange(7):
                case 0 | 1 | 2:
                    name = random.choice(list(senders))
                    bodies = [f"{name} {step}.{n}" for n in range(random.randrange(4))]
                    senders[name].do(*(Send("bob", it) for it in bodies))
                    sent += bodies
                case 3 | 4:
                    reader.take()
                    reader.peer.acknowledge(random.randint(0, reader.seen))
                case 5:
                    reader.take()
                    reader.peer.lose()
                    reader.come_back()
                case _:
                    if random.random() < 0.5:
                        fixture.restart()
                        senders = {name: fixture.user(name) for name in senders}
                    reader.come_back()
        while True:
            reader.take()
            before = reader.seen
            reader.peer.acknowledge(reader.seen)
            reader.take()
            if reader.seen == before:
                return sent, reader.bodies

    @rule("M3", "M4", "M5", "S3", "S6")
    def test_each_message_is_received_once_and_in_order_whatever_happens(
        self,
    ) -> None:
        for seed in range(150):
            with self.subTest(seed=seed):
                sent, received = self.live_through(seed)

                self.assertEqual(received, sent)
