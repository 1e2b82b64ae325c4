"""Where the documents link to is there, and so is the heading that a link names."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
)
_BLOCK: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(r"`[^`\n]*`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link may name in a page, as GitHub makes it of headings."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    names = (re.sub(r"[^\w\- ]", "", it.lower()) for it in _HEADING.findall(text))
    return {it.replace(" ", "-") for it in names}


@pytest.mark.parametrize("page", PAGES, ids=lambda it: it.relative_to(ROOT).as_posix())
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = _CODE.sub("", _BLOCK.sub("", page.read_text("utf-8")))
    links = [it for it in _LINK.findall(text) if not re.match(r"[a-z]+:", it)]

    broken = []
    for link in links:
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_the_glossary_is_found_from_where_people_begin() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        assert "docs/glossary.md" in (ROOT / name).read_text("utf-8")
