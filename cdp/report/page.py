"""The page: data, charts and a template, one file without anything from elsewhere."""

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from cdp import html
from cdp.report import charts
from cdp.report.data import Report, collect
from cdp.settings import Settings
from cdp.transform import parse

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = ("B", "kB", "MB", "GB", "TB")


def write(path: Path, settings: Settings) -> Report:
    """Write the page of now. Raises CdpError when Trino or the catalog is away."""
    report = collect(parse([], settings), settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report), encoding="utf-8")
    return report


def render(report: Report) -> str:
    """The HTML of a report."""
    environment = html.environment(Path(__file__).parent)
    filters: dict[str, Callable[..., object]] = {
        "count": lambda number: f"{number:,}",
        "size": size,
        "ago": lambda moment: ago(moment, report.made_at),
        "breakable": breakable,
        "percent": lambda share: f"{100 * share:.1f} %",
    }
    environment.filters.update(filters)
    environment.globals.update(sparkline=charts.sparkline, stacked=charts.stacked, bar=charts.bar)
    return environment.get_template("page.html.j2").render(report=report, verdict=verdict(report))


def verdict(report: Report) -> tuple[str, str]:
    """The state of it all as a class of the style sheet, and in one sentence."""
    failed = [t.name for t in report.tables if t.failed]
    warned = [t.name for t in report.tables if t.warned]
    last = report.runs[-1] if report.runs else None
    published = report.last_publish
    since = f"published {ago(published.ended, report.made_at)}" if published else "never published"
    if last and last.state in {"failed", "refused"}:
        return "bad", f"The last run {last.state}; what people read was {since}."
    if failed:
        return "bad", f"Checks failed in {', '.join(failed)}; {since}."
    if warned:
        return "warn", f"Well, with warnings in {', '.join(warned)}; {since}."
    return "good", f"All checks passed; {since}."


def breakable(name: str) -> Markup:
    """A name that lines may break after a dot or an underscore of."""
    return Markup(re.sub(r"([._])(?=[^._])", r"\1<wbr>", str(escape(name))))  # noqa: S704


def size(number: float) -> str:
    """Bytes, as people read them."""
    value = float(number)
    for unit in UNITS:
        if value < 1000 or unit == UNITS[-1]:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def ago(moment: datetime | None, now: datetime) -> str:
    """How long before now a moment was, in its largest unit."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"
