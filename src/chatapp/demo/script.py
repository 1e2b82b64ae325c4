"""Who writes to whom, and in what order: what a replay does, made from conversations.

In a conversation of two each writes to the other. Where there is one sender, the
messages go to an account named after the conversation, which comes online only when
everything else is over. Conversations of the same two people follow each other;
everything else may happen at the same time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from chatapp.conversations import Conversation

_SHOWN: Final = range(12, 41)
"""How many messages a conversation has that is worth showing."""


@dataclass(frozen=True, slots=True)
class Line:
    """One turn: some messages of one person to another."""

    speaker: str
    recipient: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """One conversation."""

    id: str
    people: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def messages(self) -> int:
        """How many there are, empty ones too."""
        return sum(len(line.texts) for line in self.lines)

    @property
    def sendable(self) -> int:
        """How many are not empty: those that a server takes."""
        return sum(text != "" for line in self.lines for text in line.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All that a replay does.

    Attributes:
        acts: scenes that follow each other, the longest first; acts overlap.
        senders: accounts that write.
        listeners: accounts that only read, at the end.
        shown: the scene to show, if one is worth it: the first that is, as given.
    """

    acts: tuple[tuple[Scene, ...], ...]
    senders: tuple[str, ...]
    listeners: tuple[str, ...]
    shown: Scene | None

    @property
    def scenes(self) -> int:
        """How many conversations there are."""
        return sum(len(act) for act in self.acts)

    @property
    def messages(self) -> int:
        """How many messages there are, empty ones too."""
        return sum(scene.messages for act in self.acts for scene in act)

    @property
    def sendable(self) -> int:
        """How many are not empty: those that a server takes."""
        return sum(scene.sendable for act in self.acts for scene in act)


def write_script(conversations: Iterable[Conversation]) -> Script:
    """Turn conversations into a script."""
    acts: dict[frozenset[str], list[Scene]] = {}
    senders: dict[str, None] = {}
    listeners: list[str] = []
    shown: Scene | None = None
    given = list(conversations)
    scenes = {it.id: _scene(it) for it in given}
    for conversation in given:
        scene = scenes[conversation.id]
        answered = {line.speaker for line in scene.lines} >= {*scene.people[:2]}
        if shown is None and answered and scene.messages in _SHOWN:
            shown = scene
    for conversation in sorted(given, key=lambda it: it.began_at):
        scene = scenes[conversation.id]
        first, second = scene.people
        speaking = {turn.sender for turn in conversation.turns}
        senders |= dict.fromkeys(sorted(speaking))
        if second not in speaking:
            listeners.append(second)
        acts.setdefault(frozenset({first, second}), []).append(scene)
    ordered = sorted(acts.values(), key=lambda act: -sum(it.messages for it in act))
    return Script(
        acts=tuple(map(tuple, ordered)),
        senders=tuple(senders),
        listeners=tuple(listeners),
        shown=shown,
    )


def _scene(conversation: Conversation) -> Scene:
    people = list(dict.fromkeys(turn.sender for turn in conversation.turns))
    if len(people) == 1:
        people.append(conversation.id)
    return Scene(conversation.id, tuple(people), tuple(_lines(conversation, people)))


def _lines(conversation: Conversation, people: list[str]) -> Iterator[Line]:
    """A third person, should there be one, writes to the first."""
    first, second, *_ = people
    for turn in conversation.turns:
        recipient = second if turn.sender == first else first
        yield Line(turn.sender, recipient, turn.texts)
