"""What is on the site: every page of docs/, those of the root, and the reference.

ProperDocs loads it; see ``properdocs.yml``. The reference has a page for each of
``_REFERENCE``, with all that ``from chatcore import …`` offers, by the module that it
lives in. Pages link to sources, which are not on the site: such a link is its text.
"""

import logging
import posixpath
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files
from properdocs.structure.pages import Page

import chatcore

_log: Final = logging.getLogger("properdocs.hooks.site")
_ROOT: Final = Path(__file__).resolve().parents[1]
_HOME_OF: Final[Mapping[str, str]] = vars(chatcore)["_HOME_OF"]

_ROOT_PAGES: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Use it": (
        "embedding.md",
        "testing-your-application.md",
        "scripting.md",
        "installing.md",
        "from-the-course.md",
    ),
    "Run it": ("operating.md", "settings.md", "security.md", "deletion.md"),
    "Protocol and rules": ("protocol.md", "rules.md", "semantics.md", "glossary.md"),
    "Extend it": ("adding-a-store.md", "adding-a-transport.md"),
    "Measure it": ("benchmarks.md", "performance.md"),
    "Work on it": ("contributing.md", "architecture.md", "testing.md", "changelog.md"),
}
_REFERENCE: Final[Mapping[str, tuple[str, ...]]] = {
    "Chat": (
        "chatcore.chat",
        "chatcore.http_statuses",
        "chatcore.limits",
        "chatcore.listing",
        "chatcore.logins",
        "chatcore.registration",
        "chatcore.reports",
        "chatcore.services",
    ),
    "Client": (
        "chatcore.commands",
        "chatcore.events",
        "chatcore.ids",
        "chatcore.keys",
        "transports",
    ),
    "What happens": (
        "chatcore.message_events",
        "chatcore.outbox",
        "chatsystem.handlers",
        "chatwebhooks.errors",
        "chatwebhooks.secrets",
        "chatwebhooks.sender",
        "chatwebhooks.settings",
    ),
    "Errors": ("chatcore.errors", "chatstores.errors", "transports.errors"),
    "Serving": (
        "transports.asgi",
        "transports.audit_log",
        "transports.certificates",
        "transports.memory_budget",
        "transports.tls",
    ),
    "Your users": (
        "chatcore.claims",
        "chatidentities.json_web_tokens",
        "chatidentities.key_set",
        "chatidentities.shared_secret",
    ),
    "Ports and surroundings": ("chatcore.ports", "chatsystem", "chatsystem.schemes"),
    "Stores": ("chatstores", "chatcore.store", "chatcore.model"),
}
_OPTIONS: Final[Mapping[str, str]] = {"Chat": "inherited_members"}
"""Of names: the bases of this class are not public."""
_PLAIN: Final = (Enum, tuple)
"""Kinds of classes whose attributes need no word of their own."""
_ELSEWHERE: Final = {
    "chatcore": "Chat",
    "chatidentities": "Ports and surroundings",
    "chatstores": "Stores",
    "chatsystem": "Ports and surroundings",
    "chatwebhooks": "Serving",
}
"""By package, the page of what none of them names; of others, the last one."""
_OTHERS: Final = "Transports of your own"
_MORE: Final = "More"
_LOADED: Final = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*?=\"(?:https?:)?//[^>]*>"
)
_LINK: Final = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


def _page_of(home: str) -> str:
    """The title of the page of the reference that has a module's names."""
    for title, homes in _REFERENCE.items():
        if home in homes:
            return title
    return _ELSEWHERE.get(home.partition(".")[0], _OTHERS)


def _options(name: str) -> str:
    """What is shown of a name, besides what is shown of all."""
    found = getattr(chatcore, name)
    option = _OPTIONS.get(name, "")
    if isinstance(found, type) and issubclass(found, _PLAIN):
        option = "show_if_no_docstring"
    return f"\n    options:\n      {option}: true" if option else ""


def _reference() -> dict[str, tuple[str, str]]:
    """By its path, the title and the text of each page of the reference."""
    names: dict[str, list[str]] = {title: [] for title in (*_REFERENCE, _OTHERS)}
    for name, home in sorted(_HOME_OF.items()):
        names[_page_of(home)].append(f"::: {home}.{name}{_options(name)}")
    return {
        f"reference/{title.lower().replace(' ', '-')}.md": (
            title,
            "\n\n".join([f"# {title}", "All of it is imported from `chatcore`.", *it]),
        )
        for title, it in names.items()
    }


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Add what is not in docs/, and say where all of it stands."""
    for path, at in _ROOT_PAGES.items():
        text = (_ROOT / path).read_text("utf-8")
        files.append(File.generated(config, at, content=text))
    reference = _reference()
    for at, (_, text) in reference.items():
        files.append(File.generated(config, at, content=text))
    config.nav = [*_nav({it.src_uri for it in files.documentation_pages()}, reference)]
    return files


def _nav(
    pages: set[str], reference: Mapping[str, tuple[str, str]]
) -> Iterator[Mapping[str, Any]]:
    """The sections, each with its pages; those that none names come last."""
    yield {"chatcore": "index.md"}
    for section, listed in _SECTIONS.items():
        yield {section: list(listed)}
    yield {"Reference": [{title: at} for at, (title, _) in reference.items()]}
    named = {it for listed in _SECTIONS.values() for it in listed} | {"index.md"}
    decisions = sorted(it for it in pages if it.startswith("decisions/"))
    # The list of them, which is named README, is first.
    yield {"Decisions": sorted(decisions, key=lambda it: "README" not in it)}
    if more := sorted(pages - named - {*decisions} - {*reference}):
        yield {_MORE: more}


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:  # noqa: ANN401  # ProperDocs'
    """Have links lead to where the pages are on the site."""
    at = page.file.src_uri
    source = next((it for it, to in _ROOT_PAGES.items() if to == at), f"docs/{at}")

    def lead(found: re.Match[str]) -> str:
        text, link = found[1], found[2]
        path, mark, anchor = link.partition("#")
        if not path or re.match(r"[a-z]+:", link):
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        on_site = _ROOT_PAGES.get(target, target.removeprefix("docs/"))
        if files.get_file_from_path(on_site) is None:
            return text
        relative = posixpath.relpath(on_site, posixpath.dirname(at) or ".")
        return f"[{text}]({relative}{mark}{anchor})"

    parts = _FENCE.split(markdown)
    return "".join(it if it.startswith("```") else _LINK.sub(lead, it) for it in parts)


def on_post_page(output: str, page: Page, **_: Any) -> str:  # noqa: ANN401  # as above
    """Warn, which fails the build, where a page would load something from elsewhere."""
    for found in _LOADED.findall(output):
        _log.warning("%s loads %s", page.file.src_uri, found)
    return output
