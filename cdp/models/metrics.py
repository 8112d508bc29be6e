"""Figures of probabilities against labels, with bootstrap intervals.

A resample is a weight for each row, so that rows are sorted once and a figure costs one pass.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

SHARES = (1, 5, 10, 20)
BINS = 10
RESAMPLES = 500
NAMES = (
    "roc_auc",
    "pr_auc",
    "brier",
    "log_loss",
    "ece",
    *(f"lift_{share}" for share in SHARES),
    *(f"capture_{share}" for share in SHARES),
)
LOWER_IS_BETTER = {"brier", "log_loss", "ece"}


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def json(self) -> dict[str, float]:
        return asdict(self)


class Judged:
    """Labels and probabilities of n rows, in the order of falling probability.

    labels: 0 or 1, shape (n,). probabilities: shape (n,).
    """

    def __init__(self, labels: Labels, probabilities: Floats) -> None:
        self.order = np.argsort(-probabilities, kind="stable")
        p = probabilities[self.order]
        self.y = labels[self.order].astype(np.float64)
        # The last row of each run of equal probabilities.
        self.ends = np.flatnonzero(np.append(p[1:] != p[:-1], True))
        self.ties = np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=-1))
        clipped = np.clip(p, 1e-15, 1 - 1e-15)
        self.squares = (p - self.y) ** 2
        self.losses = -(self.y * np.log(clipped) + (1 - self.y) * np.log1p(-clipped))
        self.p = p
        # Bins of equally many rows.
        self.bins = np.arange(len(p)) * BINS // max(len(p), 1)

    def figures(self, weights: Floats | None = None) -> dict[str, float]:
        """Return each figure by its name. weights: of the rows as they were given; 1 by default."""
        w = self._weights(weights)
        positives = np.cumsum(w * self.y)
        rows = np.cumsum(w)
        found = self._ranked(positives[self.ends], rows[self.ends])
        total = rows[-1]
        found["brier"] = float(w @ self.squares / total)
        found["log_loss"] = float(w @ self.losses / total)
        # Rows of one probability have the share of all of them, whatever their order.
        weighed = np.maximum(np.bincount(self.ties, w), 1e-12)
        share = (np.bincount(self.ties, w * self.y) / weighed)[self.ties]
        gaps = np.bincount(self.bins, w * (self.p - share), minlength=BINS)
        found["ece"] = float(np.abs(gaps).sum() / total)
        for percent in SHARES:
            # Rows of one probability that lie across the edge count in part.
            at = np.append(0, rows[self.ends])
            reached = np.interp(percent / 100 * total, at, np.append(0, positives[self.ends]))
            captured = float(reached / positives[-1]) if positives[-1] else float("nan")
            found[f"capture_{percent}"] = captured
            found[f"lift_{percent}"] = captured * 100 / percent
        return {name: found[name] for name in NAMES}

    def roc_auc(self, weights: Floats | None = None) -> float:
        """Return the area under the ROC curve alone. weights: as of `figures`."""
        w = self._weights(weights)
        return self._ranked(np.cumsum(w * self.y)[self.ends], np.cumsum(w)[self.ends])["roc_auc"]

    def _weights(self, weights: Floats | None) -> Floats:
        return np.ones(len(self.y)) if weights is None else weights[self.order]

    def expected_roc_auc(self) -> float:
        """Return the ROC-AUC that labels drawn with these probabilities would give: what their
        spread allows."""
        rows: Floats = self.ends.astype(np.float64) + 1
        return self._ranked(np.cumsum(self.p)[self.ends], rows)["roc_auc"]

    @staticmethod
    def _ranked(positives: Floats, rows: Floats) -> dict[str, float]:
        """Areas under both curves. positives, rows: at or above each distinct probability."""
        all_positives, negatives = positives[-1], rows - positives
        if all_positives == 0 or negatives[-1] == 0:
            return {"roc_auc": float("nan"), "pr_auc": float("nan")}
        steps = np.diff(negatives, prepend=0)
        below = np.append(0, positives[:-1])
        area = (steps * (positives + below)).sum() / 2
        gained = np.diff(positives, prepend=0) / all_positives
        precision = positives / np.maximum(rows, 1e-12)
        return {
            "roc_auc": float(area / (all_positives * negatives[-1])),
            "pr_auc": float((gained * precision).sum()),
        }


def resamples(groups: NDArray[np.int64], count: int, seed: int) -> list[Floats]:
    """Return weights of resamples that draw whole groups, such as customers, with replacement.

    groups: the number of each row's group, from 0, shape (n,). Each result has shape (n,).
    """
    generator = np.random.default_rng(seed)
    n = int(groups.max()) + 1
    return [
        np.bincount(generator.integers(0, n, n), minlength=n)[groups].astype(np.float64)
        for _ in range(count)
    ]


def interval(value: float, drawn: Floats, is_biased: bool = False) -> Figure:
    """Return a value with the middle 95 % of what resamples gave.

    is_biased: whether resamples give more than the rows themselves, as of ECE, since repeated rows
    look less calibrated than they are: then the interval is moved to have the value as its mean.
    """
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Figure(value, float("nan"), float("nan"))
    low, high = np.percentile(drawn, [2.5, 97.5])
    if is_biased:
        low, high = np.maximum(np.array([low, high]) + (value - drawn.mean()), 0)
    return Figure(value, float(low), float(high))


def judge(
    labels: Labels, probabilities: Floats, weights: list[Floats]
) -> tuple[dict[str, Figure], dict[str, Floats]]:
    """Return the figures of a candidate, and those of each resample by name.

    probabilities: shape (n,), or (n, s): of s repetitions, over which each figure is averaged.
    """
    columns = np.atleast_2d(probabilities.T)
    judged = [Judged(labels, column) for column in columns]

    def mean(w: Floats | None) -> dict[str, float]:
        each = [one.figures(w) for one in judged]
        return {name: float(np.mean([f[name] for f in each])) for name in NAMES}

    whole = mean(None)
    drawn = [mean(w) for w in weights]
    by_name = {name: np.array([d[name] for d in drawn]) for name in NAMES}
    found = {name: interval(whole[name], by_name[name], name == "ece") for name in NAMES}
    return found, by_name


def difference(
    name: str,
    one: tuple[Mapping[str, Figure], Mapping[str, Floats]],
    other: tuple[Mapping[str, Figure], Mapping[str, Floats]],
) -> Figure:
    """Return by how much a figure of one candidate exceeds the other's, on the same resamples."""
    return interval(one[0][name].value - other[0][name].value, one[1][name] - other[1][name])
