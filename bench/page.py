"""Writes a benchmark's last result between its marks in docs/benchmarks.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"


def machine() -> str:
    """When and on what it was measured, as a sentence."""
    system = f"{platform.system()} {platform.machine()}"
    memory = psutil.virtual_memory().total / 2**30
    python = platform.python_version()
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    return (
        f"Measured on {day}: {system}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {python}."
    )


def table(heading: list[str], rows: list[list[str]]) -> str:
    """A Markdown table: the first column to the left, the others, numbers, to the right."""
    rule = ["---", *["---:"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heading, rule, *rows))


def ratios(what: str, seconds: dict[str, float]) -> str:
    """A table of the seconds of each kind, and of their ratio to the first kind's."""
    base = next(iter(seconds.values()))
    rows = [[kind, f"{took:.1f}", f"{took / base:.2f}"] for kind, took in seconds.items()]
    return table([what, "s", "ratio"], rows)


def write(mark: str, *paragraphs: str) -> None:
    """Print the paragraphs, and put them in place of what stands between the mark's two lines."""
    text = "\n\n".join((machine(), *paragraphs)) + "\n"
    print(text)
    before, opening, rest = PAGE.read_text().partition(f"<!-- {mark} -->\n")
    _, closing, after = rest.partition(f"<!-- /{mark} -->\n")
    PAGE.write_text(f"{before}{opening}{text}{closing}{after}")
