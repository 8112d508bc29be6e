"""Tuning on training rows alone: parameters, rounds and calibration by folds of customers."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cdp.models.encoding import Encoder
from cdp.models.estimators import ESTIMATORS
from cdp.models.fitting import Fitted, How, Parameters, Rows
from cdp.models.metrics import Floats, Labels
from cdp.models.problem import Problem

if TYPE_CHECKING:
    import optuna
    import pandas as pd

INNER_FOLDS = 3


@dataclass(frozen=True)
class Calibration:
    """Log-odds become slope * margin + intercept, where that made folds better that it was not
    fitted on. The losses are theirs."""

    is_chosen: bool
    slope: float
    intercept: float
    log_loss_before: float
    log_loss_after: float


@dataclass(frozen=True)
class Tuned:
    """What folds of the training rows have decided."""

    parameters: Parameters
    rounds: int | None
    calibration: Calibration


@dataclass(frozen=True)
class Part:
    """Rows of a set: features as `TrainingSet.frame`, labels, and the number of each customer."""

    frame: "pd.DataFrame"
    labels: Labels
    groups: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> "Part":
        return Part(self.frame[chosen], self.labels[chosen], self.groups[chosen])


def folds_of(groups: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return a fold for each row; all rows of a customer have the same one."""
    shuffled, numbers = _shuffled(groups, seed)
    folds: NDArray[np.int64] = (shuffled % count)[numbers]
    return folds


def share_of(groups: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Return a mask of all rows of a share of the customers."""
    shuffled, numbers = _shuffled(groups, seed)
    chosen: NDArray[np.bool_] = (shuffled < share * len(shuffled))[numbers]
    return chosen


def _shuffled(groups: NDArray[np.int64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a place for each customer, in random order, and the number of each row's customer."""
    distinct, numbers = np.unique(groups, return_inverse=True)
    return np.random.default_rng(seed).permutation(len(distinct)), numbers


def tune(name: str, part: Part, problem: Problem, trials: int, how: How) -> Tuned:
    """Tune an estimator by the log loss of folds; boosting stops on each fold in turn."""
    import optuna

    folds = folds_of(part.groups, INNER_FOLDS, how.seed)
    splits = [_encoded(part, problem, folds == k) for k in range(INNER_FOLDS)]
    estimator = ESTIMATORS[name]
    tried: dict[int, tuple[Floats, list[int]]] = {}

    def objective(trial: "optuna.Trial") -> float:
        parameters = estimator.suggest(trial)
        margins, rounds, losses = np.zeros(len(part.labels)), [], []
        for k, (training, judged) in enumerate(splits):
            fitted = estimator.fit(training, parameters, How(how.seed, how.threads, judged))
            margins[folds == k] = fitted.margin(judged.x)
            rounds += [fitted.rounds] if fitted.rounds else []
            losses.append(log_loss(judged.y, margins[folds == k]))
            trial.report(float(np.mean(losses)), k)
            if k + 1 < INNER_FOLDS and trial.should_prune():
                raise optuna.TrialPruned
        tried[trial.number] = (margins, rounds)
        return float(np.mean(losses))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=how.seed, n_startup_trials=4),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )
    # What has served elsewhere comes first: a small budget is never worse than it.
    study.enqueue_trial(estimator.defaults)
    study.optimize(objective, n_trials=trials)
    margins, rounds = tried[study.best_trial.number]
    calibration = calibrate(margins, part.labels, folds)
    best = estimator.suggest(optuna.trial.FixedTrial(study.best_params))
    return Tuned(best, math.ceil(np.mean(rounds)) if rounds else None, calibration)


def fit(name: str, part: Part, problem: Problem, tuned: Tuned, how: How) -> tuple[Encoder, Fitted]:
    """Fit all rows of a part with what was tuned."""
    encoder = Encoder.fit(part.frame, problem)
    rows = Rows(encoder.transform(part.frame), part.labels, encoder)
    how = How(how.seed, how.threads, rounds=tuned.rounds)
    return encoder, ESTIMATORS[name].fit(rows, tuned.parameters, how)


def _encoded(part: Part, problem: Problem, judged: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """A fold and the rest. What the encoder learns it learns from the rest."""
    training, fold = part.take(~judged), part.take(judged)
    encoder = Encoder.fit(training.frame, problem)
    return (
        Rows(encoder.transform(training.frame), training.labels, encoder),
        Rows(encoder.transform(fold.frame), fold.labels, encoder),
    )


def calibrate(margins: Floats, labels: Labels, folds: NDArray[np.int64]) -> Calibration:
    """Fit slope and intercept to margins that no fold was trained on, and keep them only where
    those of the other folds make a fold better."""
    before = log_loss(labels, margins)
    mapped = np.zeros(len(margins))
    for k in np.unique(folds):
        slope, intercept = _slope(margins[folds != k], labels[folds != k])
        mapped[folds == k] = slope * margins[folds == k] + intercept
    after = log_loss(labels, mapped)
    slope, intercept = _slope(margins, labels)
    if after < before and slope > 0:
        return Calibration(True, slope, intercept, before, after)
    return Calibration(False, 1.0, 0.0, before, after)


def _slope(margins: Floats, labels: Labels) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(margins[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def log_loss(labels: Labels, margins: Floats) -> float:
    """Return the mean log loss of log-odds."""
    return float(np.mean(np.logaddexp(0, np.where(labels == 1, -margins, margins))))
