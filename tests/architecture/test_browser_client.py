"""The browser's client is one small module, and its folder is a package of npm's."""

import gzip
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "clients" / "js"
MODULE: Final = (FOLDER / "chatcore.js").read_text(encoding="utf-8")
TYPES: Final = (FOLDER / "chatcore.d.ts").read_text(encoding="utf-8")
MOST_BYTES: Final = 12_000


def package() -> dict[str, Any]:
    """What npm is told."""
    told: dict[str, Any] = json.loads((FOLDER / "package.json").read_bytes())
    return told


def test_the_module_is_small() -> None:
    assert len(gzip.compress(MODULE.encode(), mtime=0)) <= MOST_BYTES


def test_the_module_imports_nothing_and_names_no_place() -> None:
    assert re.findall(r"^import\b|\bimport\(|\brequire\(", MODULE, re.MULTILINE) == []
    assert re.findall(r"(?:https?|wss?)://\w", MODULE) == []


def test_the_package_has_what_it_names_and_depends_on_nothing() -> None:
    told = package()
    names = {told["main"], told["types"], *told["exports"]["."].values()}

    assert {name.removeprefix("./") for name in names} == {*told["files"]}
    assert all((FOLDER / name).is_file() for name in told["files"])
    assert not [key for key in told if "ependencies" in key or key == "scripts"]


def test_the_package_has_the_version_of_the_project() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]

    assert package()["version"] == version


def test_what_is_public_is_in_the_types() -> None:
    public = r"^  (?:get |async \*?)?(\*?[a-z]\w*)(?:\(| =)"
    chat = MODULE.split("export class Chat extends")[1].split("\n}\n")[0]
    declared = TYPES.split("export class Chat extends")[1]

    members = {*re.findall(public, chat, re.MULTILINE)} - {"constructor"}

    assert {"send", "messages", "state", "list", "delete", "logout"} <= members
    assert members == {
        *re.findall(r"^  (?:readonly )?([a-z]\w*)\b", declared, re.MULTILINE)
    } - {"constructor", "type", "listener", "options", "removeEventListener"}
    assert {*re.findall(r"^export class (\w+)", MODULE, re.MULTILINE)} == {
        *re.findall(r"^export class (\w+)", TYPES, re.MULTILINE)
    }
