"""Folders of model versions that nobody trained: probabilities that are right, or are not."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Json = dict[str, Any]
ROWS = 1500


def truth(rows: int = ROWS, seed: int = 1) -> tuple[NDArray[np.int8], Floats]:
    """Labels, and the chance that each was drawn with, shape (rows,)."""
    draw = np.random.default_rng(seed)
    chances = 1 / (1 + np.exp(-draw.normal(-1.2, 1.3, rows)))
    return (draw.random(rows) < chances).astype(np.int8), chances


def blurred(chances: Floats, by: float, seed: int = 2) -> Floats:
    """Chances as a model knows them that sees less. by: deviation of the log-odds."""
    noise = np.random.default_rng(seed).normal(0, by, len(chances))
    found: Floats = 1 / (1 + np.exp(-(np.log(chances / (1 - chances)) + noise)))
    return found


def figure(value: float | None, half: float = 0.01) -> Json:
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": value, "low": value - half, "high": value + half}


def segment(value: str, area: float | None = 0.8, *, is_miscalibrated: bool = False) -> Json:
    """A segment by contract; its ROC-AUC has an interval of ± 0.03."""
    return {
        "column": "contract_type",
        "value": value,
        "rows": 100,
        "positives": 20,
        "roc_auc": None if area is None else figure(area, 0.03),
        "calibration_gap": figure(0.05 if is_miscalibrated else 0.0),
        "is_weaker": False,
        "is_miscalibrated": is_miscalibrated,
    }


def report(problem: str, model_id: str, metrics: Mapping[str, Json], **more: Any) -> Json:  # noqa: ANN401
    """A report of those parts that the gate and the registry read. more: other parts of it."""
    usual = {name: figure(0.8) for name in ("roc_auc", "pr_auc", "brier", "log_loss")}
    usual |= {"ece": figure(0.01)}
    told: Json = {
        "problem": problem,
        "target": "has_churned",
        "estimator": "lightgbm",
        "model_id": model_id,
        "rows": ROWS,
        "positives": 400,
        "protocol": "nested cross-validation",
        "candidates": {"lightgbm": {"metrics": usual | dict(metrics)}, "logistic": {}},
        "segments": [segment("two_year"), segment("one_year", None)],
        "parity": {"rows": 1000, "largest_difference": 3.1e-7, "other_paths": 0},
    }
    return told | more


def write(
    folder: Path,
    model_id: str = "sample-20261130-220105-3f9a",
    problem: str = "sample",
    *,
    labels: NDArray[np.int8] | None = None,
    probabilities: Sequence[Floats] = (),
    evaluated: str | None = "the same rows",
    metrics: Mapping[str, Json] | None = None,
    **more: Any,  # noqa: ANN401
) -> Path:
    """Write the files of a version, and return their folder.

    probabilities: of each seed; those of `truth` by default. evaluated: the hash of its rows.
    """
    folder.mkdir(parents=True)
    drawn, chances = truth()
    known = drawn if labels is None else labels
    rows = np.arange(len(known))
    columns = {"row": rows, "customer": rows, "label": known}
    columns |= {f"p{n}": p for n, p in enumerate(probabilities or [chances, chances])}
    # In whatever order: the gate sorts them.
    table = pa.table(columns).take(np.random.default_rng(3).permutation(len(known)))
    pq.write_table(table, folder / "predictions.parquet")
    manifest = {
        "problem": problem,
        "model_id": model_id,
        "table": "marts.ftr_customer_churn",
        "tag": f"training_{model_id.replace('-', '_')}",
        "row_hash": "5e" * 32,
        "evaluated_hash": evaluated,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    told = report(problem, model_id, metrics or {}, **more)
    (folder / "report.json").write_text(json.dumps(told))
    (folder / "rows.parquet").write_bytes(b"rows")
    (folder / "card.html").write_text(f"<title>{model_id}</title>")
    (folder / "model.onnx").write_bytes(bytes(range(256)) * 40)
    (folder / "model.joblib").write_bytes(model_id.encode() * 100)
    return folder
