"""An application that says who somebody is, at each login, resume and deletion (A2)."""

import unittest
from dataclasses import replace

from chatcore import Chat, Limits
from chatcore.claims import ClaimPurpose, Identity
from chatcore.commands import (
    Create,
    Delete,
    InboxAction,
    Login,
    Prove,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountsElsewhere,
    ApplicationUnavailable,
    Busy,
    InternalError,
    InvalidProof,
    InvalidUsername,
    LoginRequired,
    MalformedCommand,
    NoSuchAccount,
    OtherAccount,
    PasswordsOnly,
    ProofOfAnother,
    ProofRefused,
    ProofRequired,
    RateExceeded,
    Refusal,
    SessionGone,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import Accepted, Deleted, LoggedIn, Refused, Resumed
from chatcore.ids import Username
from chatcore.model import AuditAction, Origin
from tests.unit.chatcore.chat_fixture import ChatFixture, Peer, of_type
from tests.unit.chatcore.club import Club, Stormy
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule

ADA = Login(proof="ada-1")


class LoginTest(unittest.TestCase):
    def setUp(self) -> None:
        self.club = Club(
            **{
                "ada-1": Identity(username="Ada"),
                "bob-1": Identity(username="bob", may_create=False),
                "shout": Identity(username="ada!"),
            }
        )
        self.fixture = ChatFixture(identities=self.club)
        self.peer = self.fixture.peer("192.0.2.1", Origin("c1", "wss", "192.0.2.1:9"))

    @rule("A2")
    def test_a_login_by_proof_is_answered_with_the_name_that_it_stands_for(
        self,
    ) -> None:
        answer = self.peer.ask(ADA)

        assert isinstance(answer, LoggedIn)
        self.assertEqual((answer.username, answer.expires_in_ms), ("ada", 0))
        (claim,) = self.club.claims
        self.assertEqual((claim.proof, claim.username), ("ada-1", ""))
        self.assertIs(claim.purpose, ClaimPurpose.LOGIN)
        self.assertEqual((claim.transport, claim.address), ("wss", "192.0.2.1"))

    @rule("A2")
    def test_a_proof_stands_in_no_repr(self) -> None:
        self.peer.do(ADA)
        commands = [ADA, Resume(b"t" * 32, proof="ada-1"), Prove("ada-1")]
        delete = Delete(username="ada", proof="ada-1")

        shown = repr([self.club.claims, commands, delete, self.peer.connection])

        self.assertNotIn("ada-1", shown)

    @rule("A2")
    def test_a_name_that_is_not_that_of_the_proof_is_refused(self) -> None:
        refusal = self.peer.refusal(replace(ADA, username="bob"))

        self.assertIsInstance(refusal, ProofOfAnother)
        self.assertEqual(refusal.fields, {"username": "ada", "asked": "bob"})
        self.assertIsInstance(self.peer.ask(replace(ADA, username="ADA")), LoggedIn)

    @rule("A2")
    def test_who_may_not_create_is_let_in_once_there_is_an_account(self) -> None:
        refusal = self.peer.refusal(Login(proof="bob-1"))
        self.fixture.do(self.make_account("bob"))
        answer = self.peer.ask(Login(proof="bob-1"))

        self.assertIsInstance(refusal, NoSuchAccount)
        self.assertIsInstance(answer, LoggedIn)

    async def make_account(self, username: str) -> None:
        await self.fixture.chat.ensure_account(username)

    @rule("A2")
    def test_a_proof_that_is_not_accepted_or_names_nobody_logs_nobody_in(self) -> None:
        refusals = [
            self.peer.refusal(Login(proof="forged")),
            self.peer.refusal(Login(proof="shout")),
            self.peer.refusal(Login(username="ada")),
            self.peer.refusal(Login(username="ada", password="a", proof="ada-1")),
            self.peer.refusal(Login(username="ada", password="wrong horse")),
        ]

        kinds = [
            ProofRefused,
            InvalidUsername,
            ProofRequired,
            MalformedCommand,
            WrongCredentials,
        ]
        self.assertEqual([type(it) for it in refusals], kinds)
        self.assertIsInstance(self.peer.refusal(Send("ada", "hi")), LoginRequired)

    @rule("A2")
    def test_a_proof_in_the_place_of_a_password_is_a_proof(self) -> None:
        answer = self.peer.ask(Login(username="ada", password="ada-1"))

        self.assertIsInstance(answer, LoggedIn)

    @rule("A2", "B1")
    def test_a_proof_that_is_too_long_is_not_looked_at(self) -> None:
        refusal = self.peer.refusal(Login(proof="é" * 8193))

        self.assertIsInstance(refusal, InvalidProof)
        self.assertEqual(refusal.fields, {"maximum": "16384", "bytes": "16386"})
        self.assertEqual(self.club.claims, [])

    @rule("B4", "B5")
    def test_proofs_count_in_the_rate_of_logins(self) -> None:
        refusals = [self.peer.refusal(Login(proof=f"no {n}")) for n in range(101)]

        self.assertIsInstance(refusals[-1], RateExceeded)
        self.assertEqual(len(self.club.claims), 100)

    @rule("B4")
    def test_wrong_proofs_for_a_name_are_throttled_as_passwords_are(self) -> None:
        wrong = Login(username="ada", proof="forged")

        refusals = [self.peer.refusal(wrong) for _ in range(6)]

        self.assertIsInstance(refusals[4], ProofRefused)
        self.assertIsInstance(refusals[5], TooManyAttempts)
        self.assertEqual(len(self.club.claims), 5)

    @rule("A2")
    def test_the_application_may_refuse_in_its_own_words_or_fail(self) -> None:
        told = []
        for raised in (Busy(retry_after_ms=5), Stormy(), ZeroDivisionError()):
            self.club.raises = raised
            told.append(type(self.peer.refusal(ADA)))

        self.assertEqual(told, [Busy, Stormy, InternalError])
        self.assertEqual([type(it) for it in self.peer.reported], [ZeroDivisionError])

    @rule("B2")
    def test_an_application_that_never_answers_is_given_up(self) -> None:
        self.club.waiting = [Wait(self.fixture.scheduler)]
        self.peer.do(ADA)
        self.fixture.pass_s(4.9)
        before = of_type(self.peer.events, Refused)
        self.fixture.pass_s(0.2)

        (refused,) = of_type(self.peer.events, Refused)
        self.assertEqual(before, [])
        self.assertIsInstance(refused.refusal, ApplicationUnavailable)
        self.assertIsInstance(self.peer.ask(ADA), LoggedIn)

    @rule("B2")
    def test_so_many_claims_are_judged_at_once_and_no_more(self) -> None:
        self.fixture = ChatFixture(Limits(identity_checks=2), identities=self.club)
        self.club.waiting = [Wait(self.fixture.scheduler) for _ in range(2)]
        first, second = self.club.waiting
        peers = [self.fixture.peer() for _ in range(3)]
        for peer, proof in zip(peers, ("ada-1", "forged", "forged"), strict=True):
            peer.do(Login(proof=proof))
        asked = len(self.club.claims)
        second.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual((asked, len(self.club.claims)), (2, 3))
        self.assertEqual(len(of_type(peers[2].events, Refused)), 1)
        first.end(answer=True)

    @rule("A2")
    def test_a_chat_has_one_say_about_who_somebody_is(self) -> None:
        class Doors:
            async def check(self, username: Username, password: str) -> bool:
                return username == password

        with self.assertRaises(ValueError):
            Chat(self.fixture.store, identities=self.club, credentials=Doors())

    @rule("A2")
    def test_accounts_are_not_created_over_the_wire(self) -> None:
        refusal = self.peer.refusal(Create("eve", "correct horse"))

        self.assertIsInstance(refusal, AccountsElsewhere)


class ResumeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.club = Club(**{"ada-1": Identity(username="ada")})
        self.fixture = ChatFixture(identities=self.club)
        self.fixture.surroundings.records.events.clear()
        self.first = self.fixture.peer()
        answer = self.first.ask(ADA)
        assert isinstance(answer, LoggedIn)
        self.token = answer.token
        self.peer = self.fixture.peer("192.0.2.1")

    @rule("S3")
    def test_a_resume_shows_a_proof_beside_the_token(self) -> None:
        bare = self.peer.refusal(Resume(self.token))
        answer = self.peer.ask(Resume(self.token, proof="ada-1"))

        self.assertIsInstance(bare, ProofRequired)
        self.assertEqual(bare.fields, {"purpose": "resume"})
        self.assertIsInstance(answer, Resumed)
        self.assertEqual([it.username for it in self.club.claims], ["", "ada", "ada"])

    @rule("S3", "E2")
    def test_who_was_signed_out_resumes_nothing_and_the_link_that_is_there_stays(
        self,
    ) -> None:
        del self.club.passes["ada-1"]

        refusal = self.peer.refusal(Resume(self.token, proof="ada-1"))

        self.assertIsInstance(refusal, ProofRefused)
        self.assertIsInstance(self.first.ask(Send("ada", "hi")), Accepted)
        (event,) = [it for it in self.fixture.surroundings.records.events if it.refusal]
        self.assertIs(event.action, AuditAction.PROVE)

    @rule("S3")
    def test_anothers_proof_does_not_resume_a_session(self) -> None:
        self.club.passes["bob-1"] = Identity(username="bob")

        refusal = self.peer.refusal(Resume(self.token, proof="bob-1"))

        self.assertIsInstance(refusal, OtherAccount)
        self.assertEqual(refusal.fields, {"username": "ada"})

    @rule("S3")
    def test_the_application_may_let_a_session_be_resumed_by_its_name(self) -> None:
        self.club.knows_members = True

        answer = self.peer.ask(Resume(self.token))

        self.assertIsInstance(answer, Resumed)
        self.assertEqual(self.club.claims[-1].purpose, ClaimPurpose.RESUME)

    @rule("S3", "S6")
    def test_after_a_restart_a_resume_is_asked_about_as_well(self) -> None:
        self.fixture.restart()
        self.peer = self.fixture.peer()

        bare = self.peer.refusal(Resume(self.token))
        answer = self.peer.ask(Resume(self.token, proof="ada-1"))

        self.assertIsInstance(bare, ProofRequired)
        self.assertIsInstance(answer, Resumed)

    @rule("S3")
    def test_a_session_that_ends_while_its_proof_is_judged_is_gone(self) -> None:
        waiting = Wait(self.fixture.scheduler)
        self.club.waiting = [waiting]
        self.peer.do(Resume(self.token, proof="ada-1"))
        self.fixture.do(self.sign_out())
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        (refused,) = of_type(self.peer.events, Refused)
        self.assertIsInstance(refused.refusal, SessionGone)

    async def sign_out(self) -> None:
        await self.fixture.chat.end_sessions("ada")


class DeletionTest(unittest.TestCase):
    def setUp(self) -> None:
        self.club = Club(
            **{
                "ada-1": Identity(username="ada"),
                "bob-1": Identity(username="bob"),
            }
        )
        self.fixture = ChatFixture(identities=self.club)
        self.peer = self.fixture.peer()
        self.peer.do(ADA)
        self.delete = Delete(
            username="ada", proof="ada-1", inbox=InboxAction.DISCARD, key=key_of(1)
        )

    @rule("D1")
    def test_a_deletion_takes_a_proof_of_the_account(self) -> None:
        refusals: list[Refusal] = [
            self.peer.refusal(replace(self.delete, proof="")),
            self.peer.refusal(replace(self.delete, proof="bob-1")),
            self.peer.refusal(replace(self.delete, proof="forged")),
        ]
        answer = self.peer.ask(self.delete)

        kinds = [ProofRequired, ProofOfAnother, ProofRefused]
        self.assertEqual([type(it) for it in refusals], kinds)
        self.assertIsInstance(answer, Deleted)
        self.assertIs(self.club.claims[-1].purpose, ClaimPurpose.DELETION)

    @rule("D6")
    def test_a_repeat_of_a_deletion_takes_one_as_well(self) -> None:
        self.peer.ask(self.delete)

        refusal = self.peer.refusal(replace(self.delete, proof="bob-1"))
        answer = self.peer.ask(self.delete)

        self.assertIsInstance(refusal, ProofOfAnother)
        self.assertIsInstance(answer, Deleted)


class PasswordsTest(unittest.TestCase):
    @rule("A2")
    def test_where_accounts_have_passwords_a_proof_is_refused_and_harms_nothing(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada: Peer = fixture.user("ada")
        stranger = fixture.peer()

        refusals = [
            stranger.refusal(ADA),
            stranger.refusal(Resume(ada.token, proof="ada-1")),
            ada.refusal(Delete(username="ada", proof="ada-1")),
            ada.refusal(Prove("ada-1")),
        ]

        self.assertEqual({type(it) for it in refusals}, {PasswordsOnly})
        self.assertIsInstance(ada.ask(Send("ada", "hi")), Accepted)
        self.assertEqual(len(of_type(stranger.do(Resume(ada.token)), Resumed)), 1)
