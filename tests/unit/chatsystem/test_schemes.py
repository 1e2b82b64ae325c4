"""What is installed to serve a scheme: found when needed, and never before ours."""

import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from chatsystem import schemes
from chatsystem.schemes import BadPlugin, SchemeRegistry

GROUP = "chatcore.things"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a package with these modules, and entry points by their schemes."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(package: str, entries: dict[str, str], **modules: str) -> None:
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
        )
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (folder / "entry_points.txt").write_text(
            "\n".join([f"[{GROUP}]", *lines, ""]), encoding="utf-8"
        )
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
            monkeypatch.delitem(sys.modules, name, raising=False)

    return make


def registry() -> SchemeRegistry[str]:
    return SchemeRegistry[str](GROUP, {"ours": "string:ascii_lowercase"})


def test_what_is_installed_is_found_by_its_scheme(
    install: Callable[..., None],
) -> None:
    install("carrier", {"pigeon": "carrier:PIGEON"}, carrier="PIGEON = 'coo'\n")
    found = registry()

    assert found.find("pigeon") == "coo"
    assert found.find("owl") is None
    assert found.schemes() == ["ours", "pigeon"]
    assert (found.is_known("pigeon"), found.is_known("owl")) == (True, False)


def test_for_what_is_ours_or_was_found_before_nobody_looks_at_what_is_installed(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("carrier", {"pigeon": "carrier:PIGEON"}, carrier="PIGEON = 'coo'\n")
    found = registry()
    found.register("owl", "hoo")
    found.find("pigeon")

    def look(**_: str) -> metadata.EntryPoints:
        raise AssertionError("it was looked at")

    monkeypatch.setattr(schemes, "entry_points", look)

    assert found.find("ours") == "abcdefghijklmnopqrstuvwxyz"
    assert found.find("owl") == "hoo"
    assert found.find("pigeon") == "coo"
    assert found.is_known("ours")


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("", "AttributeError: module 'carrier' has no attribute 'PIGEON'"),
    ],
    ids=["import", "fault", "attribute"],
)
def test_what_cannot_be_loaded_is_named_with_its_package(
    install: Callable[..., None], module: str, told: str
) -> None:
    install("carrier", {"pigeon": "carrier:PIGEON"}, carrier=module)

    with pytest.raises(BadPlugin) as refused:
        registry().find("pigeon")

    assert "The plug-in carrier:PIGEON of carrier 1.0 cannot be used: " in str(
        refused.value
    )
    assert told in refused.value.reason


def test_a_package_that_hides_what_is_ours_is_refused_by_name(
    install: Callable[..., None],
) -> None:
    install("cuckoo", {"ours": "cuckoo:EGG"}, cuckoo="EGG = 'egg'\n")
    found = registry()

    with pytest.raises(BadPlugin) as refused:
        found.schemes()

    assert "cuckoo:EGG of cuckoo 1.0" in str(refused.value)
    assert "ours: is chatcore's own" in refused.value.reason
    assert found.find("ours") == "abcdefghijklmnopqrstuvwxyz"
