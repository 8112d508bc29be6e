"""Judge every estimator, fit the best, explain it, prove its ONNX file, write it to a folder."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cdp.errors import CdpError
from cdp.models import card, figures, hashes, judging, leakage, metrics, onnx_file
from cdp.models import training_set as sets
from cdp.models.estimators import ESTIMATORS
from cdp.models.figures import HeldOut
from cdp.models.fitting import How
from cdp.models.judging import Asked, Candidate
from cdp.models.metrics import Figure
from cdp.models.model import ChurnModel
from cdp.models.problem import Folds, Problem
from cdp.models.training_set import TrainingSet
from cdp.models.truth import Truth, compare
from cdp.models.tune import Tuned, tune

Say = Callable[[str], None]
COMPARED = ("roc_auc", "pr_auc", "brier", "log_loss")
# By how much the parts of a row's log-odds may miss their sum.
ADDITIVE = 1e-6


def train(  # noqa: PLR0913, PLR0917 - what it is made of, and where to
    given: TrainingSet,
    model_id: str,
    folder: Path,
    asked: Asked,
    say: Say,
    truth: Truth | None = None,
) -> dict[str, Any]:
    """Train on a set, and write all files of a model version to a folder. Returns the report.

    truth: of the generated population that the set is of, to compare with.

    Raises CdpError when the set is useless or leaks, when the result is too good to be honest, or
    when ONNX answers otherwise: then the folder is not complete, and nothing is registered.
    """
    problem = given.problem
    manifest = sets.manifest(given, model_id, _options(asked))
    leakage.check(given)
    say(f"{given.table.num_rows:,} rows, {int(given.labels.sum()):,} positive; no column leaks")
    asked = truth.without_unseen(asked) if truth else asked
    candidates = judging.judge(given, asked, say)
    best = min(candidates, key=lambda name: candidates[name].figures["log_loss"].value)
    chosen = candidates[best]
    refuse_implausible(problem, candidates)
    known = compare(given, chosen.held_out, truth) if truth else None
    say(f"{best} has the lowest log loss: tuning and fitting it on all rows")
    model, tuned = final(given, best, chosen, model_id, asked)
    candidates[best] = replace(chosen, tuned=tuned)
    require_additive(model, chosen.held_out)
    content = onnx_file.export(model)
    parity = onnx_file.compare(model, content, given.frame)
    onnx_file.require_parity(parity)
    say(f"ONNX: {parity.rows:,} rows differ by {parity.largest_difference:.1e} at most")
    # Customers, dates and labels alone: models with other features can be compared.
    judged = given.table.take(pa.array(chosen.held_out.rows))
    manifest["evaluated_hash"] = hashes.hash_rows(
        judged.select([problem.key, problem.as_of, problem.target])
    )
    report = describe(given, model, best, candidates, asked)
    report |= {"parity": asdict(parity), "ceiling": known}
    save(folder, model, content, report, manifest, chosen.held_out, given)
    return report


def _options(asked: Asked) -> list[str]:
    """The options of `cdp train` that this is."""
    chosen = [] if tuple(asked.estimators) == tuple(ESTIMATORS) else asked.estimators
    named = [word for name in chosen for word in ("--estimator", name)]
    return [*named, "--trials", str(asked.trials)]


def refuse_implausible(problem: Problem, candidates: dict[str, Candidate]) -> None:
    """Raise CdpError when a ROC-AUC is above what any honest model of the problem reaches."""
    for name, candidate in candidates.items():
        found = candidate.figures["roc_auc"].value
        if not found <= problem.ceiling.roc_auc:
            raise CdpError(
                f"leakage: {name} reaches a ROC-AUC of {found:.3f}, and honest models of "
                f"{problem.problem} stay below {problem.ceiling.roc_auc}; nothing is registered",
                "look at the columns that were added last: one of them knows the label",
            )


def final(
    given: TrainingSet, name: str, chosen: Candidate, model_id: str, asked: Asked
) -> tuple[ChurnModel, Tuned]:
    """Fit an estimator on all rows. A split by time has tuned it already; folds each had their own
    parameters, so it is tuned again."""
    problem = given.problem
    how = How(problem.split.seeds[0], asked.jobs)
    part = judging.part_of(given, np.arange(len(given.labels)))
    tuned = chosen.tuned
    if isinstance(problem.split, Folds):
        tuned = tune(name, judging.fewer(part, how.seed), problem, asked.trials, how)
    return judging.fitted_model(model_id, problem, name, part, tuned, how), tuned


def require_additive(model: ChurnModel, held_out: HeldOut) -> None:
    """Raise CdpError when contributions do not add up to the log-odds."""
    rows = held_out.frame.iloc[: figures.EXPLAINED]
    gaps = np.abs(model.contributions(rows).sum(axis=1) - model.log_odds(rows))
    if not gaps.max() <= ADDITIVE:
        raise CdpError(
            f"the contributions miss the log-odds by up to {gaps.max():.1e}; nothing is registered",
            "report it: cdp/models/estimators.py explains this estimator wrongly",
        )


def describe(
    given: TrainingSet,
    model: ChurnModel,
    best: str,
    candidates: dict[str, Candidate],
    asked: Asked,
) -> dict[str, Any]:
    """Return the report of a model: docs/models.md says what it holds."""
    problem, chosen = given.problem, candidates[best]
    held_out = chosen.held_out
    listed = figures.importance(model, held_out.frame)
    columns = [one["column"] for one in listed]
    return {
        "problem": problem.problem,
        "target": problem.target,
        "description": problem.description,
        "estimator": best,
        "model_id": model.model_id,
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "rows": given.table.num_rows,
        "positives": int(given.labels.sum()),
        "protocol": protocol(problem, len(held_out.labels), asked),
        "as_of_dates": [str(date) for date in np.unique(given.dates)],
        "candidates": {name: _candidate(one) for name, one in candidates.items()},
        "comparisons": [
            {"candidate": best, "other": other, "metric": metric, "difference": found.json()}
            for other, one in candidates.items()
            if other != best
            for metric in COMPARED
            if (found := _difference(metric, chosen, one))
        ],
        "curves": figures.curves(held_out),
        "importance": listed,
        "partial_dependence": figures.partial_dependence(model, held_out.frame, problem, columns),
        "segments": figures.segments(held_out, problem),
        "examples": figures.examples(model, held_out.frame),
    }


def protocol(problem: Problem, judged: int, asked: Asked) -> str:
    """Say in words how the figures were found."""
    split = problem.split
    if isinstance(split, Folds):
        return (
            f"nested cross-validation: {len(split.seeds)} seeds by {split.folds} folds of "
            f"customers, parameters tuned in each training part with {asked.trials} trials"
        )
    return (
        f"{judged:,} rows of {split.judged_share_of_customers:.0%} of the customers on the last "
        f"{split.judged_share_of_dates:.0%} of the as-of dates; trained on the others until "
        f"{split.purge_days} days before; {asked.trials} trials"
    )


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "metrics": {name: figure.json() for name, figure in one.figures.items()},
        "calibration": asdict(one.tuned.calibration),
        "parameters": one.tuned.parameters | {"rounds": one.tuned.rounds},
        "seconds": round(one.seconds, 1),
    }


def _difference(metric: str, one: Candidate, other: Candidate) -> Figure:
    return metrics.difference(metric, (one.figures, one.drawn), (other.figures, other.drawn))


def save(  # noqa: PLR0913, PLR0917 - all that a version has
    folder: Path,
    model: ChurnModel,
    content: bytes,
    report: dict[str, Any],
    manifest: dict[str, Any],
    held_out: HeldOut,
    given: TrainingSet,
) -> None:
    """Write the files of a model version. Raises CdpError when the disk does not take them."""
    import joblib

    try:
        folder.mkdir(parents=True, exist_ok=True)
        joblib.dump(model, folder / "model.joblib")
        (folder / "model.onnx").write_bytes(content)
        (folder / "report.json").write_text(json.dumps(report, indent=1, allow_nan=False))
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
        customers = given.groups[held_out.rows]
        columns = {"row": held_out.rows, "customer": customers, "label": held_out.labels}
        columns |= {f"p{n}": p for n, p in enumerate(held_out.probabilities.T)}
        pq.write_table(pa.table(columns), folder / "predictions.parquet")
        keys = hashes.hash_each(given.table.select([given.problem.key]))
        rows = {"key": keys, "row": hashes.hash_each(given.table)}
        pq.write_table(pa.table(rows), folder / "rows.parquet")
        card.write(report, manifest, folder / "card.html")
    except ValueError as error:
        raise CdpError(f"a figure of the report is not a number: {error}", "report it") from error
    except OSError as error:
        raise CdpError(
            f"the model cannot be written to {folder}: {error.strerror}; nothing is registered",
            "free some space, or choose another folder with --folder",
        ) from error
