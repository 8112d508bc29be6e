"""Small charts as inline SVG. Colours are those of the page's style sheet, by class."""

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup, escape

from cdp.report.data import Series

WIDTH, HEIGHT, EDGE = 160, 36, 3


def sparkline(series: Series) -> Markup:
    """A line of the values by day; a day with a value has a dot. The text says it in words."""
    values = series.values
    low, high = min(values), max(values)
    span = (high - low) or 1
    first = series.days[0]
    days = max((series.days[-1] - first).days, 1)

    def place(day: date, value: float) -> tuple[float, float]:
        x = EDGE + (WIDTH - 2 * EDGE) * (day - first).days / days
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / span
        return x, y

    points = [place(d, v) for d, v in zip(series.days, values, strict=True)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle class="bad" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        for day, (x, y) in zip(series.days, points, strict=True)
        if day in series.alarms
    )
    last_x, last_y = points[-1]
    words = escape(
        f"{series.table} {series.column}: {values[-1]:,.4g} on {series.days[-1]}, "
        f"between {low:,.4g} and {high:,.4g} since {first}"
    )
    return Markup(  # noqa: S704 - numbers, and words that are escaped
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f'<title>{words}</title><polyline points="{line}"/>'
        f'<circle cx="{last_x:.1f}" cy="{last_y:.1f}" r="2"/>{dots}</svg>'
    )


def stacked(parts: Sequence[tuple[str, str, int]]) -> Markup:
    """A bar of parts side by side: class, name and size of each. Parts too small to be seen are
    drawn two units wide."""
    total = sum(size for _, _, size in parts) or 1
    shown = [(kind, name, size) for kind, name, size in parts if size]
    at = 0.0
    drawn = ""
    for kind, name, size in shown:
        width = max(1000 * size / total, 4)
        words = escape(f"{name}: {size:,} rows, {100 * size / total:.2f} %")
        drawn += (
            f'<rect class="{escape(kind)}" x="{at:.1f}" y="0" width="{width:.1f}" height="14">'
            f"<title>{words}</title></rect>"
        )
        at += width
    told = escape(", ".join(f"{name} {size:,}" for _, name, size in shown))
    return Markup(  # noqa: S704
        f'<svg class="bar" viewBox="0 0 {max(at, 1):.1f} 14" preserveAspectRatio="none" '
        f'role="img" aria-label="{told}">{drawn}</svg>'
    )


def bar(share: float, kind: str = "good") -> Markup:
    """A bar of a share of 1."""
    width = max(0.0, min(share, 1.0)) * 100
    return Markup(  # noqa: S704
        f'<span class="track" aria-hidden="true"><span class="fill {escape(kind)}" '
        f'style="width:{width:.1f}%"></span></span>'
    )
