"""The conversations: a sample of the Chit-Chat dataset, or all of it where it is there.

The sample was chosen to be read at work (``scripts/choose_sample.py``).

The dataset is the PyPI package ``chitchat-dataset`` (BYU PCCL, MIT licence). The file
is read as it lies in the package: its own loader leaves it open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from itertools import islice
from typing import Final

import msgspec

from chatapp.errors import DatasetMissing

PACKAGE: Final = "chitchat_dataset"
SAMPLE_SIZE: Final = 100
INSTALL: Final = "pip install chitchat-dataset"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one sender said before another did, some of it perhaps empty."""

    sender: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation; ``began_at`` is ISO 8601, and orders them."""

    id: str
    began_at: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class ConversationSource:
    """Conversations, where they are from, in words, and whether all can be had."""

    conversations: list[Conversation]
    told: str
    is_sample: bool = False
    is_whole_here: bool = True


class _Message(msgspec.Struct):
    text: str
    timestamp: str
    sender: str


class _Talk(msgspec.Struct):
    messages: list[list[_Message]]


def load(most: int | None, *, package: str = PACKAGE) -> ConversationSource:
    """The first ``most`` conversations of the sample; all, and more than the sample
    has, are those of the dataset in ``package``, where that is installed.

    Raises:
        DatasetMissing: all were asked for, and the dataset is not installed.
    """
    is_here = find_spec(package) is not None
    if is_here and (most is None or most > SAMPLE_SIZE):
        path = files(package).joinpath("dataset.json")
        told = "the Chit-Chat dataset"
        return ConversationSource(_read(path.read_bytes(), most), told)
    if most is None:
        raise DatasetMissing(
            f"--full replays the Chit-Chat dataset, which is not installed: {INSTALL}"
        )
    path = files("chatapp.sample").joinpath("conversations.json")
    told = "the sample of the Chit-Chat dataset that comes with chatcore"
    return ConversationSource(
        _read(path.read_bytes(), most), told, is_sample=True, is_whole_here=is_here
    )


def _read(content: bytes, most: int | None) -> list[Conversation]:
    talks = msgspec.json.decode(content, type=dict[str, _Talk])
    return [
        Conversation(name, talk.messages[0][0].timestamp, tuple(_turns(talk)))
        for name, talk in islice(talks.items(), most)
        if talk.messages and talk.messages[0]
    ]


def _turns(talk: _Talk) -> Iterable[Turn]:
    for turn in talk.messages:
        if turn:
            yield Turn(turn[0].sender, tuple(message.text for message in turn))
