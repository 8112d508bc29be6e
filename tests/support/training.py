"""Training sets of tests: the sample as the marts have it, and small ones with planted faults."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cdp.models.problem import Problem
from cdp.models.training_set import TrainingSet, ordered

SMALL: dict[str, Any] = {
    "problem": "small",
    "description": "Who leaves, of a few hundred customers.",
    "table": "marts.ftr_customer_churn",
    "key": "customer_id",
    "as_of": "as_of_date",
    "rows": "customer_id is not null",
    "as_of_dates": "all",
    "target": "has_churned",
    "split": {"kind": "folds", "folds": 3, "seeds": [1]},
    "ceiling": {"roc_auc": 0.95},
    "columns": {
        "tenure_months": "numeric",
        "charges": "numeric",
        "usage": "numeric",
        "contract": "categorical",
        "is_senior": "boolean",
    },
    "segments": ["contract", "tenure_months"],
    "never": {"customer_id": "identifier"},
}
BY_TIME = {
    "kind": "time",
    "judged_share_of_dates": 0.3,
    "judged_share_of_customers": 0.3,
    "label_days": 30,
    "purge_days": 30,
    "folds": 3,
    "seeds": [1],
}


def problem(**changed: Any) -> Problem:  # noqa: ANN401
    return Problem.model_validate(SMALL | changed)


def frame(customers: int = 600, dates: int = 1, seed: int = 0) -> pd.DataFrame:
    """Rows whose label follows from tenure, contract and usage, and from chance. Some charges are
    missing, and some contracts."""
    g = np.random.default_rng(seed)
    n = customers * dates
    contracts = np.array(["month", "year", "two years", None], dtype=object)
    made = pd.DataFrame(
        {
            "customer_id": np.repeat([f"C{i:05d}" for i in range(customers)], dates),
            "as_of_date": np.tile(
                [date(2024, 1, 1) + timedelta(14 * d) for d in range(dates)], customers
            ),
            "tenure_months": g.integers(0, 73, n).astype("int32"),
            "charges": np.where(g.random(n) < 0.05, np.nan, g.normal(60, 20, n).round(2)),
            "usage": g.exponential(100, n),
            "contract": contracts[g.choice(4, n, p=[0.5, 0.25, 0.2, 0.05])],
            "is_senior": g.random(n) < 0.2,
        }
    )
    log_odds = -0.2 - made["tenure_months"] / 50 + 0.9 * (made["contract"] == "month")
    log_odds += 0.3 * np.log1p(made["usage"] / 100)
    made["has_churned"] = g.random(n) < 1 / (1 + np.exp(-log_odds))
    return made


def given(rows: pd.DataFrame, of: Problem | None = None) -> TrainingSet:
    """The training set of rows, as it would be read."""
    of = of or problem()
    table = pa.Table.from_pandas(rows[list(of.wanted)], preserve_index=False)
    return TrainingSet(of, ordered(table, of), "main", 1)


def with_columns(of: Problem, **columns: str) -> Problem:
    """A problem with more features."""
    changed = of.model_dump() | {"columns": of.columns | columns}
    return Problem.model_validate(changed)


def replaced(one: TrainingSet, rows: pd.DataFrame) -> TrainingSet:
    return replace(one, table=given(rows, one.problem).table)
