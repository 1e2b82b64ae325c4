"""Which conversations the demo replays; ``chatapp.conversations`` reads them."""

from dataclasses import dataclass
from typing import Final

from chatapp.conversations import (
    PACKAGE,
    SAMPLE_SIZE,
    Conversation,
    has_dataset,
    read_dataset,
    read_sample,
)
from chatapp.errors import DatasetMissing

INSTALL: Final = "pip install chitchat-dataset"


@dataclass(frozen=True, slots=True)
class ConversationSource:
    """Conversations, where they are from, in words, and whether all can be had."""

    conversations: list[Conversation]
    told: str
    is_sample: bool = False
    is_whole_here: bool = True


def load(most: int | None, *, package: str = PACKAGE) -> ConversationSource:
    """The first ``most`` conversations of the sample; all, and more than the sample
    has, are those of the dataset in ``package``, where that is installed.

    Raises:
        DatasetMissing: all were asked for, and the dataset is not installed.
    """
    is_here = has_dataset(package)
    if is_here and (most is None or most > SAMPLE_SIZE):
        told = "the Chit-Chat dataset"
        return ConversationSource(read_dataset(most, package=package), told)
    if most is None:
        raise DatasetMissing(
            f"--full replays the Chit-Chat dataset, which is not installed: {INSTALL}"
        )
    told = "the sample of the Chit-Chat dataset that comes with chatcore"
    return ConversationSource(
        read_sample(most), told, is_sample=True, is_whole_here=is_here
    )
