"""What the operator sees of invitations, and how one is taken back (A3, A4)."""

from chatcore import Registration
from chatcore.commands import Create
from chatcore.errors import InvitationRefused
from chatcore.events import Created
from chatcore.limits import DAY_MS, Limits
from chatcore.reports import InvitationStatus, Invite
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.marks import rule
from tests.unit.chatcore.test_admin import AdminCase


class InvitationsTest(AdminCase):
    def setUp(self) -> None:
        limits = Limits(walk_names=2)
        self.fixture = ChatFixture(limits, registration=Registration.INVITE)
        self.admin = self.fixture.chat.admin

    def invite(self, uses: int = 1) -> Invite:
        return self.result(self.admin.invite(uses=uses, lifetime_ms=DAY_MS))

    def listed(self) -> list[InvitationStatus]:
        return self.walked(self.admin.invitations.all())

    @rule("A3", "B8")
    def test_those_that_allow_an_account_are_listed_without_their_codes(self) -> None:
        invites = [self.invite(uses) for uses in (1, 2, 3, 4, 5)]

        listed = self.listed()
        self.fixture.peer().ask(Create("ada", PASSWORD, invitation=invites[0].code))
        after = self.listed()
        self.fixture.surroundings.clock.wall_ahead_ms = DAY_MS
        expired = self.listed()

        self.assertEqual(sorted(it.uses for it in listed), [1, 2, 3, 4, 5])
        self.assertEqual({it.expires_at_ms for it in listed}, {NOON_MS + DAY_MS})
        self.assertEqual(sorted(it.uses for it in after), [2, 3, 4, 5])
        self.assertEqual(expired, [])
        for invite in invites:
            self.assertNotIn(invite.code, repr(listed))

    @rule("A3")
    def test_one_that_is_revoked_allows_nothing_more_and_the_others_do(self) -> None:
        kept, by_code = self.invite(), self.invite()
        others = {it.id for it in self.listed()}
        by_id = self.invite()
        (last,) = {it.id for it in self.listed()} - others

        code = by_code.code.lower().replace("-", " ")
        first = self.result(self.admin.invitations.revoke(code))
        second = self.result(self.admin.invitations.revoke(last.upper()))
        again = [
            self.result(self.admin.invitations.revoke(it))
            for it in (by_code.code, last, "nothing", "")
        ]

        self.assertEqual((first, second), (True, True))
        self.assertEqual(again, [False] * 4)
        peer = self.fixture.peer()
        for gone in (by_code, by_id):
            refused = peer.refusal(Create("ada", PASSWORD, invitation=gone.code))
            self.assertIsInstance(refused, InvitationRefused)
        made = peer.ask(Create("ada", PASSWORD, invitation=kept.code))
        self.assertIsInstance(made, Created)
