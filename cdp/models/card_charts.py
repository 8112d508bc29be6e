"""Charts of the model card as inline SVG. Colours are those of the page's style sheet, by class."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

# Units of a view box are pixels on a phone, nearly; text is FONT of them high.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 340, 270, 48, 14, 30, 46
LOW_HEIGHT = 190
STRIP, STRIP_HEIGHT, STRIP_EDGE = 160, 20, 20
SORTED = "share of customers, highest scores first"
FONT = 12.5
# How wide characters of ticks are at most, in usual fonts, as a share of their height.
GLYPH, GLYPHS = 0.66, {"\u00a0": 0.33, ".": 0.33, ",": 0.33, "%": 0.96, "\u2212": 0.85, "M": 0.9}
# As much as a line of a view box can tell; points closer than that are one.
POINTS_APART = 0.4

ENDS = ("low", "value", "high")

Figure = Mapping[str, float]


@dataclass(frozen=True)
class Scale:
    """A stretch of values on a stretch of a view box, with a tick each step.

    low, high: values, of any unit. start, end: where these stand, in units of the view box.
    unit: written after the ticks' values; with " %" the values are shares of 1.
    """

    low: float
    high: float
    start: float
    end: float
    step: float
    unit: str = ""

    def __call__(self, value: float) -> float:
        """Return the place of a value; one beyond the scale stands at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def ticks(self) -> list[tuple[float, str]]:
        """Return the values of the ticks, in order, and what is written at each."""
        first = math.ceil(self.low / self.step - 1e-6)
        last = math.floor(self.high / self.step + 1e-6)
        return [(n * self.step, self._text(n * self.step)) for n in range(first, last + 1)]

    def _text(self, value: float) -> str:
        times = 100.0 if self.unit == " %" else 1.0
        decimals = max(0, -math.floor(math.log10(self.step * times) + 1e-6))
        if self.step * times >= 100_000:
            return f"{value / 1e6:g}M" if value else "0"
        text = f"{value * times + 0.0:,.{decimals}f}{self.unit}"
        return text.replace("-", "\u2212").replace(" ", "\u00a0")


def fitted(  # noqa: PLR0913 - a stretch of values, a stretch of the page, and how they are told
    low: float,
    high: float,
    start: float,
    end: float,
    *,
    unit: str = "",
    about: int = 5,
    is_tight: bool = False,
) -> Scale:
    """Return a scale with about so many ticks, all round, and with fewer where they have no room.

    It is widened to whole steps; a tight one begins and ends with its values.
    """
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    for wanted in range(about, 0, -1):
        rough = (high - low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next((n * power for n in (1, 2, 5) if n * power >= rough * 0.9), 10 * power)
        first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
        ends = (low, high) if is_tight else (first * step, last * step)
        scale = Scale(*ends, start, end, step, unit)
        widest = max((_width(text) for _, text in scale.ticks()), default=0)
        # Texts below an axis stand side by side, those beside one above one another.
        if end < start or abs(scale(ends[0] + step) - scale(ends[0])) >= widest + 8:
            break
    return scale


def roc(points: Sequence[Sequence[float]], area: Figure) -> Markup:
    """The ROC curve. points: share found of those who stayed, and of those who left."""
    x, y = _across(0, 1, " %"), _up(0, 1, " %")
    words = f"ROC curve: the area below it is {area['value']:.3f}"
    drawn = _line(x, y, [(0, 0), (1, 1)], "reference") + _line(x, y, points)
    drawn += _text(x(0.62), y(0.42), "chance")
    drawn += _text(x(1) - 4, y(0.06), f"area {area['value']:.3f}", "end", "told")
    return _chart(words, _Axes(x, y, "share of those who stayed", "share of those who left"), drawn)


def precision_recall(points: Sequence[Sequence[float]], base: float, area: Figure) -> Markup:
    """The precision-recall curve. base: the share of all that left, 0 to 1."""
    highest = max([base, *(p[1] for p in points)])
    x, y = _across(0, 1, " %"), _up(0, min(highest * 1.02, 1), " %")
    words = f"Precision-recall curve: the area below it is {area['value']:.3f}"
    drawn = _line(x, y, [(0, base), (1, base)], "reference") + _line(x, y, points)
    below = y(base) + FONT + 3
    place = below if below < y(0) - 4 else y(base) - 5
    drawn += _text(x(0) + 6, place, f"all customers: {100 * base:.1f} %")
    drawn += _text(x(1) - 4, y(y.high) + FONT, f"area {area['value']:.3f}", "end", "told")
    axes = _Axes(x, y, "share found of those who left", "share that left of those found")
    return _chart(words, axes, drawn)


def calibration(points: Sequence[Sequence[float]]) -> Markup:
    """What was told and what came. points: mean score, share that left, its interval, rows."""
    highest = min(max(max(p[0], p[1], p[3]) for p in points), 1)
    x, y = _across(0, highest, " %"), _up(0, highest, " %")
    most = max(p[4] for p in points) or 1
    drawn = _line(x, y, [(0, 0), (x.high, x.high)], "reference")
    for told, came, low, high, rows in points:
        title = f"told {100 * told:.1f} %, left {100 * came:.1f} % of {rows:,.0f} customers"
        radius = 2 + 2.2 * math.sqrt(rows / most)
        figure = {"low": low, "value": came, "high": high}
        drawn += _interval(x(told), y, figure, title, radius)
    drawn += _text(x(0) + 6, y(y.high) + FONT, "more left than told")
    drawn += _text(x(x.high) - 4, y(0) - 8, "fewer left than told", "end")
    words = f"Calibration: what was told and what came, in {len(points)} groups by score"
    return _chart(words, _Axes(x, y, "score", "share of customers that left"), drawn)


def lift(points: Sequence[Sequence[float]], marks: Mapping[int, Figure]) -> Markup:
    """Lift by share of customers. marks: figures by share in percent, drawn with intervals."""
    highest = max([1.2, *(p[1] for p in points), *(f["high"] for f in marks.values())])
    x, y = _across(0, 1, " %"), _up(0, highest, "\u00d7")
    drawn = _line(x, y, [(0, 1), (1, 1)], "reference") + _line(x, y, [p[:2] for p in points])
    below = y(1) + FONT + 2
    drawn += _text(x(1) - 4, below if below < y(0) - 2 else y(1) - 8, "all customers", "end")
    drawn += _marks(x, y, marks, "{:.2f} times as many as among all")
    axes = _Axes(x, y, SORTED, "times as many as among all")
    return _chart("Lift by share of customers", axes, drawn)


def capture(points: Sequence[Sequence[float]], marks: Mapping[int, Figure]) -> Markup:
    """Who is reached by share of customers. points: share, lift, capture. marks: as of lift."""
    x, y = _across(0, 1, " %"), _up(0, 1, " %")
    drawn = _line(x, y, [(0, 0), (1, 1)], "reference")
    drawn += _line(x, y, [(p[0], p[2]) for p in points])
    drawn += _text(x(0.62), y(0.42), "in any order")
    drawn += _marks(x, y, marks, "{:.1%} of those who left")
    axes = _Axes(x, y, SORTED, "share of those who left")
    return _chart("Capture by share of customers", axes, drawn)


def dependence(column: str, points: Sequence[Sequence[float]], highest: float) -> Markup:
    """The mean score by the values of a numeric column. highest: the scale's end, 0 to 1."""
    values = [p[0] for p in points]
    x = fitted(min(values), max(values), LEFT, WIDTH - RIGHT, about=4, is_tight=True)
    y = fitted(0, highest, LOW_HEIGHT - 26, 14, unit=" %", about=4, is_tight=True)
    words = (
        f"{column}: the mean score is {points[0][1]:.1%} at {values[0]:,g} "
        f"and {points[-1][1]:.1%} at {values[-1]:,g}"
    )
    dots = "".join(f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="2"/>' for a, b in points)
    return _chart(words, _Axes(x, y, height=LOW_HEIGHT), _line(x, y, points) + dots)


def strip_scale(figures: Sequence[Figure], whole: float, unit: str = "") -> Scale:
    """Return the scale that the intervals of a column share, the whole's value among them."""
    values = [whole, *(f[end] for f in figures for end in ENDS)]
    low, high = min(values), max(values)
    return fitted(low, high, STRIP_EDGE, STRIP - STRIP_EDGE, unit=unit, is_tight=True)


def strip(figure: Figure, scale: Scale, whole: float, kind: str, words: str) -> Markup:
    """A dot with its interval, and a line where the whole stands. kind: a class of the page."""
    middle = STRIP_HEIGHT / 2
    low, at, high = (scale(figure[end]) for end in ENDS)
    return Markup(  # noqa: S704 - numbers, and words that are escaped
        f'<svg class="strip {escape(kind)}" viewBox="0 0 {STRIP} {STRIP_HEIGHT}" role="img" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>'
        f'<line class="whole" x1="{scale(whole):.1f}" x2="{scale(whole):.1f}" y1="0" '
        f'y2="{STRIP_HEIGHT}"/><line class="interval" x1="{low:.1f}" x2="{high:.1f}" '
        f'y1="{middle}" y2="{middle}"/><circle cx="{at:.1f}" cy="{middle}" r="4"/></svg>'
    )


def strip_axis(scale: Scale) -> Markup:
    """The ticks of a strip, to stand above a column of them."""
    drawn = "".join(_tick(scale(value), 11, text, STRIP) for value, text in scale.ticks())
    return Markup(  # noqa: S704
        f'<svg class="strip" viewBox="0 0 {STRIP} 15" aria-hidden="true">{drawn}</svg>'
    )


def waterfall(base: float, amounts: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return where each amount's bar begins, how wide it is, and where it ends.

    In percent of the track, whose ends are the lowest and the highest sum on the way from the base.
    """
    sums = [base]
    for amount in amounts:
        sums.append(sums[-1] + amount)
    low, span = min(sums), (max(sums) - min(sums)) or 1
    places = [2 + 96 * (s - low) / span for s in sums]
    return [(min(a, b), max(abs(b - a), 0.4), b) for a, b in pairwise(places)]


@dataclass(frozen=True)
class _Axes:
    """Two scales with their names; no names are written when they are empty."""

    x: Scale
    y: Scale
    x_name: str = ""
    y_name: str = ""
    height: int = HEIGHT


def _across(low: float, high: float, unit: str) -> Scale:
    return fitted(low, high, LEFT, WIDTH - RIGHT, unit=unit)


def _up(low: float, high: float, unit: str) -> Scale:
    return fitted(low, high, HEIGHT - BOTTOM, TOP, unit=unit)


def _chart(words: str, axes: _Axes, drawn: str) -> Markup:
    x, y, said = axes.x, axes.y, escape(words)
    behind = f'<line class="axis" x1="{x.start}" x2="{x.end}" y1="{y.start}" y2="{y.start}"/>'
    for value, text in y.ticks():
        at = f"{y(value):.1f}"
        behind += f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{at}" y2="{at}"/>'
        behind += _text(x.start - 6, y(value) + FONT * 0.35, text, "end", "tick")
    for value, text in x.ticks():
        at, low = f"{x(value):.1f}", y.start + 4
        behind += f'<line class="axis" x1="{at}" x2="{at}" y1="{y.start}" y2="{low}"/>'
        behind += _tick(x(value), y.start + FONT + 6, text, WIDTH)
    if axes.x_name:
        middle = (x.start + x.end) / 2
        behind += _text(middle, axes.height - 7, f"{axes.x_name} \u2192", "middle", "axis-name")
        behind += _text(4, FONT + 1, f"\u2191 {axes.y_name}", "start", "axis-name")
    return Markup(  # noqa: S704 - numbers, and words that are escaped
        f'<svg class="chart" viewBox="0 0 {WIDTH} {axes.height}" role="img" aria-label="{said}">'
        f"<title>{said}</title>{behind}{drawn}</svg>"
    )


def _line(x: Scale, y: Scale, points: Sequence[Sequence[float]], kind: str = "curve") -> str:
    """A line through points, without those that nobody could tell from the one before."""
    places: list[tuple[float, float]] = []
    for n, (a, b) in enumerate(points):
        place = (x(a), y(b))
        is_last = n == len(points) - 1
        if not places or is_last or math.dist(place, places[-1]) >= POINTS_APART:
            places.append(place)
    return f'<polyline class="{kind}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in places)}"/>'


def _marks(x: Scale, y: Scale, marks: Mapping[int, Figure], words: str) -> str:
    return "".join(
        _interval(x(share / 100), y, figure, f"{share} %: {words.format(figure['value'])}")
        for share, figure in marks.items()
    )


def _interval(at: float, y: Scale, figure: Figure, title: str, radius: float = 3.5) -> str:
    x, low, middle, high = (f"{n:.1f}" for n in (at, *(y(figure[k]) for k in ENDS)))
    return (
        f'<g><title>{escape(title)}</title><line class="interval" x1="{x}" x2="{x}" y1="{low}" '
        f'y2="{high}"/><circle cx="{x}" cy="{middle}" r="{radius:.1f}"/></g>'
    )


def _tick(x: float, y: float, text: str, width: float) -> str:
    """A tick's text below its place, moved inwards where it would leave the view box."""
    half = _width(text) / 2
    return _text(min(max(x, half + 1), width - half - 1), y, text, "middle", "tick")


def _width(text: str) -> float:
    return FONT * sum(GLYPHS.get(character, GLYPH) for character in text)


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "note") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'
