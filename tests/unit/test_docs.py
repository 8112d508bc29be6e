"""The documentation against what it describes: links, commands, targets and settings exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cdp.cli import app
from cdp.settings import ROOT, Settings

EXAMPLE = ROOT / ".env.example"
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
# What a checkout makes for itself.
MADE = {"target", "logs", "dbt_packages"}


def pages() -> Iterator[Path]:
    """Every Markdown file of the project."""
    yield from ROOT.glob("*.md")
    for folder in sorted(ROOT.iterdir()):
        if folder.is_dir() and folder.name not in MADE and not folder.name.startswith("."):
            yield from sorted(folder.rglob("*.md"))


PAGES = sorted(pages())
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def code(text: str) -> str:
    """The code of a page: fenced blocks and spans, a line each."""
    fenced = re.findall(r"^ *```.*?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*fenced, *re.findall(r"`([^`]+)`", rest)])


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def fields() -> set[str]:
    return {f"CDP_{name.upper()}" for name in Settings.model_fields}


def known_variables() -> set[str]:
    """Settings, what `cdp env` prints, and what dbt's profile and macros read beside them."""
    files = [ROOT / "profiles.yml", *(ROOT / "macros").glob("*.sql")]
    profile = "".join(p.read_text() for p in files)
    environment = Settings.model_validate({}).environment()
    return fields() | set(environment) | set(re.findall(r"env_var\('(\w+)'", profile))


def row(name: str) -> list[str]:
    """The cells of a variable's row in docs/settings.md, the first one where it has two."""
    found = re.search(rf"^\| `{name}` \|(.*)\|$", SETTINGS, re.MULTILINE)
    assert found, f"docs/settings.md has no row for {name}"
    return [cell.strip() for cell in found[1].split("|")]


@every_page
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_commands_and_targets_exist(page: Path) -> None:
    text = code(page.read_text())
    group = typer.main.get_command(app)
    commands = set(getattr(group, "commands"))  # noqa: B009 - typer's group, untyped here
    named = set(re.findall(r"(?<!from )(?<![\w./-])(?:\.venv/bin/)?cdp +([a-z][a-z-]*)", text))
    assert named <= commands
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?<![\w./-])make +([a-z][a-z-]*)", text)) <= targets


@every_page
def test_settings_that_are_named_exist(page: Path) -> None:
    assert set(re.findall(r"\bCDP_[A-Z0-9_]*[A-Z0-9]\b", page.read_text())) <= known_variables()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    told = row(f"CDP_{name.upper()}")[0]
    if isinstance(default, Path):
        assert told == f"`{default.relative_to(ROOT)}`"
    elif isinstance(default, str | int) and default != "" and name != "cache_dir":
        assert told == f"`{default}`"


def test_every_variable_of_the_environment_is_documented() -> None:
    section = SETTINGS.partition("## The environment for other tools")[2]
    found = Settings.model_validate({"with_services": "postgres", "postgres_password": "x"})
    for name in found.environment() | found.postgres_environment():
        assert f"| `{name}` |" in section, name


def test_the_example_names_settings_and_sets_none() -> None:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line]
    assert all(line.startswith("#") for line in lines)
    named = [m[1] for line in lines if (m := re.match(r"#(\w+)=", line))]
    assert named
    assert set(named) <= fields()
    assert len(named) == len(set(named))


@every_page
def test_no_page_names_a_package_registry(page: Path) -> None:
    hosts = (r"pypi\.", r"pythonhosted", r"repo\d*\.maven", r"maven\.org", r"npmjs", r"crates\.io")
    assert not re.search("|".join(hosts), page.read_text(), re.IGNORECASE)


def test_the_picture_is_whole_and_refers_to_nothing_outside() -> None:
    text = (ROOT / "docs" / "architecture.svg").read_text()
    urls = set(re.findall(r"https?://[^\"'\s]+", text))
    assert urls == {"http://www.w3.org/2000/svg"}
    assert "href" not in text
    assert min(float(size) for size in re.findall(r"font-size[=:]\s*\"?([\d.]+)", text)) >= 12
