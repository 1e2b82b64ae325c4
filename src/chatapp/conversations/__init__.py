"""Real conversations: a sample of the Chit-Chat dataset, or all of it.

The sample was chosen to be read at work (``scripts/choose_sample.py``), and lies here
under its own licence. The dataset is the PyPI package ``chitchat-dataset`` (BYU PCCL,
MIT licence). Its file is read as it lies in the package: its own loader leaves it open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from itertools import islice
from typing import Final

import msgspec

PACKAGE: Final = "chitchat_dataset"
SAMPLE_SIZE: Final = 100


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


class _Message(msgspec.Struct):
    text: str
    timestamp: str
    sender: str


class _Talk(msgspec.Struct):
    messages: list[list[_Message]]


def has_dataset(package: str = PACKAGE) -> bool:
    """Whether the whole dataset is installed."""
    return find_spec(package) is not None


def read_dataset(
    most: int | None = None, *, package: str = PACKAGE
) -> list[Conversation]:
    """The first so many of the dataset, or all of it; it has to be installed."""
    return _read(files(package).joinpath("dataset.json").read_bytes(), most)


def read_sample(most: int | None = None) -> list[Conversation]:
    """The first so many of the sample, or all of it."""
    return _read(files(__name__).joinpath("conversations.json").read_bytes(), most)


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
