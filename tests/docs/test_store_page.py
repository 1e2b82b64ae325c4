"""docs/adding-a-store.md: what a stranger types from it is a store."""

import re
from pathlib import Path

from tests.docs.test_documents import ROOT, run

PAGE = (ROOT / "docs" / "adding-a-store.md").read_text(encoding="utf-8")
(TYPED,) = re.findall(r"```python\n(import pickle\n.*?)```", PAGE, re.DOTALL)

CHAT = """
import asyncio
import sys

import chatcore


async def main(url):
    async with chatcore.open_store(url) as store:
        async with chatcore.serve(chatcore.Chat(store), "loopback:") as urls:
            async with chatcore.connect(urls[0]) as ada:
                await ada.login("ada", "correct horse", create=True)
                await ada.send("ada", "a note")
    async with chatcore.open_store(url) as store:
        async with chatcore.serve(chatcore.Chat(store), "loopback:") as urls:
            async with chatcore.connect(urls[0]) as ada:
                session = await ada.login("ada", "correct horse")
                print(store.durable, session.queued)


chatcore.register_store("file", open_file)
asyncio.run(main(sys.argv[1]))
"""


def test_what_the_page_has_is_a_store_that_keeps_what_it_was_told(
    tmp_path: Path,
) -> None:
    output = run("-c", TYPED + CHAT, f"file:{tmp_path / 'rows'}")

    assert output == "False 1\n"
