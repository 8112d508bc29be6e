"""How estimators are judged: which rows are trained on, which are held out, and the figures."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cdp.errors import CdpError
from cdp.models import leakage, metrics
from cdp.models.estimators import ESTIMATORS
from cdp.models.figures import HeldOut
from cdp.models.fitting import How
from cdp.models.metrics import Figure, Floats
from cdp.models.model import ChurnModel
from cdp.models.problem import Problem, Time
from cdp.models.training_set import TrainingSet
from cdp.models.tune import Part, Tuned, fit, folds_of, share_of, tune

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], None]
TRIALS = 12
# Rows that parameters are tuned with: more decide nothing else, and take longer.
MOST_TUNED = 200_000
LINES = 10


@dataclass(frozen=True)
class Asked:
    """What `cdp train` is asked for.

    estimators: names of ESTIMATORS. trials: of parameters, for each tuning. jobs: processes, or
    threads where one fit has all rows. left_out: customers whose rows are not trained on, for tests
    of what a model has memorized.
    """

    estimators: Sequence[str] = tuple(ESTIMATORS)
    trials: int = TRIALS
    jobs: int = 2
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Task:
    """One fit. number: of all. trained, judged: the positions of the rows to train on, and of those
    whose probabilities are wanted."""

    number: int
    estimator: str
    seed: int
    repetition: int
    trained: NDArray[np.int64]
    judged: NDArray[np.int64]


@dataclass(frozen=True)
class Done:
    """What a task, by its number, came to."""

    number: int
    tuned: Tuned
    probabilities: Floats
    seconds: float


@dataclass(frozen=True)
class Candidate:
    """An estimator as it was judged.

    drawn: its figures on each resample. tuned: what its first fit has decided. seconds: of all.
    """

    held_out: HeldOut
    figures: dict[str, Figure]
    drawn: dict[str, Floats]
    tuned: Tuned
    seconds: float


def judge(given: TrainingSet, asked: Asked, say: Say) -> dict[str, Candidate]:
    """Fit each estimator on rows of a set, and judge it on others. Returns them by name."""
    judged, tasks = plan(given, asked)
    repetitions = 1 + max(task.repetition for task in tasks)
    place = np.full(len(given.labels), -1)
    place[judged] = np.arange(len(judged))
    found = {n: np.full((len(judged), repetitions), np.nan) for n in asked.estimators}
    done: dict[str, dict[int, Done]] = {name: {} for name in asked.estimators}
    began = time.monotonic()
    for number, one in enumerate(_fitted(given, tasks, asked), 1):
        task = tasks[one.number]
        found[task.estimator][place[task.judged], task.repetition] = one.probabilities
        done[task.estimator][one.number] = one
        if number % -(-len(tasks) // LINES) == 0 or number == len(tasks):
            say(f"tuned and fitted {number} of {len(tasks)}: {time.monotonic() - began:.0f} s")
    groups = np.unique(given.groups[judged], return_inverse=True)[1]
    count = metrics.RESAMPLES if len(judged) < MOST_TUNED else metrics.RESAMPLES // 5
    weights = metrics.resamples(groups, count, given.problem.split.seeds[0])
    frame, labels = given.frame.iloc[judged], given.labels[judged]
    candidates = {}
    for name, probabilities in found.items():
        values, drawn = metrics.judge(labels, probabilities, weights)
        held_out = HeldOut(judged, frame, labels, probabilities, weights)
        seconds = sum(one.seconds for one in done[name].values())
        tuned = done[name][min(done[name])].tuned
        candidates[name] = Candidate(held_out, values, drawn, tuned, seconds)
        shown = ", ".join(f"{n} {values[n].value:.4f}" for n in metrics.NAMES[:5])
        say(f"{name}: {shown}, lift at 10 % {values['lift_10'].value:.2f}")
    return candidates


def plan(given: TrainingSet, asked: Asked) -> tuple[NDArray[np.int64], list[Task]]:
    """Return the positions of the rows that are judged, and what has to be fitted for it.

    Raises CdpError when a part has too few of a class.
    """
    split = given.problem.split
    if isinstance(split, Time):
        trained, judged = map(np.flatnonzero, by_time(given, split, asked.left_out))
        leakage.check_split(given.take(trained), given.take(judged))
        parts = [(split.seeds[0], 0, trained, judged)]
    else:
        judged = np.arange(len(given.labels))
        parts = []
        for repetition, seed in enumerate(split.seeds):
            folds = folds_of(given.groups, split.folds, seed)
            each = ((np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in set(folds))
            parts += [(seed, repetition, *rows) for rows in each]
    for _, _, trained, held_out in parts:
        leakage.check_classes(given.labels[trained], "trained on")
        leakage.check_classes(given.labels[held_out], "judged")
    planned = [(name, *part) for part in parts for name in asked.estimators]
    return judged, [Task(number, *one) for number, one in enumerate(planned)]


def by_time(
    given: TrainingSet, split: Time, left_out: frozenset[str] = frozenset()
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are trained on and which are judged: other customers, on later dates."""
    dates = np.unique(given.dates)
    first = dates[-max(1, round(split.judged_share_of_dates * len(dates)))]
    purged = first - np.timedelta64(split.purge_days, "D")
    if not (dates <= purged).any():
        raise CdpError(
            f"of {len(dates)} as-of dates none is {split.purge_days} days before the first that is "
            f"judged, {first}",
            "build more as-of dates: cdp build --from DAY --to DAY",
        )
    is_judged = share_of(given.groups, split.judged_share_of_customers, split.seeds[0])
    if left_out:
        keys = given.table[given.problem.key].to_pylist()
        is_judged |= np.fromiter((key in left_out for key in keys), bool, len(keys))
    return ~is_judged & (given.dates <= purged), is_judged & (given.dates >= first)


def _fitted(given: TrainingSet, tasks: list[Task], asked: Asked) -> Iterator[Done]:
    """Run tasks: side by side where they are many, one after the other with all cores where each
    has all rows."""
    problem = given.problem
    is_one = isinstance(problem.split, Time) or asked.jobs == 1
    threads = asked.jobs if is_one else 1
    calls = ((task, part_of(given, task.trained), given.frame.iloc[task.judged]) for task in tasks)
    if is_one:
        for task, part, frame in calls:
            yield run(task, part, frame, problem, asked.trials, threads)
        return
    from joblib import Parallel, delayed

    side_by_side = Parallel(asked.jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    yield from side_by_side(delayed(run)(*each, problem, asked.trials, threads) for each in calls)


def part_of(given: TrainingSet, rows: NDArray[np.int64]) -> Part:
    """Return rows of a set, by their positions, and see that they are those of the set."""
    part = Part(given.frame.iloc[rows], given.labels[rows], given.groups[rows])
    leakage.check_part(given, rows, part)
    return part


def run(  # noqa: PLR0913, PLR0917 - what a process is given
    task: Task, part: Part, frame: "pd.DataFrame", problem: Problem, trials: int, threads: int
) -> Done:
    """Tune and fit an estimator on the rows of a task, and judge others. frame: of these."""
    started = time.monotonic()
    how = How(task.seed, threads)
    tuned = tune(task.estimator, fewer(part, task.seed), problem, trials, how)
    model = fitted_model("", problem, task.estimator, part, tuned, how)
    return Done(task.number, tuned, model.probability(frame), time.monotonic() - started)


def fitted_model(  # noqa: PLR0913, PLR0917 - what makes a model
    model_id: str, problem: Problem, name: str, part: Part, tuned: Tuned, how: How
) -> ChurnModel:
    """Return an estimator fitted on all rows of a part, with what was tuned."""
    encoder, fitted = fit(name, part, problem, tuned, how)
    slope, intercept = tuned.calibration.slope, tuned.calibration.intercept
    return ChurnModel(model_id, problem.problem, name, encoder, fitted, slope, intercept)


def fewer(part: Part, seed: int) -> Part:
    """Return some of the customers of a part that has more rows than tuning needs."""
    if len(part.labels) <= MOST_TUNED:
        return part
    return part.take(share_of(part.groups, MOST_TUNED / len(part.labels), seed))
