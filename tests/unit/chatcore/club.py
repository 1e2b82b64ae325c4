"""The users of a club, each with passes: an application that says who somebody is."""

from chatcore.claims import Claim, Identity
from chatcore.errors import Refusal
from tests.unit.chatcore.manual_scheduler import Wait


class Club:
    """See ``chatcore.ports.Identities``: it keeps what it is asked, and knows passes.

    Attributes:
        passes: whose each proof is; taken away, it is good for nothing any more.
        claims: what was asked, in order.
        waiting: the next claims wait for these.
        raises: what each claim is answered with, if it is to be refused.
        knows_members: whether who resumes without a proof is let in.
    """

    def __init__(self, **passes: Identity) -> None:
        self.passes = passes
        self.claims: list[Claim] = []
        self.waiting: list[Wait] = []
        self.raises: Exception | None = None
        self.knows_members = False

    async def identify(self, claim: Claim) -> Identity | None:
        self.claims.append(claim)
        if self.waiting:
            await self.waiting.pop(0)
        if self.raises is not None:
            raise self.raises
        if not claim.proof and self.knows_members:
            return Identity(username=claim.username)
        return self.passes.get(claim.proof)


class Stormy(Refusal):
    """A refusal of the application's own."""

    code = 900
    template = "The club is closed for the weather."
