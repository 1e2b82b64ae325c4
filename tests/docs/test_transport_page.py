"""docs/adding-a-transport.md: what a stranger types from it is a transport."""

import re

from tests.docs.test_documents import ROOT, run

EXAMPLE = (ROOT / "examples" / "json_lines_transport.py").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "adding-a-transport.md").read_text(encoding="utf-8")
TYPED = "\n\n".join(
    re.findall(r"```python\n(.*?)```", PAGE.partition("## Using it")[0], re.DOTALL)
)

CHAT = """

async def main():
    async with (
        chatcore.open_store("memory:") as store,
        chatcore.serve(chatcore.Chat(store), LISTENS) as urls,
        chatcore.connect(urls[0]) as ada,
    ):
        await ada.login("ada", "correct horse", create=True)
        print(urls[0].partition(":")[0], (await ada.send("ada", "a note")).position)

chatcore.register_transport(SCHEME, TRANSPORT)
asyncio.run(main())
"""


def test_what_the_page_has_in_pieces_is_a_transport_that_carries_a_chat() -> None:
    output = run("-c", TYPED + CHAT)

    assert output == "lines 1\n"


def test_the_page_has_all_of_the_example_as_it_is() -> None:
    code = EXAMPLE.split('"""\n', 1)[1]

    assert list(filter(None, TYPED.splitlines())) == list(
        filter(None, code.splitlines())
    )
