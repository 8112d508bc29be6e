"""Parts of a model's report that nobody trained, with figures that agree with one another.

Scores of those who stayed and of those who left are two normal distributions of the same width: all
curves, lifts and areas follow from how far they are apart.
"""

from itertools import pairwise
from statistics import NormalDist
from typing import Any

NORMAL = NormalDist()
Json = dict[str, Any]
SHARES = (1, 5, 10, 20)
# How far the groups of the calibration curve are off.
OFF = (0.01, -0.008, 0.006, -0.011, 0.012, -0.01, 0.02, -0.018, 0.012, -0.02)


def figure(value: float, half: float, least: float = -1, digits: int = 5) -> Json:
    """A figure with an interval that is as wide on both sides, and not below the least."""
    low, high = max(value - half, least), value + half
    return {k: round(v, digits) for k, v in (("value", value), ("low", low), ("high", high))}


def found(area: float, base: float) -> list[tuple[float, float, float]]:
    """By falling threshold: the share of all above it, of those who stayed, of those who left."""
    points = [(0.0, 0.0, 0.0)]
    for step in range(1, 200):
        stayed = (step / 200) ** 2.2
        left = NORMAL.cdf(2**0.5 * NORMAL.inv_cdf(area) + NORMAL.inv_cdf(stayed))
        points.append((base * left + (1 - base) * stayed, stayed, left))
    return [*points, (1.0, 1.0, 1.0)]


def captured(area: float, base: float, share: float) -> float:
    """The share of those who left among the share of all with the highest scores."""
    curve = found(area, base)
    for (a, _, low), (b, _, high) in pairwise(curve):
        if a <= share <= b:
            return low + (high - low) * (share - a) / (b - a)
    return 1.0


def metrics(area: float, base: float, width: float) -> Json:
    curve = found(area, base)
    precise = [(left, base * left / share) for share, _, left in curve if share]
    steps = sum((b[0] - a[0]) * b[1] for a, b in pairwise(precise))
    below = precise[0][0] * precise[0][1] + steps
    gain = (2 * area - 1) ** 2
    told: Json = {
        "roc_auc": figure(area, width),
        "pr_auc": figure(below, 2.2 * width, 0),
        "brier": figure(base * (1 - base) * (1 - 0.64 * gain), width / 2),
        "log_loss": figure(0.577 * (1 - 0.58 * gain) * base / 0.265, width),
        "ece": figure((0.012 + width / 4) * base / 0.265, width * base),
    }
    for share in SHARES:
        reached = captured(area, base, share / 100)
        half = reached * 4.4 * width * (10 / share) ** 0.5
        told[f"lift_{share}"] = figure(reached / (share / 100), half / (share / 100))
        told[f"capture_{share}"] = figure(reached, half)
    return told


def curves(area: float, base: float, rows: int = 704) -> Json:
    """All curves; those of calibration are of ten groups of so many rows."""
    points = found(area, base)
    groups = []
    for n, off in enumerate(OFF):
        lower = captured(area, base, 1 - (n + 1) / 10)
        upper = captured(area, base, 1 - n / 10)
        told = base * (upper - lower) * 10
        came = min(max(told + off * (700 / rows * told) ** 0.5, 0), 1)
        half = 2 * (came * (1 - came) / rows) ** 0.5 + 0.7 / rows
        groups.append([told, came, max(came - half, 0), min(came + half, 1), rows])
    # The groups have as many who left as all have.
    missing = base - sum(group[1] for group in groups) / len(groups)
    groups = [[told, *(n + missing for n in found), rows] for told, *found, rows in groups]
    return {
        "roc": [[stayed, left] for _, stayed, left in points],
        "precision_recall": [[left, base * left / share] for share, _, left in points if share],
        "calibration": groups,
        "lift": [[share, left / share, left] for share, _, left in points if share > 0.002],
    }


def candidate(area: float, base: float, width: float, **parameters: float | None) -> Json:
    found = metrics(area, base, width)
    loss = found["log_loss"]["value"]
    losses = {"log_loss_before": loss, "log_loss_after": loss + 0.0004}
    return {
        "metrics": found,
        "calibration": {"is_chosen": False, "slope": 0.984, "intercept": -0.0113} | losses,
        "parameters": parameters,
        "seconds": 31.2,
    }


def segments(area: float, text: str) -> list[Json]:
    """Segments, a line each: column, value, rows, share that left, and ROC-AUC where there is one.

    Intervals are as wide as the rows make them; flags follow from the figures, and from the area of
    all. A value with an asterisk is scored too low.
    """
    listed = []
    for line in text.strip().splitlines():
        column, value, rows, rate, *areas = (part.strip() for part in line.split("|"))
        share, count = float(rate), int(rows)
        one: Json = {"column": column, "value": value.rstrip("*"), "rows": count}
        one |= {"positives": round(count * share), "roc_auc": None, "calibration_gap": None}
        if areas:
            wide = 2 * (share * (1 - share) / count) ** 0.5
            off = -1.7 if value.endswith("*") else (len(value) % 5 - 2) / 4
            one["roc_auc"] = figure(float(areas[0]), 0.42 / (count * share) ** 0.5)
            one["calibration_gap"] = figure(off * wide, wide)
        one["is_weaker"] = bool(areas) and one["roc_auc"]["high"] < area
        one["is_miscalibrated"] = value.endswith("*")
        listed.append(one)
    return listed


def compared(one: str, text: str) -> list[Json]:
    """Paired comparisons, a line each: the other, metric, difference, half of its interval."""
    rows = [line.split() for line in text.strip().splitlines()]
    return [
        {"candidate": one, "other": other, "metric": metric}
        | {"difference": figure(float(difference), float(half))}
        for other, metric, difference, half in rows
    ]


def example(title: str, probability: float, text: str) -> Json:
    """A customer: column, value and log-odds, separated by semicolons."""
    parts = [part.split() for part in text.split(";")]
    listed = [{"column": c, "value": v, "log_odds": float(amount)} for c, v, amount in parts]
    return {"title": title, "probability": probability, "base": -1.2, "contributions": listed}


def falling(column: str, *ends: float) -> Json:
    """A partial dependence by the first and the last value, and the scores there."""
    first, last, high, low = ends
    steps = [n / 12 for n in range(13)]
    points = [[first + (last - first) * s, low + (high - low) * (1 - s) ** 2.4] for s in steps]
    return {"column": column, "kind": "numeric", "points": points}


def bars(column: str, **scores: float) -> Json:
    return {"column": column, "kind": "categorical", "points": [[v, p] for v, p in scores.items()]}
