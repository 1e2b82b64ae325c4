"""HTML's few pieces, each escaped in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LONG = 40
"""Characters from which a cell's words are broken into lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Cells as text; the first names the row.

    Attributes:
        is_alarming: shown in red, for a row that must not be believed.
    """

    cells: Sequence[str]
    is_alarming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as text.

    Attributes:
        words: columns, by index, that hold words and not numbers; the first always
            does.
    """

    slug: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    words: frozenset[int] = frozenset()


def names(listed: str) -> tuple[str, ...]:
    """Columns' names from one text, where ``|`` stands between them."""
    return tuple(name.strip() for name in listed.split("|"))


def text(content: str) -> str:
    """Content that came from data."""
    return escape(content, quote=True)


def paragraph(content: str) -> str:
    """Plain text as a paragraph."""
    return f"<p>{text(content)}</p>"


def bullets(items: Sequence[str]) -> str:
    """Plain texts as a list."""
    return f"<ul>{''.join(f'<li>{text(item)}</li>' for item in items)}</ul>"


def table(content: Table) -> str:
    """A table in a box of its own, which scrolls where the window is narrow."""
    head = "".join(
        f'<th scope="col"{_kind("", is_word=place in content.words)}>{text(name)}</th>'
        for place, name in enumerate(content.columns)
    )
    body = "\n".join(_row(row, content.words) for row in content.rows)
    slug = text(content.slug)
    return (
        f'<div class="box" role="region" aria-labelledby="t-{slug}" tabindex="0">'
        f'<table><caption id="t-{slug}"><span>{text(content.caption)}</span>'
        f"</caption><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _kind(content: str, *, is_word: bool) -> str:
    if not is_word:
        return ""
    return ' class="w long"' if len(content) > _LONG else ' class="w"'


def _row(row: Row, words: frozenset[int]) -> str:
    cells = "".join(
        f"<td{_kind(cell, is_word=place in words)}>{text(cell)}</td>"
        for place, cell in enumerate(row.cells)
        if place
    )
    alarm = ' class="bad"' if row.is_alarming else ""
    return f'<tr{alarm}><th scope="row">{text(row.cells[0])}</th>{cells}</tr>'
