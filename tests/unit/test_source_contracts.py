"""The contracts of sources as people read them, against the files that the commands read."""

import re

import pytest

from cdp.landing import source as sources
from cdp.landing.source import Source
from cdp.settings import ROOT

PAGE = (ROOT / "docs" / "contracts-of-sources.md").read_text()
SOURCES = sources.read_all(ROOT / "sources")
each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def rows(source: Source) -> list[list[str]]:
    """The cells of the tables in a source's chapter."""
    found = re.search(rf"^## {re.escape(source.full_name)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, f"docs/contracts-of-sources.md has no chapter ## {source.full_name}"
    lines = re.findall(r"^\| (.*) \|$", found[1], re.MULTILINE)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def code(source: Source, name: str) -> list[str]:
    """What stands as code in the row of that name."""
    (told,) = [row[1] for row in rows(source) if row[0] == name]
    return re.findall(r"`([^`]+)`", told)


@each_source
def test_chapter_names_the_raw_table_and_the_owner(source: Source) -> None:
    assert code(source, "raw table") == [source.raw_table]
    assert code(source, "owner") == [source.owner]


@each_source
def test_chapter_tells_how_the_source_is_delivered(source: Source) -> None:
    told = code(source, "delivered as")
    assert source.format in told
    assert not source.location or source.location in told
    assert source.location or not any(name.startswith("inbox/") for name in told)


@each_source
def test_chapter_names_the_key_and_the_ordering(source: Source) -> None:
    assert code(source, "key") == list(source.key)
    assert code(source, "ordering") == [source.ordering]


@each_source
def test_chapter_has_every_column_with_its_type_and_no_other(source: Source) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(source) if row[0].startswith("`")}
    assert told == {column.name: column.type for column in source.columns}


@each_source
@pytest.mark.parametrize("name", ["rhythm", "grain", "freshness", "personal data"])
def test_chapter_says_what_the_source_file_cannot(source: Source, name: str) -> None:
    assert [row[1] for row in rows(source) if row[0] == name]
