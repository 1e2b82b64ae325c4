"""An application's say before messages are stored, and its faults."""

import unittest
from collections.abc import Callable, Sequence
from typing import cast

from chatcore.commands import Acknowledge, List, Send
from chatcore.errors import InternalError, InvalidBody, InvalidKey, Refusal
from chatcore.events import Accepted, Event, Refused
from chatcore.ids import Username
from tests.unit.chatcore.chat_fixture import ChatFixture, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.manual_scheduler import ManualScheduler, Wait
from tests.unit.chatcore.marks import rule

Judge = Callable[[Sequence[Send]], object]


class GuestList(Refusal):
    """A refusal of an application's own."""

    code = 9000
    template = "You are not on the list, {name}."


class Application:
    """Answers what the test says, whatever that is."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.asked: list[tuple[Username, list[str]]] = []

    async def judge(
        self, sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        self.asked.append((sender, [it.body for it in sends]))
        # What an application without a type checker may answer.
        return cast("Sequence[Refusal | None]", self._judge(sends))


def refuse_all(_: Sequence[Send]) -> object:
    raise GuestList(name="ada")


def fail(_: Sequence[Send]) -> object:
    raise ZeroDivisionError("the application's own")


RUN = (Send("bob", "one"), Send("bob", ""), Send("bob", "two"), Send("bob", "3", b"?"))


class PolicyTest(unittest.TestCase):
    def begin(self, judge: Judge) -> None:
        self.application = Application(judge)
        self.fixture = ChatFixture(policy=self.application)
        self.bob = self.fixture.user("bob")
        self.ada = self.fixture.user("ada")

    def refusals(self, events: Sequence[Event]) -> list[type[Refusal]]:
        """Why each was refused; that there is one answer for each is checked."""
        refused = of_type(events, Refused)
        self.assertEqual([it.id for it in refused], sorted({it.id for it in refused}))
        return [type(it.refusal) for it in refused]

    @rule("E2", "W7")
    def test_a_refusal_that_is_raised_answers_each_send_that_was_asked_about(
        self,
    ) -> None:
        self.begin(refuse_all)

        events = self.ada.do(*RUN)

        self.assertEqual(
            self.refusals(events), [GuestList, InvalidBody, GuestList, InvalidKey]
        )
        self.assertEqual(len(events), len(RUN))
        self.assertEqual(self.application.asked, [("ada", ["one", "two"])])
        self.assertEqual(self.ada.reported, [])
        self.assertEqual(self.bob.bodies, [])

    @rule("E2")
    def test_a_policy_that_fails_fails_each_send_of_the_run_and_is_reported(
        self,
    ) -> None:
        self.begin(fail)

        events = self.ada.do(*RUN)

        self.assertEqual(self.refusals(events), [InternalError] * 4)
        self.assertEqual([type(it) for it in self.ada.reported], [ZeroDivisionError])
        self.assertEqual(self.bob.bodies, [])

    @rule("E2")
    def test_so_does_one_that_answers_another_number_or_other_things(self) -> None:
        answers: list[Judge] = [
            lambda _: [],
            lambda sends: [None] * (len(sends) + 1),
            lambda _: None,
            lambda sends: [None, *([True] * (len(sends) - 1))],
            lambda sends: [GuestList] * len(sends),
        ]
        for judge in answers:
            self.begin(judge)

            events = self.ada.do(*RUN)

            self.assertEqual(self.refusals(events), [InternalError] * 4)
            self.assertEqual(len(self.ada.reported), 1)
            self.assertEqual(self.bob.bodies, [])

    @rule("E2", "M2")
    def test_nothing_was_stored_and_the_next_command_goes_on(self) -> None:
        faults = [fail]
        self.begin(lambda it: faults.pop()(it) if faults else [None] * len(it))

        events = self.ada.do(
            Send("bob", "one", key_of(1)), Acknowledge(0), Send("bob", "two", key_of(2))
        )
        again = self.ada.do(Send("bob", "one", key_of(1)))

        self.assertEqual([type(it) for it in events], [Refused, Accepted])
        self.assertEqual(len(of_type(again, Accepted)), 1)
        self.assertEqual(self.bob.bodies, ["two", "one"])

    def test_it_is_not_asked_about_nothing(self) -> None:
        self.begin(fail)

        events = self.ada.do(Send("bob", ""))

        self.assertEqual(self.refusals(events), [InvalidBody])
        self.assertEqual(self.application.asked, [])


class SilentTest(unittest.TestCase):
    """An application that never answers: it is given up, and nobody waits for it."""

    @rule("B2", "E2")
    def test_a_policy_that_never_answers_is_refused_for_and_holds_up_no_command(
        self,
    ) -> None:
        silence = Silence()
        fixture = ChatFixture(policy=silence)
        ada = fixture.user("ada")
        silence.scheduler = fixture.scheduler
        before = ada.do(Send("ada", "one"))
        fixture.pass_s(5)
        silence.scheduler = None
        after = ada.do(Send("ada", "two"))

        (refused,) = of_type(ada.events, Refused)
        self.assertEqual(before, [])
        self.assertEqual(refused.refusal.name, "APPLICATION_UNAVAILABLE")
        self.assertEqual([it.position for it in of_type(after, Accepted)], [1])

    @rule("B2")
    def test_a_list_policy_that_never_answers_ends_the_list(self) -> None:
        silence = Silence()
        fixture = ChatFixture(list_policy=silence)
        ada = fixture.user("ada")
        silence.scheduler = fixture.scheduler
        ada.do(List())
        fixture.pass_s(5)

        (refused,) = of_type(ada.events, Refused)
        self.assertEqual(refused.refusal.name, "APPLICATION_UNAVAILABLE")


class Silence:
    """Answers nothing while it has a scheduler to wait by."""

    def __init__(self) -> None:
        self.scheduler: ManualScheduler | None = None

    async def judge(
        self, _sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        await self._wait()
        return [None] * len(sends)

    async def visible(
        self, _asker: Username, names: Sequence[Username]
    ) -> Sequence[bool]:
        await self._wait()
        return [True] * len(names)

    async def _wait(self) -> None:
        if self.scheduler is not None:
            await Wait(self.scheduler)
