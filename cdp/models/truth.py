"""A model against the truth of a generated population: what can be known, what is memorized."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cdp.generate import sample
from cdp.models import ceiling
from cdp.models.encoding import Encoder
from cdp.models.estimators import ESTIMATORS
from cdp.models.fitting import How, Rows
from cdp.models.judging import Asked
from cdp.models.metrics import Floats, Judged, interval
from cdp.models.model import sigmoid
from cdp.models.problem import Kind, Problem
from cdp.models.tune import folds_of
from cdp.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from cdp.models.figures import HeldOut
    from cdp.models.training_set import TrainingSet

# Every so many rows of the sample none of the customers made of it is trained on.
UNSEEN = 5
FOLDS, SEED = 5, 11
NUMBERS = ("sample_tenure", "sample_monthly", "sample_total")


@dataclass(frozen=True)
class Truth:
    """The hazards of a generation, and customers whose row of the sample is not trained on."""

    hazards: "pa.Table"
    unseen: frozenset[str]

    def without_unseen(self, asked: Asked) -> Asked:
        return replace(asked, left_out=self.unseen)


def read(name: str, settings: Settings) -> Truth:
    """Read the truth of a generation. Raises CdpError when it has none."""
    hazards = ceiling.read_hazards(settings, name)
    chosen = hazards["sample_row"].to_numpy() % UNSEEN == 0
    return Truth(hazards, frozenset(hazards["customer_id"].filter(chosen).unique().to_pylist()))


def compare(given: "TrainingSet", held_out: "HeldOut", truth: Truth) -> dict[str, Any]:
    """Return ROC-AUCs of judged rows: of the oracle, of what is observable, of the model, and of
    the model on customers whose row of the sample it has never seen.

    Raises CdpError when the model ranks better than the oracle: it has seen the label.
    """
    problem = given.problem
    judged = given.table.take(held_out.rows)
    rows = pd.DataFrame(
        {
            "customer_id": judged[problem.key].to_pandas(),
            "as_of_date": judged[problem.as_of].to_pandas(),
            "label": held_out.labels,
            "probability": held_out.mean,
        }
    )
    found = ceiling.measure(rows, truth.hazards, sample_probability())
    ceiling.refuse_above_oracle(found)
    unseen = rows["customer_id"].isin(truth.unseen).to_numpy()
    weights = [w[unseen] for w in held_out.weights[: ceiling.RESAMPLES]]
    part = Judged(held_out.labels[unseen], held_out.mean[unseen])
    drawn = np.array([part.roc_auc(w) for w in weights])
    area = interval(part.roc_auc(), drawn)
    return {
        "oracle": found.oracle.json(),
        "observable": found.observable.json(),
        "model": found.model.json(),
        "unseen_rows": area.json(),
        "rows": found.rows,
        "left_out": found.left_out,
    }


def sample_probability() -> Floats:
    """Return for each row of the sample the probability that it has left, from folds without it."""
    raw = pd.read_csv(sample.PATH, header=0, names=list(sample.COLUMNS), dtype=str)
    kinds: dict[str, Kind] = {
        column: "numeric" if column in NUMBERS else "categorical" for column in sample.COLUMNS[1:-1]
    }
    for column in NUMBERS:
        raw[column] = pd.to_numeric(raw[column], errors="coerce")
    problem = Problem.model_construct(columns=kinds)
    labels = (raw["sample_churn"] == "Yes").to_numpy().astype(np.int8)
    folds = folds_of(np.arange(len(raw)), FOLDS, SEED)
    out = np.zeros(len(raw))
    logistic = ESTIMATORS["logistic"]
    for fold in range(FOLDS):
        training, judged = raw[folds != fold], raw[folds == fold]
        encoder = Encoder.fit(training, problem)
        rows = Rows(encoder.transform(training), labels[folds != fold], encoder)
        fitted = logistic.fit(rows, logistic.defaults, How(SEED))
        out[folds == fold] = sigmoid(fitted.margin(encoder.transform(judged)))
    return out
