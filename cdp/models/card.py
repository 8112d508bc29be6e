"""The model card: one page on a model version, from its report and its manifest alone."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError
from markupsafe import Markup, escape

from cdp import html
from cdp.errors import CdpError
from cdp.models import card_charts as charts

Figure = Mapping[str, float]
Report = Mapping[str, Any]

SHARES = (1, 5, 10, 20)
# Metrics in the order of the card. Of those that are not LOWER_IS_BETTER more is better.
METRICS = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "brier": "Brier score",
    "log_loss": "log loss",
    "ece": "ECE",
    **{f"lift_{share}": f"lift at {share} %" for share in SHARES},
    **{f"capture_{share}": f"capture at {share} %" for share in SHARES},
}
LOWER_IS_BETTER = {"brier", "log_loss", "ece"}
CEILING = {
    "oracle": "an oracle, which knows what the generator knows",
    "observable": "the best by what can be observed",
    "model": "this model",
    "unseen_rows": "this model, on rows that it has not seen",
}
# How much is drawn of what may be long; the rest is told in words.
BARS, STEPS = 12, 8
MINUS, TIMES, SPACE = "\u2212", "\u00d7", "\u00a0"
SUPERSCRIPTS = dict(zip(b"-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True))


@dataclass(frozen=True)
class Cell:
    """A figure of a candidate: as text, with its interval, and whether none is better."""

    value: str
    interval: str
    is_best: bool


@dataclass(frozen=True)
class Step:
    """A row of an example: its name, log-odds, and the bar's begin, width and end in percent."""

    name: str
    amount: float
    left: float
    width: float
    end: float


def write(report: Report, manifest: Report, path: Path) -> None:
    """Write the card of a model version as one HTML file that needs nothing from elsewhere.

    report, manifest: as report.json and manifest.json have them. Raises CdpError when one of them
    lacks what the card shows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report, manifest), encoding="utf-8")


def render(report: Report, manifest: Report) -> str:
    """Return the HTML of a card. Raises CdpError as `write` does."""
    environment = html.environment(Path(__file__).parent)
    filters: dict[str, Callable[..., object]] = {
        "count": lambda number: f"{number:,}",
        "percent": percent,
        "number": number,
        "signed": signed,
        "interval": interval,
        "power": power,
        "plain": plain,
        "value": value_of,
        "breakable": breakable,
        "parameter": lambda value: f"{value:.4g}" if isinstance(value, float) else str(value),
    }
    environment.filters.update(filters)
    environment.globals.update(charts=charts, bars_shown=BARS)
    page = environment.get_template("card.html.j2")
    try:
        return page.render(report=report, manifest=manifest, **prepared(report))
    except (KeyError, UndefinedError) as error:
        raise CdpError(
            f"report.json or manifest.json lacks what the card shows: {error}",
            "train the model again: cdp train PROBLEM",
        ) from error


def prepared(report: Report) -> dict[str, Any]:
    """Return what the template shows and the report does not hold as it is shown."""
    chosen = report["candidates"][report["estimator"]]["metrics"]
    scores = [p[1] for each in report["partial_dependence"] for p in each["points"]]
    rows, base = judged(report)
    return {
        "chosen": chosen,
        "judged_rows": rows,
        "base": base,
        "left": outcome(report["target"]),
        "summary": summary(report),
        "metrics": list(compared(report["candidates"])),
        "comparisons": grouped(
            (f"{c['candidate']} against {c['other']}", (metric_name(c["metric"]), *told(c)))
            for c in report["comparisons"]
        ),
        "segments": grouped((s["column"], s) for s in report["segments"]),
        "lifts": {s: chosen[f"lift_{s}"] for s in SHARES if f"lift_{s}" in chosen},
        "captures": {s: chosen[f"capture_{s}"] for s in SHARES if f"capture_{s}" in chosen},
        # All charts of partial dependence have one scale, which ends at a round share.
        "highest": charts.fitted(0, max([*scores, 0.001]), 1, 0, about=4).high,
        "steps": [steps(example) for example in report["examples"]],
        "ceiling": {
            name: report["ceiling"][key]
            for key, name in CEILING.items()
            if report["ceiling"] and report["ceiling"].get(key)
        },
    }


def judged(report: Report) -> tuple[int, float]:
    """Return how many rows the figures are of, and the share of them that is positive, 0 to 1.

    These are the rows of the calibration curve: a split by time judges on a part of all rows.
    """
    groups = report["curves"]["calibration"]
    rows = sum(group[4] for group in groups)
    if rows:
        return rows, sum(group[1] * group[4] for group in groups) / rows
    return report["rows"], report["positives"] / max(report["rows"], 1)


def outcome(target: str) -> str:
    """Return what the target says of a customer, in words that follow "customers who"."""
    ahead = re.fullmatch(r"churned_within_(\d+)_days", target)
    return f"left within {ahead[1]} days" if ahead else "left"


def summary(report: Report) -> tuple[str, str, str]:
    """Return the state of the model as a class of the style sheet, and in two sentences."""
    chosen = report["candidates"][report["estimator"]]["metrics"]
    (_, base), lift = judged(report), chosen["lift_10"]
    share = percent(min(base * lift["value"], 1.0))
    first = (
        f"Of the 10{SPACE}% of customers with the highest scores, {share} "
        f"{outcome(report['target'])}: {lift['value']:.1f} times as many as among all "
        f"({percent(base)})."
    )
    if chosen["roc_auc"]["low"] <= 0.5 or lift["low"] <= 1:
        return "bad", first, "By these figures the model is not clearly better than chance."
    if not report["segments"]:
        return "warn", first, "No segments are given."
    many = len(report["segments"])
    weaker = sum(segment["is_weaker"] for segment in report["segments"])
    wrong = sum(segment["is_miscalibrated"] for segment in report["segments"])
    ranks = f"less well in {weaker} of {many} segments" if weaker else "in no segment less well"
    scored = f"{wrong} of {many} {'is' if wrong == 1 else 'are'}" if wrong else "none is"
    second = f"It ranks {ranks} than among all customers; {scored} scored too high or too low."
    return "warn" if weaker or wrong else "good", first, second


def compared(candidates: Report) -> Iterator[tuple[str, list[Cell]]]:
    """Yield the name of each metric, with a cell for each candidate.

    Figures that read the same are best together; none is where all candidates are alike.
    """
    measured = [c["metrics"] for c in candidates.values()]
    for name in dict.fromkeys([*METRICS, *(name for m in measured for name in m)]):
        values = [m[name]["value"] for m in measured if m.get(name)]
        if not values:
            continue
        best = number((min if name in LOWER_IS_BETTER else max)(values), name)
        figures = [m.get(name) for m in measured]
        texts = [number(f["value"], name) if f else "none" for f in figures]
        is_one_better = len(set(texts)) > 1
        yield (
            metric_name(name),
            [
                Cell(text, interval(f, name) if f else "", is_one_better and text == best)
                for text, f in zip(texts, figures, strict=True)
            ],
        )


def told(comparison: Report) -> tuple[bool, str, str]:
    """Return whether a paired comparison shows a difference, what it shows, and its interval.

    The difference is the candidate's figure minus the other's.
    """
    metric, difference = comparison["metric"], comparison["difference"]
    if difference["low"] <= 0 <= difference["high"]:
        low, middle, high = (signed(difference[end], metric, 1) for end in charts.ENDS)
        return False, f"no clear difference, {middle}", f"{low} to {high}"
    # Of a loss less is better: its interval is turned around with its sign.
    amounts = sorted(abs(difference[end]) for end in charts.ENDS)
    low, middle, high = (number(amount, metric, 1) for amount in amounts)
    is_better = (difference["value"] > 0) != (metric in LOWER_IS_BETTER)
    return True, f"{'better' if is_better else 'worse'} by {middle}", f"{low} to {high}"


def grouped(named: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Return what has the same name together, in the order in which it came."""
    groups: dict[str, list[Any]] = {}
    for name, each in named:
        groups.setdefault(name, []).append(each)
    return groups


def steps(example: Report) -> tuple[list[Step], list[Report]]:
    """Return the way from the base to an example's score, and the columns that have no step of
    their own: they are one step together, with what the score has beside contributions."""
    parts = example["contributions"]
    # One that is left over has a step, too.
    end = STEPS if len(parts) > STEPS + 1 else len(parts)
    shown, others = parts[:end], parts[end:]
    listed = [(f"{plain(c['column'])}: {value_of(c['value'], c['column'])}", c["log_odds"])
              for c in shown]  # fmt: skip
    score = min(max(example["probability"], 1e-6), 1 - 1e-6)
    rest = math.log(score / (1 - score)) - example["base"] - sum(c["log_odds"] for c in shown)
    if others or abs(rest) >= 0.005:
        listed.append((f"{len(others)} others" if others else "everything else", rest))
    places = charts.waterfall(example["base"], [amount for _, amount in listed])
    return [Step(*named, *at) for named, at in zip(listed, places, strict=True)], others


def metric_name(metric: str) -> str:
    return METRICS.get(metric, plain(metric))


def number(value: float, metric: str = "", more: int = 0) -> str:
    """Return a value with the digits that its metric bears, or some more, four at most.

    metric: a name of METRICS, "log_odds", or "points" for shares of 1 that are told in percent.
    """
    if metric.startswith("capture"):
        return percent(value)
    is_short = metric.startswith("lift") or metric in {"log_odds", "points"}
    decimals = 2 if is_short else 4 if metric in LOWER_IS_BETTER else 3
    text = f"{value * (100 if metric == 'points' else 1):,.{min(decimals + more, 4)}f}"
    return text.replace("-", MINUS) if re.search("[1-9]", text) else text.lstrip("-")


def signed(value: float, metric: str = "", more: int = 0) -> str:
    """Return a value with its sign; one that is written as 0 has none."""
    text = number(abs(value), metric, more)
    return f"{'+' if value > 0 else MINUS}{text}" if re.search("[1-9]", text) else text


def interval(figure: Figure, metric: str = "") -> str:
    """Return the interval of a figure in words, the unit once."""
    low, high = number(figure["low"], metric), number(figure["high"], metric)
    return f"{low.removesuffix(f'{SPACE}%')} to {high}"


def percent(share: float) -> str:
    return f"{100 * share:.1f}{SPACE}%".replace("-", MINUS)


def power(value: float) -> str:
    """Return a small number as people write it: digits and a power of ten."""
    if value == 0:
        return "0"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}{SPACE}{TIMES}{SPACE}10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def plain(name: object) -> str:
    """Return a name as people say it: without underscores, and without is_ and has_."""
    return re.sub(r"^(is|has)_", "", str(name)).replace("_", " ")


def value_of(value: object, column: str = "") -> str:
    """Return a value as people say it; those of columns that ask a question are yes and no."""
    if value is None:
        return "missing"
    if column.startswith(("is_", "has_")):
        text = str(value).lower().removesuffix(".0")
        return {"1": "yes", "0": "no", "true": "yes", "false": "no"}.get(text, plain(value))
    return f"{value:,.6g}".replace("-", MINUS) if isinstance(value, float) else plain(value)


def breakable(name: object) -> Markup:
    """Return a name that lines may break after a dot, an underscore or a hyphen of."""
    return Markup(re.sub(r"([._-])(?=[^._-])", r"\1<wbr>", str(escape(name))))  # noqa: S704
