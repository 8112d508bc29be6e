"""The gate of a promotion: what a challenger must show, read from the files of two versions.

Nothing here knows the registry: a version is a folder with report.json, manifest.json and
predictions.parquet. Figures of a report are value, low and high of a 95 % interval.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdp.errors import CdpError
from cdp.models.metrics import RESAMPLES, Figure, Floats, Judged, Labels, interval, resamples

Integers = NDArray[np.int64]

# The files of a version that are read here.
FILES = ("report.json", "manifest.json", "predictions.parquet")

# The most of ROC-AUC that the interval of the difference may reach below zero.
LOST = 0.002
# The lowest expected calibration error that the interval must reach, and the standard errors that
# the mean probability may be away from the share of positives.
MISCALIBRATED, STANDARD_ERRORS = 0.02, 3.0
# The largest difference of a probability between the Python model and ONNX.
DIFFERENT = 2e-6
# Sums of the same figures in another order differ by less.
ROUNDING = 1e-12
SEED = 20_240_607
NAMED = 3


@dataclass(frozen=True)
class Check:
    """One thing that a challenger must show; words: a line with the figures."""

    name: str
    passed: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """What came of the checks, in their order."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> str:
        """The names of the checks that failed; empty when there are none."""
        return ", ".join(check.name for check in self.checks if not check.passed)

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "checks": [asdict(check) for check in self.checks]}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "Verdict":
        """Return what `as_json` has told."""
        return cls(tuple(Check(c["name"], c["passed"], c["words"]) for c in told["checks"]))


def judge(champion: Path | None, challenger: Path) -> Verdict:
    """Judge a challenger against the champion; without one, by itself alone.

    Raises CdpError when a file is missing or damaged, or the two are of different problems.
    """
    new = _Version(challenger)
    if champion is None:
        return Verdict((_calibrated(new), _parity(new)))
    old = _Version(champion)
    for key in ("problem", "target"):
        if old.told(key) != new.told(key):
            raise CdpError(
                f"{new.told('model_id')} is a model of {key} {new.told(key)}, "
                f"and {old.told('model_id')} of {old.told(key)}",
                "compare versions of one problem",
            )
    return Verdict((_better(old, new), _calibrated(new), _segments(old, new), _parity(new)))


class _Version:
    """The files of a version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._report = self._json("report.json")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / name).read_bytes())
        except (OSError, ValueError) as error:
            raise self._unreadable(name) from error
        if not isinstance(found, dict):
            raise self._unreadable(name)
        return found

    def _unreadable(self, name: str) -> CdpError:
        fix = "train the model again: cdp train"
        return CdpError(f"{self._folder / name} is missing or damaged", fix)

    def told(self, *keys: str) -> Any:  # noqa: ANN401 - whatever the report has there
        """Return what the report has below these keys. Raises CdpError when it has nothing."""
        found: Any = self._report
        for key in keys:
            if not isinstance(found, dict) or key not in found:
                raise CdpError(
                    f"{self._folder / 'report.json'} has no {'.'.join(keys)}",
                    "train the model again: cdp train",
                )
            found = found[key]
        return found

    def metric(self, name: str) -> Figure:
        """Return a figure of the chosen estimator."""
        return _figure(self.told("candidates", self.told("estimator"), "metrics", name))

    @cached_property
    def evaluated_hash(self) -> str | None:
        """The hash of the rows that it was evaluated on."""
        return self._json("manifest.json").get("evaluated_hash")

    @cached_property
    def segments(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The segments of the report, by column and value."""
        return {(s["column"], str(s["value"])): s for s in self.told("segments")}

    @cached_property
    def predictions(self) -> tuple[Labels, Floats, Integers]:
        """Labels, shape (n,), probabilities, shape (n, seeds), and the number of each row's
        customer, from 0, in the order of `row`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(self._folder / "predictions.parquet").sort_by("row")
            names = [n for n in table.column_names if n[:1] == "p" and n[1:].isdigit()]
            labels = table["label"].to_numpy().astype(np.int8)
            probabilities = np.column_stack([table[n].to_numpy() for n in names])
            customers = np.unique(table["customer"].to_numpy(), return_inverse=True)[1]
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise self._unreadable("predictions.parquet") from error
        if not len(labels) or not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise self._unreadable("predictions.parquet")
        return labels, probabilities.astype(np.float64), customers


def _better(old: _Version, new: _Version) -> Check:
    name = "not worse"
    if not new.evaluated_hash or old.evaluated_hash != new.evaluated_hash:
        return _unpaired(name, old, new)
    labels, before, customers = old.predictions
    same, after, _ = new.predictions
    if not np.array_equal(labels, same):
        return Check(name, False, "the labels differ, though both name the same evaluated rows")
    area, loss = _paired(labels, before, after, customers)
    return Check(
        name,
        area.low >= -LOST and loss.value <= ROUNDING,
        f"on the same {len(labels):,} rows ROC-AUC {_change(area)}, at least {-LOST:.3f} at its "
        f"low end; log loss {_change(loss)}, at most 0",
    )


def _paired(
    labels: Labels, before: Floats, after: Floats, customers: Integers
) -> tuple[Figure, Figure]:
    """By how much ROC-AUC and log loss have grown, each averaged over seeds, with the middle 95 %
    of the differences on the same resamples of customers. before, after: (n, seeds of each)."""
    sides = [[Judged(labels, column) for column in one.T] for one in (before, after)]
    lost = _losses(labels, after) - _losses(labels, before)

    def grown(weights: Floats) -> tuple[float, float]:
        old, new = (np.mean([one.roc_auc(weights) for one in side]) for side in sides)
        return float(new - old), float(weights @ lost / weights.sum())

    # One at a time: all of them would not fit into memory for a large population.
    drawn = np.array([grown(resamples(customers, 1, SEED + n)[0]) for n in range(RESAMPLES)])
    area, loss = grown(np.ones(len(labels)))
    return interval(area, drawn[:, 0]), interval(loss, drawn[:, 1])


def _losses(labels: Labels, probabilities: Floats) -> Floats:
    """The log loss of each row, shape (n,), averaged over seeds."""
    told = np.where(labels[:, None] == 1, probabilities, 1 - probabilities)
    found: Floats = -np.log(np.clip(told, 1e-15, None)).mean(axis=1)
    return found


def _unpaired(name: str, old: _Version, new: _Version) -> Check:
    """On different rows chance alone moves figures: the difference must not lie beyond it."""
    area = _apart(old.metric("roc_auc"), new.metric("roc_auc"))
    loss = _apart(old.metric("log_loss"), new.metric("log_loss"))
    return Check(
        name,
        area.high >= 0 and loss.low <= 0,
        f"evaluated on other rows than the champion, so by the reported figures: ROC-AUC "
        f"{_change(area)}, log loss {_change(loss)}; neither worse beyond chance is enough",
    )


def _apart(old: Figure, new: Figure) -> Figure:
    """Return the difference of two independent figures, with its interval."""
    half = math.hypot((old.high - old.low) / 2, (new.high - new.low) / 2)
    return Figure(new.value - old.value, new.value - old.value - half, new.value - old.value + half)


def _calibrated(new: _Version) -> Check:
    ece = new.metric("ece")
    labels, probabilities, customers = new.predictions
    observed, predicted = float(labels.mean()), float(probabilities.mean())
    # Rows of one customer go together: the error is that of customers' sums.
    gaps = np.bincount(customers, labels - probabilities.mean(axis=1))
    error = math.sqrt(float(((gaps - gaps.mean()) ** 2).sum())) / len(labels)
    apart = abs(predicted - observed)
    return Check(
        "calibrated",
        ece.low <= MISCALIBRATED and apart <= STANDARD_ERRORS * error + ROUNDING,
        f"expected calibration error {_text(ece)}, at most {MISCALIBRATED} at its low end; mean "
        f"predicted {predicted:.4f}, observed {observed:.4f}: {apart:.4f} apart, at most "
        f"{STANDARD_ERRORS * error:.4f}",
    )


def _segments(old: _Version, new: _Version) -> Check:
    worse = []
    compared = 0
    for key, segment in new.segments.items():
        was = old.segments.get(key)
        if not was or not was["roc_auc"] or not segment["roc_auc"]:
            continue
        compared += 1
        before, after = _figure(was["roc_auc"]), _figure(segment["roc_auc"])
        half = (before.high - before.low) / 2
        if not before.value - after.value <= half + ROUNDING:
            words = f"ROC-AUC {after.value:.3f} after {before.value:.3f}, ± {half:.3f}"
            worse.append(f"{'='.join(key)}: {words}")
    ill = [
        f"{'='.join(key)}: mean predicted minus observed {_text(_figure(s['calibration_gap']))}"
        for key, s in new.segments.items()
        if s["is_miscalibrated"] and not old.segments.get(key, {}).get("is_miscalibrated")
    ]
    if not compared and any(one["roc_auc"] for one in old.segments.values()):
        return Check("segments", False, "none of the champion's segments can be compared")
    found = [_listed("worse", worse), _listed("newly miscalibrated", ill)]
    words = "; ".join(text for text in found if text)
    none = f"none of {compared} is worse beyond its interval, and none newly miscalibrated"
    return Check("segments", not words, words or none)


def _listed(what: str, found: Sequence[str]) -> str:
    if not found:
        return ""
    rest = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{len(found)} {what}: {', '.join(found[:NAMED])}{rest}"


def _parity(new: _Version) -> Check:
    if not new.told("parity") or not new.told("parity", "rows"):
        return Check("parity", False, "ONNX was not compared with the Python model")
    rows, paths = new.told("parity", "rows"), new.told("parity", "other_paths")
    difference = new.told("parity", "largest_difference")
    return Check(
        "parity",
        paths == 0 and difference <= DIFFERENT,
        f"ONNX and the Python model on {rows:,} rows: {paths:,} took another path, at most 0; "
        f"largest difference {difference:.1e}, at most {DIFFERENT:.0e}",
    )


def _figure(told: Any) -> Figure:  # noqa: ANN401 - of JSON
    """A figure of a report; what is null there is not a number, which passes no check."""
    values = [(told or {}).get(key) for key in ("value", "low", "high")]
    return Figure(*(math.nan if value is None else float(value) for value in values))


def _text(figure: Figure) -> str:
    return f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"


def _change(figure: Figure) -> str:
    return f"{figure.value:+.4f} ({figure.low:+.4f} to {figure.high:+.4f})"
