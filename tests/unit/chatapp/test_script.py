"""Who writes to whom in a replay, and what conversations it has."""

import pytest

from chatapp.conversations import Conversation, Turn
from chatapp.demo import dataset
from chatapp.demo.script import write_script
from chatapp.errors import DatasetMissing
from scripts import choose_sample

TALK = Conversation("t", "2018-05-02", (Turn("a", ("1", "")), Turn("b", ("2",))))
EARLIER = Conversation("e", "2018-05-01", (Turn("b", ("3",)), Turn("a", ("4",))))
ALONE = Conversation("x", "2018-05-03", (Turn("a", ("5", "6")),))


def test_in_a_conversation_of_two_each_writes_to_the_other() -> None:
    script = write_script([TALK])

    ((scene,),) = script.acts
    assert [(it.speaker, it.recipient) for it in scene.lines] == [
        ("a", "b"),
        ("b", "a"),
    ]
    assert (script.messages, script.sendable) == (3, 2)


def test_who_speaks_alone_writes_to_an_account_of_the_conversations_name() -> None:
    script = write_script([ALONE])

    assert script.senders == ("a",)
    assert script.listeners == ("x",)
    assert script.acts[0][0].lines[0].recipient == "x"


def test_conversations_of_the_same_two_follow_each_other_by_their_time() -> None:
    script = write_script([TALK, ALONE, EARLIER])

    assert [[scene.id for scene in act] for act in script.acts] == [["e", "t"], ["x"]]


def test_the_whole_dataset_has_the_figures_that_its_authors_tell() -> None:
    script = write_script(dataset.load(None).conversations)

    assert (script.scenes, script.messages) == (7_168, 258_145)
    assert script.messages - script.sendable == 33
    assert (len(script.senders), len(script.listeners)) == (1_315, 3_150)


def test_a_demo_takes_the_sample_as_far_as_it_goes() -> None:
    sample, more = dataset.load(100), dataset.load(101)

    assert sample.is_sample
    assert sample.is_whole_here
    assert not more.is_sample
    assert len(more.conversations) == 101


def test_the_conversation_that_is_shown_is_the_first_that_is_worth_it() -> None:
    long = ("hello",) * 6
    first = Conversation("1", "2018-05-02", (Turn("c", long), Turn("d", long)))
    earlier = Conversation("2", "2018-05-01", (Turn("e", long), Turn("f", long)))
    unanswered = Conversation("3", "2018-05-01", (Turn("g", long * 2),))

    script = write_script([unanswered, TALK, first, earlier])

    assert script.shown is not None
    assert script.shown.id == "1"


def test_the_sample_has_no_word_that_the_choice_avoids() -> None:
    sample = dataset.load(100, package="not_installed_here")
    words = {
        word
        for talk in sample.conversations
        for turn in talk.turns
        for text in turn.texts
        for word in choose_sample.words_of(text)
    }

    assert len(words) > 500
    assert not words & choose_sample.avoided()


def test_without_the_dataset_there_is_a_sample_and_the_line_that_installs_it() -> None:
    sample = dataset.load(100, package="not_installed_here")

    assert sample.is_sample
    assert len(sample.conversations) == 100
    script = write_script(sample.conversations)
    assert script.listeners
    assert script.messages > script.sendable
    with pytest.raises(DatasetMissing, match="pip install chitchat-dataset"):
        dataset.load(None, package="not_installed_here")
