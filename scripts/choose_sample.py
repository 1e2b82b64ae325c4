"""Choose the conversations of the demo's sample, so that they can be shown at work.

A conversation may be chosen when each of its words is one that at least 25 of the
dataset's conversations have, and none is of the list below. So names of people, slurs
and whatever else is rare are out without a list of them; the words that are left,
3,703, were read through for the list: what is crude, about bodies, death, drugs,
religion, politics or courtship, or tells who somebody is. From those come the longest
in which two people talk, and some in which nobody answers, which leave mail waiting.
What was chosen has been read.

    python scripts/choose_sample.py     # writes conversations.json where it is read
"""

import json
import re
from collections import Counter
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

import chatapp.conversations

_Talk: TypeAlias = list[list[dict[str, str]]]

_TARGET: Final = Path(chatapp.conversations.__file__).with_name("conversations.json")
_DATASET: Final = "chitchat_dataset"
_WORD: Final = re.compile(r"[a-z']+")
_FREQUENT: Final = 25
_OF_TWO: Final = 66
_OF_ONE: Final = 34
_WITH_EMPTY: Final = 2
"""Of those: some that have an empty message, which a server refuses."""

_LEFT_OUT: Final = frozenset(
    {
        "c6ae1c56-77d1-42d0-a16c-d804e3d95981",
        "81c89a14-46a7-40bf-aedd-4277d98b9fd5",
        "5f553628-ffd0-4aa4-8a30-5b32b4f7f819",
        "23610792-c2e9-40ff-bfcf-f3655e6546a4",
        "2a47b026-2e0c-431e-9608-7d686d8eccb2",
    }
)
"""Read and not taken: a name, a drug, a line ten times, somebody's congregation, and
one that breaks off."""

# Names of people too that are frequent enough to be known.
_AVOIDED: Final = """
abuse adam addicted adult adults alcohol amen angry anxiety ass attached attack
attacked baby bastard bc ben biased bishop bless blessed blessing blessings blood blow
blowing blown blows bodies body bomb boyfriend boyfriends breasts butt cancer catfish
catfishing cats chaos chick chris christ church cigarette confess crap crazy creepy
crime cry crying damage damn dang dare darn date dated dates dating david dead death
depressed depressing depression die died dies dirty disease disgusting donald drinking
drug drugs drunk dude dudes dumb dying elder email emails eternal ethical evil ew f
facebook faith fart fat fbi fight fighting freak freaked freaking freaky gay ghost
girlfriend girlfriends god gospel government gross gun guns harsh hate hated hates
heaven heavenly heck helaman hell holy homeless horny hot hurt hurting hurts idiot
illegal insane insta instagram invite jackson jaezo james jarvis jesus jim john kill
killed killer killing kills kiss kyle la lame latter lds lord loser mad marriage
married marry mental mentally michael military minority miracle mission missionaries
missionary missions mormon mormons mrgh murder naked name named names nasty nuclear
number offended offense omg overweight period periods police political politics poop
pot pray prayer pregnant president race racist religion religious romance romantic
rude russia russian sacrifice sam screw screwed scriptures seminary sex sexy shame
shit shoot shooting shot shut sick single sir skin slut smith soul spirit spiritual
stink stinks strip stupid suck sucked sucks suicide swear taylor temple testimony tom
touch touching trash trump ugly username vegas violence vote voting war wars weed
weight wife wtf
"""


def main() -> None:
    """Choose, and write the file: its order is that in which the demo takes them."""
    content = files(_DATASET).joinpath("dataset.json").read_text(encoding="utf-8")
    talks: dict[str, _Talk] = {
        name: talk["messages"]
        for name, talk in dict[str, Any](json.loads(content)).items()
        if talk["messages"] and all(talk["messages"])
    }
    words = {name: _words(talk) for name, talk in talks.items()}
    counted = Counter(word for found in words.values() for word in found)
    known = {word for word, number in counted.items() if number >= _FREQUENT}
    fit = [name for name in talks if words[name] <= known - avoided()]
    fit = [name for name in fit if name not in _LEFT_OUT]
    # Of those that are as long as each other any will do; the same each time.
    fit.sort(key=lambda name: sha256(name.encode()).digest())
    with_empty = [name for name in fit if _has_empty(talks[name])][:_WITH_EMPTY]
    full = sorted(
        (name for name in fit if not _has_empty(talks[name])),
        key=lambda name: -_messages(talks[name]),
    )
    of_two = [name for name in full if len(_people(talks[name])) > 1]
    of_one = [name for name in full if len(_people(talks[name])) == 1]
    chosen = _mixed(
        of_two[: _OF_TWO - _WITH_EMPTY] + with_empty,
        of_one[:_OF_ONE],
    )
    lines = [
        json.dumps(name)
        + ":"
        + json.dumps(
            {"messages": talks[name]}, ensure_ascii=False, separators=(",", ":")
        )
        for name in chosen
    ]
    _TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(
        f"choose_sample: {len(chosen)} of {len(fit)} that fit, of {len(talks)}; "
        f"{sum(_messages(talks[name]) for name in chosen)} messages"
    )


def _words(talk: _Talk) -> set[str]:
    return words_of(" ".join(it["text"] for turn in talk for it in turn))


def words_of(text: str) -> set[str]:
    """The words of a text, in lower case."""
    return set(
        _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    )


def avoided() -> set[str]:
    """Words that no conversation of the sample has."""
    return set(_AVOIDED.split())


def _people(talk: _Talk) -> set[str]:
    return {it["sender"] for turn in talk for it in turn}


def _messages(talk: _Talk) -> int:
    return sum(map(len, talk))


def _has_empty(talk: _Talk) -> bool:
    return any(not it["text"] for turn in talk for it in turn)


def _mixed(of_two: list[str], of_one: list[str]) -> list[str]:
    """Two of two people, then one of one, and so on: any first part has of both."""
    chosen: list[str] = []
    ones = iter(of_one)
    for number, name in enumerate(of_two, 1):
        chosen.append(name)
        if number % 2 == 0:
            chosen += [one for one in [next(ones, "")] if one]
    return chosen + list(ones)


if __name__ == "__main__":
    main()
