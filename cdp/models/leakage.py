"""What a training set is refused for: columns that cannot teach, and those that know the answer."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cdp.errors import CdpError
from cdp.models.hashes import is_text
from cdp.models.metrics import Floats, Judged
from cdp.models.training_set import TrainingSet, feature
from cdp.models.tune import Part, folds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

FEWEST_POSITIVES, FEWEST_OF_PART = 50, 10
# No single column of an honest set ranks customers better than this.
SINGLE_COLUMN = 0.80
# A text with more values than this names customers, and does not describe them.
MOST_CATEGORIES = 200
IDENTIFIER_SHARE = 0.95
QUANTILES, PRIOR = 50, 10.0


def check(given: TrainingSet) -> None:
    """Raise CdpError for the first thing that makes a training set useless or dishonest."""
    problem = given.problem
    where = f"in problems/{problem.problem}.yml"
    if not given.table.num_rows:
        raise CdpError(
            f"{problem.table} has no rows at {given.tag} that {problem.problem} counts",
            f"look at `rows` {where}, or build more as-of dates: {problem.rows}",
        )
    _check_grain(given)
    _check_labels(given)
    for column in problem.columns:
        reason = _refusal(given, column)
        if reason:
            raise CdpError(
                f"{column} cannot be a feature of {problem.problem}: {reason}",
                f"take {column} out of `columns` {where}, or mend the model's SQL",
            )


def check_part(given: TrainingSet, rows: NDArray[np.int64], part: Part) -> None:
    """Raise CdpError when a part of a split has other rows than the set has there, or one of them
    twice: resampled rows of one customer would stand on both sides.

    rows: the positions in the set that the part is of.
    """
    is_whole = len(np.unique(rows)) == len(rows) == len(part.labels) == len(part.frame)
    if (
        not is_whole
        or not np.array_equal(part.labels, given.labels[rows])
        or not np.array_equal(part.groups, given.groups[rows])
        or not part.frame.equals(given.frame.iloc[rows])
    ):
        raise CdpError(
            "the rows were resampled or changed between reading and splitting them",
            "split first; change the training part of each split alone",
        )


def check_classes(labels: NDArray[np.int8], what: str) -> None:
    """Raise CdpError when rows have too few of a class to be trained on, or to be judged by."""
    fewest = int(min(labels.sum(), len(labels) - labels.sum()))
    if fewest < FEWEST_OF_PART:
        raise CdpError(
            f"of the {len(labels):,} rows that are {what} {fewest} are of the rarer class, and "
            f"{FEWEST_OF_PART} are needed",
            "build more as-of dates, or take more customers",
        )


def check_split(trained: TrainingSet, judged: TrainingSet) -> None:
    """Raise CdpError when a customer is in both halves of a split."""
    key = trained.problem.key
    both = pc.is_in(judged.table[key], value_set=trained.table[key].unique())
    count = pc.sum(both).as_py() or 0
    if count:
        first = judged.table.filter(both)[key][0].as_py()
        raise CdpError(
            f"{key}: {count:,} judged rows are of customers that were trained on, such as {first}",
            "split by customer: a customer's rows belong to one half",
        )


def _check_grain(given: TrainingSet) -> None:
    problem = given.problem
    keys = [problem.key, problem.as_of]
    if nulls := sum(given.table[key].null_count for key in keys):
        raise CdpError(
            f"{problem.key} or {problem.as_of} is null in {nulls:,} rows",
            f"leave them out with `rows` in problems/{problem.problem}.yml",
        )
    counted = given.table.group_by(keys).aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted["count_all"], 1))
    if twice.num_rows:
        first = twice.slice(0, 1).to_pylist()[0]
        raise CdpError(
            f"{problem.key}: {twice.num_rows:,} rows are there several times, such as "
            f"{first[problem.key]} on {first[problem.as_of]}: resampled before the split?",
            "one row a customer and as-of date; weigh rows in the estimator instead",
        )


def _check_labels(given: TrainingSet) -> None:
    problem = given.problem
    target = given.table[problem.target]
    if not pa.types.is_boolean(target.type):
        raise CdpError(
            f"{problem.target} is a {target.type}, and a label is true or false",
            f"choose a boolean column as `target` in problems/{problem.problem}.yml",
        )
    if target.null_count:
        raise CdpError(
            f"{problem.target} is null in {target.null_count:,} of {len(target):,} rows",
            f"leave them out with `rows` in problems/{problem.problem}.yml",
        )
    positives = int(given.labels.sum())
    if positives in {0, len(given.labels)}:
        only = "true" if positives else "false"
        raise CdpError(
            f"{problem.target} is {only} in all {len(given.labels):,} rows: one class only",
            "choose as-of dates in which some customers left and some stayed",
        )
    fewest = min(positives, len(given.labels) - positives)
    if fewest < FEWEST_POSITIVES:
        raise CdpError(
            f"{problem.target} has {fewest} rows of its rarer class; it needs {FEWEST_POSITIVES}",
            "build more as-of dates, or take more customers",
        )


def _refusal(given: TrainingSet, column: str) -> str:
    """Why a column cannot be a feature; nothing when it can."""
    values = given.table[column].combine_chunks()
    kind = given.problem.columns[column]
    checks: list[Callable[[], str]] = [
        lambda: _known_later(given, values),
        lambda: _wrong_kind(values, kind),
        lambda: _empty(values),
        lambda: _infinite(values),
        lambda: _identifier(given, column, kind),
        lambda: _implausible(given, column),
    ]
    return next((reason for check in checks if (reason := check())), "")


def _known_later(given: TrainingSet, values: pa.Array) -> str:
    if not pa.types.is_temporal(values.type):
        return ""
    dates = values.cast(pa.date32(), safe=False)
    later = pc.sum(pc.greater(dates, given.table[given.problem.as_of].combine_chunks())).as_py()
    if later:
        return f"it holds moments after the as-of date, in {later:,} rows: it was known too late"
    return "it is a moment; a feature is how long ago that was"


def _wrong_kind(values: pa.Array, kind: str) -> str:
    is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    found = {
        "categorical": is_text(values.type),
        "boolean": pa.types.is_boolean(values.type),
        "numeric": is_number,
    }
    return "" if found[kind] else f"it is declared {kind}, and the table has {values.type}"


def _infinite(values: pa.Array) -> str:
    if not pa.types.is_floating(values.type):
        return ""
    with np.errstate(over="ignore"):
        known = values.drop_null().to_numpy().astype(np.float32)
    count = int((~np.isfinite(known)).sum())
    return f"it is infinite, or too large for float32, in {count:,} rows" if count else ""


def _empty(values: pa.Array) -> str:
    if values.null_count == len(values):
        return "it is null in every row"
    if not values.null_count and len(pc.unique(values)) == 1:
        return f"it is {values[0].as_py()} in every row"
    return ""


def _identifier(given: TrainingSet, column: str, kind: str) -> str:
    """Whole numbers that differ for nearly all customers, and stay the same for each of them."""
    values = given.table[column]
    distinct = pc.count_distinct(values).as_py()
    if kind == "categorical" and distinct > MOST_CATEGORIES:
        return f"it is an identifier: {distinct:,} different texts in {len(values):,} rows"
    customers = int(given.groups.max()) + 1
    if kind != "numeric" or distinct <= max(MOST_CATEGORIES, IDENTIFIER_SHARE * customers):
        return ""
    numbers = np.nan_to_num(feature(values, "numeric"))
    pairs = len(np.unique(np.column_stack([given.groups, numbers]), axis=0))
    if (numbers == np.rint(numbers)).all() and pairs <= customers / IDENTIFIER_SHARE:
        return f"it is an identifier: {distinct:,} different numbers of {customers:,} customers"
    return ""


def _implausible(given: TrainingSet, column: str) -> str:
    import pandas as pd

    values = pd.Series(feature(given.table[column], given.problem.columns[column]))
    found = single_column_auc(values, given.labels, given.groups)
    if found <= SINGLE_COLUMN:
        return ""
    return (
        f"alone it ranks customers with a ROC-AUC of {found:.3f}, and what is known beforehand "
        f"reaches {SINGLE_COLUMN:.2f} at most: it knows the label"
    )


def single_column_auc(
    values: "pd.Series[float]", labels: NDArray[np.int8], groups: NDArray[np.int64]
) -> float:
    """Return the ROC-AUC of one column: of how many of the rows with a value are positive among
    other customers; of numbers also of the values themselves, whichever way they point. Numbers
    that differ much are taken by their quantiles; what is missing is a value."""
    import pandas as pd

    found = 0.5
    if values.dtype != object:
        filled: Any = values.fillna(values.median()).to_numpy(dtype=np.float64)
        found = _either_way(labels, filled)
        if values.nunique() > QUANTILES:
            values = pd.qcut(values, QUANTILES, labels=False, duplicates="drop")
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    folds = folds_of(groups, 2, 0)
    shares: Any = np.zeros(len(labels))
    for fold in (0, 1):
        other, count = folds != fold, int(codes.max()) + 1
        rows = np.bincount(codes[other], minlength=count)
        positive = np.bincount(codes[other], labels[other], minlength=count)
        # Few rows say little: they are drawn to the mean.
        rate = (positive + PRIOR * labels.mean()) / (rows + PRIOR)
        shares[folds == fold] = rate[codes[folds == fold]]
    return max(found, _either_way(labels, shares))


def _either_way(labels: NDArray[np.int8], scores: Floats) -> float:
    area = Judged(labels, scores).roc_auc()
    return max(area, 1 - area)
