"""What a model card shows: curves, importance, partial dependence, segments and examples."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cdp.models import metrics
from cdp.models.metrics import Floats, Judged, Labels
from cdp.models.model import ChurnModel, sigmoid

if TYPE_CHECKING:
    from cdp.models.problem import Problem

POINTS = 100
# Rows that contributions and partial dependence are computed of.
EXPLAINED, PARTIAL = 5_000, 1_000
GRID = 12
MOST_PARTIAL = 9
SMALLEST_SEGMENT, FEWEST_OF_A_CLASS = 100, 20
RESAMPLES = 200


@dataclass(frozen=True)
class HeldOut:
    """Rows that were judged and not trained on.

    rows: their positions in the training set. frame: features. probabilities: shape (n, s) of s
    repetitions. weights: resamples.
    """

    rows: NDArray[np.int64]
    frame: pd.DataFrame
    labels: Labels
    probabilities: Floats
    weights: list[Floats]

    @property
    def mean(self) -> Floats:
        averaged: Floats = self.probabilities.mean(axis=1)
        return averaged


def curves(held_out: HeldOut) -> dict[str, list[list[float]]]:
    """Return the points of the ROC, precision-recall, calibration and lift curves."""
    judged = Judged(held_out.labels, held_out.mean)
    positives = np.cumsum(judged.y)[judged.ends]
    rows = judged.ends + 1.0
    negatives = rows - positives
    recall = positives / positives[-1]
    # Evenly, and closer where scores are highest: there precision changes fastest.
    steps = np.append(np.linspace(1, len(rows), POINTS), np.geomspace(1, len(rows), POINTS))
    at = np.unique(steps.astype(int) - 1)
    roc = np.column_stack([negatives / negatives[-1], recall])[at]
    precision = np.column_stack([recall, positives / rows])[at]
    shares = np.array([0.005, 0.01, 0.02, *np.linspace(0.05, 1, 20)])
    reached = np.interp(shares * rows[-1], np.append(0, rows), np.append(0, positives))
    captured = reached / positives[-1]
    return {
        "roc": [[0.0, 0.0], *_rounded(roc)],
        "precision_recall": _rounded(precision),
        "calibration": _calibration(judged),
        "lift": _rounded(np.column_stack([shares, captured / shares, captured])),
    }


def _calibration(judged: Judged) -> list[list[float]]:
    """Mean prediction, share that left with its interval (Wilson's), and rows, of each bin."""
    found = []
    for number in reversed(range(metrics.BINS)):
        rows = judged.bins == number
        count = int(rows.sum())
        if not count:
            continue
        share = float(judged.y[rows].mean())
        z = 1.96
        middle = (share + z * z / (2 * count)) / (1 + z * z / count)
        half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
        half = float(half / (1 + z * z / count))
        found.append([float(judged.p[rows].mean()), share, middle - half, middle + half, count])
    return _rounded(np.array(found))


def _rounded(points: Floats) -> list[list[float]]:
    return [[round(float(v), 5) for v in point] for point in points]


def importance(model: ChurnModel, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the mean absolute contribution of each feature in log-odds, the largest first."""
    found = np.abs(model.contributions(_some(frame, EXPLAINED)))[:, :-1].mean(axis=0)
    order = np.argsort(-found)
    return [{"column": model.columns[i], "mean_absolute": round(float(found[i]), 5)} for i in order]


def partial_dependence(
    model: ChurnModel, frame: pd.DataFrame, problem: "Problem", columns: list[str]
) -> list[dict[str, Any]]:
    """Return the mean probability as one feature takes each of its values, and no other changes."""
    rows = _some(frame, PARTIAL)
    found = []
    for column in columns[:MOST_PARTIAL]:
        kind = problem.columns[column]
        values: list[Any]
        if kind == "numeric":
            quantiles = np.linspace(0.02, 0.98, GRID)
            values = sorted({float(v) for v in frame[column].quantile(quantiles).dropna()})
        elif kind == "boolean":
            values = [0.0, 1.0]
        else:
            values = sorted(frame[column].dropna().unique())
        points = []
        for value in values:
            changed = rows.assign(**{column: value})
            shown = {0.0: "no", 1.0: "yes"}[value] if kind == "boolean" else value
            points.append([shown, round(float(model.probability(changed).mean()), 5)])
        shape = "numeric" if kind == "numeric" else "categorical"
        found.append({"column": column, "kind": shape, "points": points})
    return found


def segments(held_out: HeldOut, problem: "Problem") -> list[dict[str, Any]]:
    """Return how good the model is for each value of the segments' columns.

    Numbers are cut at their quartiles. is_weaker: the interval of its ROC-AUC is below what labels
    drawn with its own probabilities would give; the whole's is no measure, since customers of a
    segment resemble one another. is_miscalibrated: the interval of its calibration gap does not
    hold 0, and the gap is beyond .02.
    """
    found = []
    for column in problem.segments:
        for value, rows in _values(held_out.frame[column], problem.columns[column]):
            labels, p = held_out.labels[rows], held_out.mean[rows]
            count, positives = int(rows.sum()), int(labels.sum())
            if count < SMALLEST_SEGMENT:
                continue
            one: dict[str, Any] = {"column": column, "value": value}
            one |= {"rows": count, "positives": positives}
            weights = [w[rows] for w in held_out.weights[:RESAMPLES]]
            gaps = np.array([w @ (p - labels) / max(w.sum(), 1) for w in weights])
            gap = metrics.interval(float((p - labels).mean()), gaps)
            area, expected = None, None
            if min(positives, count - positives) >= FEWEST_OF_A_CLASS:
                judged = Judged(labels, p)
                drawn = np.array([judged.roc_auc(w) for w in weights])
                area = metrics.interval(judged.roc_auc(), drawn)
                expected = judged.expected_roc_auc()
            one["roc_auc"] = area.json() if area else None
            one["calibration_gap"] = gap.json()
            one["expected_roc_auc"] = expected
            one["is_weaker"] = bool(area and expected and area.high < expected)
            one["is_miscalibrated"] = bool(gap.low * gap.high > 0 and abs(gap.value) > 0.02)
            found.append(one)
    return found


def _values(values: "pd.Series[Any]", kind: str) -> list[tuple[str, NDArray[np.bool_]]]:
    missing = values.isna().to_numpy()
    last = [("missing", missing)] if missing.any() else []
    if kind != "numeric":
        shown = {0.0: "no", 1.0: "yes"} if kind == "boolean" else {}
        return [
            (str(shown.get(value, value)), (values == value).to_numpy())
            for value in sorted(values.dropna().unique())
        ] + last
    found = []
    edges = [float(e) for e in np.unique(values.quantile([0, 0.25, 0.5, 0.75, 1]).dropna())]
    for low, high in pairwise(edges):
        first = low == edges[0]
        rows = (values >= low if first else values > low) & (values <= high)
        found.append(
            (f"{low:g} to {high:g}" if first else f"over {low:g} to {high:g}", rows.to_numpy())
        )
    return found + last


def examples(model: ChurnModel, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return customers of high, middle and low risk, with what each feature adds to log-odds."""
    rows = _some(frame, EXPLAINED)
    order = np.argsort(model.probability(rows))
    chosen = {
        "a customer at high risk": order[int(0.99 * len(order))],
        "a customer at the median risk": order[len(order) // 2],
        "a customer at low risk": order[int(0.01 * len(order))],
    }
    found = []
    for title, position in chosen.items():
        one = rows.iloc[[int(position)]]
        parts = model.contributions(one)[0]
        listed = [
            {"column": c, "value": _shown(one[c].iloc[0]), "log_odds": round(float(v), 5)}
            for c, v in zip(model.columns, parts[:-1], strict=True)
        ]
        found.append(
            {
                "title": title,
                "probability": round(float(sigmoid(parts.sum())), 5),
                "base": round(float(parts[-1]), 5),
                "contributions": sorted(listed, key=_size),
            }
        )
    return found


def _size(part: dict[str, Any]) -> float:
    return -abs(float(part["log_odds"]))


def _shown(value: Any) -> str:  # noqa: ANN401
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "missing"
    return value if isinstance(value, str) else f"{value:g}"


def _some(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    return frame if len(frame) <= rows else frame.sample(rows, random_state=0)
