"""The replay: performs a script with many clients, and audits what arrived."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from itertools import cycle
from random import Random
from typing import Final

from chatapp.demo.audit import DeliveryAudit, Figures
from chatapp.demo.display import ReplayDisplay
from chatapp.demo.person import PASSWORD, Person, codec_on
from chatapp.demo.script import Line, Scene, Script
from chatcore.events import Accepted
from transports import connect

_REGISTRARS: Final = 32
_LEAVES: Final = 0.08
"""How likely somebody goes offline after having spoken, until the next own turn."""


class Replay:
    """One performance of a script on one server.

    Chance is drawn from a seed, but what overlaps depends on the machine: how many
    messages come from the queue differs from run to run.
    """

    def __init__(
        self,
        script: Script,
        urls: Sequence[str],
        codec: str,
        display: ReplayDisplay,
        *,
        pace_s: float,
    ) -> None:
        self._script = script
        self._urls = urls
        self._codec = codec
        self._display = display
        self._pace_s = pace_s
        self._audit = DeliveryAudit()
        self._chance = Random(7168)  # noqa: S311  # no secret
        self._people = {
            # In turn, so that people of different transports talk with each other.
            name: Person(name, url, codec_on(url, codec), self._audit, display)
            for name, url in zip(
                (*script.senders, *script.listeners), cycle(urls), strict=False
            )
        }

    async def run(self, *, speakers: int) -> Figures:
        """Perform it, ``speakers`` acts at a time, and settle."""
        await self._register()
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            acts = deque(self._script.acts)
            playing = [
                tasks.create_task(self._play(acts, tasks)) for _ in range(speakers)
            ]
            await asyncio.gather(*playing)
            # What nobody has read yet: a last look into each mailbox.
            names = deque(self._people)
            for _ in range(speakers):
                tasks.create_task(self._look_into_mailboxes(names, tasks))
        return self._audit.settle(
            messages=self._script.messages, seconds=time.monotonic() - began_s
        )

    async def _register(self) -> None:
        """Make all accounts, over a few links."""
        names = deque(self._people)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(_REGISTRARS, len(names))):
                tasks.create_task(self._create(names))

    async def _create(self, names: deque[str]) -> None:
        url = self._urls[0]
        async with connect(url, codec=codec_on(url, self._codec)) as client:
            while names:
                await client.create(names.popleft(), PASSWORD)

    async def _play(
        self, acts: deque[tuple[Scene, ...]], tasks: asyncio.TaskGroup
    ) -> None:
        while acts:
            for scene in acts.popleft():
                await self._perform(scene, tasks)

    async def _perform(self, scene: Scene, tasks: asyncio.TaskGroup) -> None:
        """One conversation; whoever is in no other one logs out after it."""
        people = [self._people[name] for name in scene.people]
        for person in people:
            person.scenes += 1
        self._display.began(scene)
        pace_s = self._pace_s if scene is self._script.shown else 0.0
        for line in scene.lines:
            await self._speak(line, tasks)
            if pace_s:
                await asyncio.sleep(pace_s)
            if self._chance.random() < _LEAVES:
                await self._people[line.speaker].leave()
        for person in people:
            person.scenes -= 1
            if not person.scenes:
                await person.leave()

    async def _speak(self, line: Line, tasks: asyncio.TaskGroup) -> None:
        """Hear what the other has said, then answer, all in one frame."""
        speaker, recipient = self._people[line.speaker], line.recipient
        async with speaker.online(tasks) as client:
            await speaker.hear_all_from(recipient)
            results = await client.send_all([(recipient, it) for it in line.texts])
        for text, result in zip(line.texts, results, strict=True):
            if isinstance(result, Accepted):
                self._audit.note_sent(line.speaker, recipient, result.position, text)
            else:
                self._audit.note_refused(result.code)

    async def _look_into_mailboxes(
        self, names: deque[str], tasks: asyncio.TaskGroup
    ) -> None:
        """Log in once more, have what is queued delivered, and log out."""
        while names:
            person = self._people[names.popleft()]
            async with person.online(tasks) as client:
                await client.deliver()
            await person.leave()
