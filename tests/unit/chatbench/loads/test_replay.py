"""The conversations that a replay replays."""

from chatbench.loads.replay import conversations


def test_the_sample_that_is_shipped_has_two_sided_conversations() -> None:
    talks = conversations()

    two_sided = [talk for talk in talks if {it.speaker for it in talk} == {0, 1}]

    assert len(two_sided) > 50
    assert all(it.text for talk in talks for it in talk)


def test_the_first_word_is_the_first_speakers() -> None:
    assert all(talk[0].speaker == 0 for talk in conversations())


def test_as_many_conversations_come_as_are_asked_for() -> None:
    assert len(conversations(7)) == 7
