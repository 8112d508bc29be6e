"""The estimators that compete: each suggests parameters, fits a matrix, and explains its margins.

To add one: write a class as those here, and give it a name in ESTIMATORS.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cdp.models.encoding import Matrix
from cdp.models.fitting import Estimator, How, Parameters, Rows
from cdp.models.metrics import Floats
from cdp.models.splines import Logistic

if TYPE_CHECKING:
    import lightgbm
    import xgboost
    from optuna.trial import BaseTrial

MOST_ROUNDS = 1000
PATIENCE = 40
ROUNDING = 2e-5


@dataclass
class FittedLightGBM:
    booster: "lightgbm.Booster"
    rounds: int | None

    def margin(self, x: Matrix) -> Floats:
        margins: Floats = np.asarray(self.booster.predict(x, raw_score=True), dtype=np.float64)
        return margins

    def contributions(self, x: Matrix) -> Floats:
        found: Floats = np.asarray(self.booster.predict(x, pred_contrib=True), dtype=np.float64)
        return found

    def thresholds(self) -> dict[int, Floats]:
        trees = self.booster.trees_to_dataframe()
        splits = trees[trees["split_feature"].notna()]
        names = self.booster.feature_name()
        return {
            names.index(str(name)): np.unique(of_one["threshold"].to_numpy(dtype=np.float64))
            for name, of_one in splits.groupby("split_feature")
        }


class LightGBM:
    """Boosted trees of few leaves."""

    defaults: Parameters = {  # noqa: RUF012
        "num_leaves": 5,
        "learning_rate": 0.05,
        "min_data_in_leaf": 60,
        "feature_fraction": 0.2,
        "lambda_l2": 10.0,
    }

    def suggest(self, trial: "BaseTrial") -> Parameters:
        return {
            "num_leaves": trial.suggest_int("num_leaves", 4, 12),
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.1, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 10, 200, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 0.7),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 50, log=True),
        }

    def fit(self, rows: Rows, parameters: Parameters, how: How) -> FittedLightGBM:
        import lightgbm

        options = parameters | {
            "objective": "binary",
            "metric": "binary_logloss",
            "seed": how.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": how.threads,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(rows.x, rows.y, params={"verbosity": -1})
        if how.stop_on is None:
            booster = lightgbm.train(options, data, how.rounds or MOST_ROUNDS)
        else:
            valid = data.create_valid(how.stop_on.x, how.stop_on.y)
            stop = lightgbm.early_stopping(PATIENCE, verbose=False)
            booster = lightgbm.train(options, data, MOST_ROUNDS, [valid], callbacks=[stop])
        rounds = booster.best_iteration if how.stop_on else booster.current_iteration()
        return FittedLightGBM(_exact(booster, rounds), rounds)


def _exact(booster: "lightgbm.Booster", rounds: int) -> "lightgbm.Booster":
    """Round thresholds down to float32: values of float32 take the same paths, and a format that
    keeps float32 loses nothing. Rounded to nearest, some would take another path."""
    import lightgbm

    def floored(match: re.Match[str]) -> str:
        given = np.array(match[1].split(), dtype=np.float64)
        near = given.astype(np.float32)
        down = np.where(near > given, np.nextafter(near, np.float32(-np.inf)), near)
        return "threshold=" + " ".join(repr(float(value)) for value in down)

    text = booster.model_to_string(num_iteration=rounds)
    text = re.sub(r"^threshold=(.*)$", floored, text, flags=re.MULTILINE)
    # The text says how long each tree is, which is no longer so.
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
    return lightgbm.Booster(model_str=text)


@dataclass
class FittedXGBoost:
    booster: "xgboost.Booster"
    rounds: int | None

    def margin(self, x: Matrix) -> Floats:
        return np.asarray(self.booster.inplace_predict(x, predict_type="margin"), dtype=np.float64)

    def contributions(self, x: Matrix) -> Floats:
        import xgboost

        data = xgboost.DMatrix(x, nthread=1)
        found: Floats = np.asarray(self.booster.predict(data, pred_contribs=True), dtype=np.float64)
        # XGBoost adds up in float32: what rounding has left over, some 1e-6, belongs to no column.
        left_over = self.margin(x) - found.sum(axis=1)
        if np.abs(left_over).max(initial=0) > ROUNDING:
            raise ValueError("XGBoost's contributions do not add up to its margins")
        found[:, -1] += left_over
        return found

    def thresholds(self) -> dict[int, Floats]:
        trees = self.booster.trees_to_dataframe()
        splits = trees[trees["Feature"] != "Leaf"]
        return {
            int(str(name).removeprefix("f")): np.unique(of_one["Split"].to_numpy(dtype=np.float64))
            for name, of_one in splits.groupby("Feature")
        }


class XGBoost:
    """Boosted trees of few levels."""

    defaults: Parameters = {  # noqa: RUF012
        "max_depth": 2,
        "eta": 0.05,
        "min_child_weight": 5.0,
        "colsample_bytree": 0.2,
        "lambda": 10.0,
    }

    def suggest(self, trial: "BaseTrial") -> Parameters:
        return {
            "max_depth": trial.suggest_int("max_depth", 2, 4),
            "eta": trial.suggest_float("eta", 0.03, 0.1, log=True),
            "min_child_weight": trial.suggest_float("min_child_weight", 1, 50, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 0.7),
            "lambda": trial.suggest_float("lambda", 0.1, 50, log=True),
        }

    def fit(self, rows: Rows, parameters: Parameters, how: How) -> FittedXGBoost:
        import xgboost

        options = parameters | {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "seed": how.seed,
            "nthread": how.threads,
            "verbosity": 0,
        }
        data = xgboost.QuantileDMatrix(rows.x, rows.y, nthread=how.threads)
        if how.stop_on is None:
            booster = xgboost.train(options, data, how.rounds or MOST_ROUNDS)
            return FittedXGBoost(booster, booster.num_boosted_rounds())
        judged = how.stop_on
        valid = xgboost.QuantileDMatrix(judged.x, judged.y, ref=data, nthread=how.threads)
        booster = xgboost.train(
            options,
            data,
            MOST_ROUNDS,
            evals=[(valid, "valid")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        best = booster.best_iteration + 1
        return FittedXGBoost(booster[:best], best)


ESTIMATORS: dict[str, Estimator] = {
    "logistic": Logistic(),
    "xgboost": XGBoost(),
    "lightgbm": LightGBM(),
}
