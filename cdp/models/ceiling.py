"""How well churn of generated customers can be predicted at all, by the hazards it was drawn from.

An oracle knows each customer's hazard; no honest model ranks better. Part of the hazard follows
from `sample_churn`, which no table shows: with an estimate of it in its place, the hazard is the
ceiling of what can be observed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cdp import objects
from cdp.errors import CdpError
from cdp.models.metrics import Figure, Floats, Judged
from cdp.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Integers = NDArray[np.int64]

# What `sample_churn` multiplies a hazard by, as cdp/generate/sql/lives.sql has it.
FACTOR_OF_SAMPLE_CHURN = 2.5
RESAMPLES = 200
WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True)
class Ceiling:
    """ROC-AUC of the same rows, each with its interval, and how sure their difference is.

    oracle: of the hazards. observable: of the hazards with an estimate of `sample_churn`.
    standard_error: of the model's minus the oracle's, paired. rows: how many were compared.
    left_out: rows of customers or days that the hazards do not tell of.
    """

    oracle: Figure
    observable: Figure
    model: Figure
    standard_error: float
    rows: int
    left_out: int


def measure(
    rows: "pd.DataFrame", hazards: "pa.Table", sample_probability: Floats, seed: int = 0
) -> Ceiling:
    """Compare a model with the truth that churn was drawn from.

    rows: customer_id, as_of_date, label (whether the customer left within the 30 days after),
    probability (the model's). hazards: as `read_hazards` returns it. sample_probability: by
    sample_row, the probability that this customer of the sample has left, from a model that was
    trained without the row. Intervals are of 200 resamples of customers, with all their rows.

    Raises CdpError when no row has a hazard, all labels are the same, a probability is not a
    number, or the estimates are not of all rows of the sample.
    """
    place = places(rows, hazards)
    known = place >= 0
    if not known.any():
        raise CdpError(
            "no row has a hazard: these are customers of another generation, or days out of it",
            "name the generation that the training set was built from",
        )
    kept, place = rows[known], place[known]
    labels = kept["label"].to_numpy(np.bool_)
    if labels.all() or not labels.any():
        raise CdpError("all labels are the same: nothing can be ranked", "take more dates")
    sample_row = _column(hazards, "sample_row")[place]
    if sample_row.max() >= len(sample_probability):
        raise CdpError(
            f"there are {len(sample_probability)} estimates of sample_churn, and none for row "
            f"{sample_row.max()} of the sample",
            "give one for each row of data/telco, in the order of the file",
        )
    estimate = 1 + (FACTOR_OF_SAMPLE_CHURN - 1) * np.asarray(sample_probability)[sample_row]
    scores = (
        _column(hazards, "hazard")[place],
        _column(hazards, "hazard_without_sample")[place] * estimate,
        kept["probability"].to_numpy(np.float64),
    )
    if not all(np.isfinite(each).all() for each in scores):
        raise CdpError("a probability is not a number", "look at the model's predictions")
    ranked = [Judged(labels.astype(np.int8), each) for each in scores]
    whole = [each.roc_auc() for each in ranked]
    drawn = _resampled(ranked, kept["customer_id"].to_numpy(), seed)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    oracle, observable, model = (
        Figure(*map(float, each)) for each in zip(whole, low, high, strict=True)
    )
    error = float(np.std(drawn[:, 2] - drawn[:, 0], ddof=1))
    return Ceiling(oracle, observable, model, error, len(kept), int((~known).sum()))


def refuse_above_oracle(found: Ceiling) -> None:
    """Raise CdpError when the model ranks better than the oracle by over two standard errors."""
    above = found.model.value - found.oracle.value
    if above > 2 * found.standard_error:
        raise CdpError(
            f"the model's ROC-AUC is {found.model.value:.4f}, and that of the hazards that churn "
            f"was drawn from {found.oracle.value:.4f}: {above:.4f} more, with a standard error of "
            f"{found.standard_error:.4f}; it has seen the label",
            "look for a feature that knows what happened after the as-of date",
            is_final=True,
        )


def places(rows: "pd.DataFrame", hazards: "pa.Table") -> Integers:
    """Return for each row the place in `hazards` of the hazard that predicts best; -1 for none.

    It is that of the first week that starts after the as-of date has ended. It knows all that a
    model may know, and a few days more; the week that contains that moment may miss as many. Of
    60,000 customers, whatever the day of the week: ROC-AUC .832 to .833, against .825 to .829 for
    the week that contains it, and .829 to .830 for the hazard of that very moment, which is the
    most that a model could reach. Who leaves before the next week starts has no hazard of it: then
    it is the week that contains the moment.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    customers = pc.unique(hazards["customer_id"])
    week = _column(hazards, "week")
    if not len(week):
        return np.full(len(rows), -1, np.int64)
    first = hazards["week_starts_at"].slice(0, 1).to_numpy()[0]
    start = first.astype("datetime64[s]") - week[0] * WEEK
    # A customer's weeks stand apart from the next one's, also those beyond the first and last.
    stride = int(week.max()) + 3
    keys = _found(hazards["customer_id"], customers) * stride + week + 1
    order = np.argsort(keys, kind="stable")
    keys = keys[order]

    asked = _found(pa.array(rows["customer_id"], pa.string()), customers)
    ends = rows["as_of_date"].to_numpy("datetime64[D]") + np.timedelta64(1, "D")
    since = ends.astype("datetime64[s]") - start
    containing = since // WEEK
    place = np.full(len(rows), -1, np.int64)
    for wanted in (containing, containing + 1):
        key = asked * stride + np.clip(wanted, -1, stride - 2) + 1
        at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        place = np.where((keys[at] == key) & (asked >= 0), order[at], place)
    return place


def roc_auc(labels: NDArray[np.bool_], scores: Floats) -> float:
    """Return the ROC-AUC, 0 to 1: ties count half. NaN when all labels are the same."""
    return Judged(labels.astype(np.int8), scores).roc_auc()


def _resampled(ranked: list[Judged], customers: NDArray[Any], seed: int) -> Floats:
    """Return the ROC-AUC of each ranking in each resample of customers: (resamples, rankings)."""
    import pandas as pd

    codes, names = pd.factorize(customers)
    rng = np.random.default_rng(seed)
    drawn = list[list[float]]()
    while len(drawn) < RESAMPLES:
        taken = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        each = [one.roc_auc(taken[codes].astype(np.float64)) for one in ranked]
        # A resample of few customers may have one label only, and is drawn again.
        if not np.isnan(each).any():
            drawn.append(each)
    return np.array(drawn)


def _column(table: "pa.Table", name: str) -> NDArray[Any]:
    found: NDArray[Any] = table[name].to_numpy()
    return found


def _found(values: Any, among: Any) -> Integers:  # noqa: ANN401 - Arrow's arrays, untyped here
    """Return the place of each value among the given, -1 for none."""
    import pyarrow.compute as pc

    found: NDArray[Any] = pc.fill_null(pc.index_in(values, value_set=among), -1).to_numpy()
    return found.astype(np.int64)


def read_hazards(settings: Settings, name: str) -> "pa.Table":
    """Read generated/NAME/truth/hazards/ of the object store, as docs/generate.md has it.

    Raises CdpError when there is none, or the store is away.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = list[pa.Table]()
    with objects.explained():
        s3 = objects.client(settings)
        for key in objects.keys(s3, settings.bucket, f"generated/{name}/truth/hazards/"):
            body = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
            tables.append(pq.read_table(pa.BufferReader(body)))
    if not tables:
        raise CdpError(
            f"the generation {name} has no hazards, or there is none of that name",
            f"cdp generate with --name {name} and its options; --again writes it again",
        )
    return pa.concat_tables(tables)
