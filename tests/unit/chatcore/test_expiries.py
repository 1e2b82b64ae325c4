"""Identities that expire: told before, renewed, or the end of the link (A2, S3)."""

import unittest

from chatcore import Limits
from chatcore.claims import ClaimPurpose, Identity
from chatcore.commands import Login, Prove, Resume, Send
from chatcore.errors import (
    ApplicationUnavailable,
    CloseCode,
    Fenced,
    InternalError,
    LoginRequired,
    OtherAccount,
    ProofRefused,
    ProofRequired,
    TooManyOperations,
)
from chatcore.events import (
    Accepted,
    Closing,
    Delivered,
    Expiring,
    LoggedIn,
    Proved,
    Refused,
    Resumed,
)
from chatcore.ids import ResumeToken
from chatcore.model import AuditAction
from tests.unit.chatcore.chat_fixture import ChatFixture, Peer, of_type
from tests.unit.chatcore.club import Club
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule
from tests.unit.chatcore.test_identities import ADA


def until(seconds: float, username: str = "ada") -> Identity:
    """An identity that expires so long after noon."""
    return Identity(username=username, expires_at_ms=NOON_MS + int(seconds * 1000))


class ExpiryTest(unittest.TestCase):
    def setUp(self) -> None:
        self.club = Club(**{"ada-1": until(600), "ada-2": until(1200)})
        self.begin(Limits())

    def begin(self, limits: Limits) -> None:
        self.fixture = ChatFixture(limits, identities=self.club)
        self.peer, self.token = self.log_in()

    def log_in(self) -> tuple[Peer, ResumeToken]:
        peer = self.fixture.peer()
        answer = peer.ask(ADA)
        assert isinstance(answer, LoggedIn)
        return peer, answer.token

    def pass_s(self, seconds: float) -> None:
        self.fixture.pass_s(seconds)
        self.fixture.tick()

    def told(self) -> list[int]:
        """How much was left each time that the peer was told to show a new proof."""
        return [it.expires_in_ms for it in of_type(self.peer.events, Expiring)]

    def closings(self) -> list[CloseCode]:
        return [it.code for it in of_type(self.peer.events, Closing)]

    @rule("A2")
    def test_a_login_says_when_its_proof_expires(self) -> None:
        (answer,) = of_type(self.peer.events, LoggedIn)

        self.assertEqual(answer.expires_in_ms, 600_000)

    @rule("A2")
    def test_a_session_is_told_once_a_minute_before_it_expires(self) -> None:
        self.pass_s(539)
        before = self.told()
        self.pass_s(1)
        self.pass_s(10)

        self.assertEqual(before, [])
        self.assertEqual(self.told(), [60_000])
        self.assertEqual(self.closings(), [])

    @rule("A2")
    def test_what_lives_shortly_is_told_at_half_of_that(self) -> None:
        self.club.passes["ada-1"] = until(4)
        self.peer, _ = self.log_in_anew()

        self.pass_s(1.9)
        before = self.told()
        self.pass_s(0.1)

        self.assertEqual(before, [])
        self.assertEqual(self.told(), [2000])

    def log_in_anew(self) -> tuple[Peer, ResumeToken]:
        self.peer.lose()
        return self.log_in()

    @rule("A2")
    def test_how_long_before_is_a_setting(self) -> None:
        self.begin(Limits(expiring_s=5))

        self.pass_s(594)
        before = self.told()
        self.pass_s(1)

        self.assertEqual(before, [])
        self.assertEqual(self.told(), [5000])

    @rule("A2", "S3")
    def test_what_was_not_renewed_ends_the_link_and_the_session_waits_its_grace(
        self,
    ) -> None:
        self.pass_s(600)

        self.assertEqual(self.closings(), [CloseCode.PROOF_EXPIRED])
        self.assertFalse(CloseCode.PROOF_EXPIRED.may_reconnect)
        self.peer.lose()
        self.assertEqual(self.fixture.chat.detached_sessions, 1)
        again = self.fixture.peer()
        self.assertIsInstance(again.refusal(Resume(self.token)), ProofRequired)
        answer = again.ask(Resume(self.token, proof="ada-2"))
        assert isinstance(answer, Resumed)
        self.assertEqual(answer.expires_in_ms, 600_000)

    @rule("A2", "M5")
    def test_a_new_proof_renews_without_losing_mail_or_place(self) -> None:
        self.pass_s(550)
        self.peer.do(Send("ada", "one"))

        answer = self.peer.ask(Prove("ada-2"))
        self.peer.do(Send("ada", "two"))
        self.pass_s(100)

        assert isinstance(answer, Proved)
        self.assertEqual(answer.expires_in_ms, 650_000)
        self.assertEqual(self.closings(), [])
        mail = of_type(self.peer.events, Delivered)
        self.assertEqual(
            [(it.body, it.follows) for it in mail], [("one", 0), ("two", 1)]
        )
        self.assertIs(self.club.claims[-1].purpose, ClaimPurpose.RENEWAL)
        self.assertIs(
            self.fixture.surroundings.records.events[-1].action, AuditAction.PROVE
        )

    @rule("A2")
    def test_each_proof_is_told_of_anew(self) -> None:
        self.pass_s(550)
        self.peer.ask(Prove("ada-2"))
        self.pass_s(600)

        self.assertEqual(self.told(), [50_000, 50_000])

    @rule("A2")
    def test_a_proof_may_bring_an_earlier_end_or_none_at_all(self) -> None:
        self.club.passes |= {"short": until(10), "long": Identity(username="ada")}
        self.peer.ask(Prove("short"))
        self.pass_s(6)
        told = self.told()
        answer = self.peer.ask(Prove("long"))
        self.pass_s(3600)

        assert isinstance(answer, Proved)
        self.assertEqual((told, answer.expires_in_ms), ([4000], 0))
        self.assertEqual(self.closings(), [])

    @rule("A2", "E2")
    def test_a_proof_that_is_refused_changes_nothing(self) -> None:
        self.club.passes["bob-1"] = until(1200, "bob")
        self.club.passes["old"] = until(-1)

        refusals = [
            self.peer.refusal(Prove(proof)) for proof in ("bob-1", "old", "forged", "")
        ]

        kinds = [OtherAccount, ProofRefused, ProofRefused, ProofRequired]
        self.assertEqual([type(it) for it in refusals], kinds)
        self.assertIsInstance(self.peer.ask(Send("ada", "hi")), Accepted)
        self.pass_s(600)
        self.assertEqual(self.closings(), [CloseCode.PROOF_EXPIRED])

    @rule("A2")
    def test_an_application_that_fails_at_a_proof_harms_no_other_command(self) -> None:
        self.club.raises = ZeroDivisionError()

        refusal = self.peer.refusal(Prove("ada-2"))

        self.assertIsInstance(refusal, InternalError)
        self.assertEqual([type(it) for it in self.peer.reported], [ZeroDivisionError])
        self.assertIsInstance(self.peer.ask(Send("ada", "hi")), Accepted)

    @rule("W7")
    def test_other_commands_do_not_wait_for_a_proof(self) -> None:
        self.club.waiting = [waiting] = [Wait(self.fixture.scheduler)]

        (receipt,) = of_type(self.peer.do(Prove("ada-2"), Send("ada", "hi")), Accepted)
        second = self.peer.refusal(Prove("ada-2"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(receipt.position, 1)
        self.assertIsInstance(second, TooManyOperations)
        (proved,) = of_type(self.peer.events, Proved)
        self.assertEqual(proved.id, 2)

    @rule("B2")
    def test_a_proof_that_is_never_judged_is_given_up(self) -> None:
        self.club.waiting = [Wait(self.fixture.scheduler)]
        self.peer.do(Prove("ada-2"))
        self.fixture.pass_s(5)

        (refused,) = of_type(self.peer.events, Refused)
        self.assertIsInstance(refused.refusal, ApplicationUnavailable)
        self.assertIsInstance(self.peer.ask(Prove("ada-2")), Proved)

    @rule("S6")
    def test_a_session_that_has_moved_is_not_renewed_by_the_link_before(self) -> None:
        self.club.waiting = [waiting] = [Wait(self.fixture.scheduler)]
        self.peer.do(Prove("ada-2"))
        other = self.fixture.peer()
        other.ask(Resume(self.token, proof="ada-1"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        event = self.fixture.surroundings.records.events[-1]
        self.assertIsInstance(event.refusal, Fenced)
        self.pass_s(600)
        codes = [it.code for it in of_type(other.events, Closing)]
        self.assertEqual(codes, [CloseCode.PROOF_EXPIRED])

    @rule("B7")
    def test_a_wall_clock_that_jumps_throws_nobody_out_and_lets_nobody_stay(
        self,
    ) -> None:
        clock = self.fixture.surroundings.clock
        clock.wall_ahead_ms = 10**10
        self.pass_s(500)
        ahead = (self.told(), self.closings())
        clock.wall_ahead_ms = -(10**10)
        self.pass_s(100)

        self.assertEqual(ahead, ([], []))
        self.assertEqual(self.closings(), [CloseCode.PROOF_EXPIRED])

    @rule("S3")
    def test_a_session_without_a_link_does_not_expire_but_by_its_grace(self) -> None:
        self.fixture = ChatFixture(Limits(grace_s=10_000), identities=self.club)
        self.peer, self.token = self.log_in()
        self.peer.lose()
        self.pass_s(700)

        answer = self.fixture.peer().ask(Resume(self.token, proof="ada-2"))

        self.assertIsInstance(answer, Resumed)

    @rule("B2")
    def test_a_crowd_that_expires_at_once_lets_others_have_a_turn(self) -> None:
        crowd = [f"m{n}" for n in range(201)]
        self.club.passes |= {it: until(600, it) for it in crowd}
        self.club.passes["m199 for ever"] = Identity(username="m199")
        self.begin(Limits(address_logins_per_s=0))
        self.peer.lose()
        peers = [self.fixture.peer() for _ in crowd]
        for peer, proof in zip(peers, crowd, strict=True):
            peer.ask(Login(proof=proof))
        self.fixture.pass_s(600)
        self.fixture.tick()
        closed = [len(of_type(it.events, Closing)) for it in peers]
        peers[199].ask(Prove("m199 for ever"))
        peers[200].lose()
        self.fixture.pass_s(0)

        self.assertEqual(closed, [1] * 199 + [0, 0])
        self.assertEqual(of_type(peers[199].events, Closing), [])
        self.assertEqual(self.fixture.chat._services.expiries._due_s, {})

    @rule("B1")
    def test_sessions_that_have_ended_long_before_are_not_kept(self) -> None:
        self.club.passes["ada-1"] = until(10**7)
        self.begin(Limits(grace_s=1))
        expiries = self.fixture.chat._services.expiries
        for _ in range(5):
            self.peer, _ = self.log_in_anew()
        self.peer.lose()
        self.pass_s(61)

        self.assertEqual(len(expiries._due_s), 0)

    def test_nobody_proves_anything_before_a_login(self) -> None:
        refusal = self.fixture.peer().refusal(Prove("ada-1"))

        self.assertIsInstance(refusal, LoginRequired)
