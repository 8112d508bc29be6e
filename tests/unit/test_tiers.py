"""The tests themselves: where they stand, what they import, and which promise each proves."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from cdp.settings import ROOT
from tests.conftest import TESTS, TIERS

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| `(\S+?)::(\w+)` \| (\w+) \|$", re.MULTILINE)
PROOFS = [pytest.param(*found, id=found[2]) for found in ROW.findall(PAGE)]
FILES = sorted(TESTS.rglob("*.py"))


@cache
def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The tests of a file, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    return {name: node for name, node in found.items() if name.startswith("test_")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(TESTS)))
def test_nothing_is_imported_from_a_test_module(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        ours = [name.split(".") for name in names if name.startswith("tests.")]
        assert not [n for n in ours if any(part.startswith("test_") for part in n[:-1])]
        assert not [n for n in ours if n[-1].startswith("test_")]


def test_every_test_stands_in_the_folder_of_a_tier() -> None:
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}
    assert folders == set(TIERS)


def test_every_tier_is_a_marker_and_a_target_of_make() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = settings["tool"]["pytest"]["ini_options"]["markers"]
    assert {marker.partition(":")[0] for marker in markers} == {*TIERS, "full"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in [*TIERS, "all"]:
        assert re.search(rf"^test-{target}:", makefile, re.MULTILINE)
        assert f"`make test-{target}`" in PAGE


@pytest.mark.parametrize(("promise", "file", "name", "tier"), PROOFS)
def test_a_promise_is_proven_by_a_test_of_the_tier_it_is_named_with(
    promise: str, file: str, name: str, tier: str
) -> None:
    assert promise
    assert file.split("/", maxsplit=1)[0] == tier
    test = functions(TESTS / file)[name]
    # The night alone proves none.
    assert "pytest.mark.full" not in [ast.unparse(each) for each in test.decorator_list]


def test_every_file_of_a_service_proves_a_promise() -> None:
    named = {file for _, file, _, _ in ROW.findall(PAGE)}
    # What the night alone runs stands in the page's list of what it adds.
    night = re.compile(r"^pytestmark = \[?pytest\.mark\.full", re.MULTILINE)
    found = [p for p in TESTS.rglob("test_*.py") if not night.search(p.read_text(encoding="utf-8"))]
    files = {str(p.relative_to(TESTS)) for p in found}
    assert {f for f in files if not f.startswith("unit/")} <= named
    # A row that is not written as the others are would be left out here.
    rows = re.findall(r"^\| .*::.*$", PAGE, re.MULTILINE)
    assert len(rows) == len(PROOFS)
