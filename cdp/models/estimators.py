"""The estimators that compete: each suggests parameters, fits a matrix, and explains its margins.

To add one: write a class as those below, and give it a name in ESTIMATORS.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cdp.models.encoding import Encoder, Matrix, Numeric
from cdp.models.metrics import Floats, Labels

if TYPE_CHECKING:
    import lightgbm
    import xgboost
    from optuna.trial import BaseTrial

Parameters = dict[str, Any]
MOST_ROUNDS = 1000
PATIENCE = 40
ROUNDING = 1e-4


@dataclass(frozen=True)
class Rows:
    """Rows to fit: x of shape (n, columns), as the encoder makes it, and labels y, shape (n,)."""

    x: Matrix
    y: Labels
    encoder: Encoder


@dataclass(frozen=True)
class How:
    """How to fit. threads: of a boosting library. stop_on: rows on which boosting stops when they
    gain nothing more; else it takes so many rounds."""

    seed: int
    threads: int = 1
    stop_on: Rows | None = None
    rounds: int | None = None


class Fitted(Protocol):
    """A fitted estimator. rounds: of boosting, None where there are none."""

    rounds: int | None

    def margin(self, x: Matrix) -> Floats:
        """Return log-odds, shape (n,)."""

    def contributions(self, x: Matrix) -> Floats:
        """Return what each column adds to the margin, and the base last, shape (n, columns + 1)."""

    def thresholds(self) -> dict[int, Floats]:
        """Return the values at which something changes, by the number of the column."""


class Estimator(Protocol):
    """How an estimator is tuned and fitted."""

    defaults: Parameters

    def suggest(self, trial: "BaseTrial") -> Parameters:
        """Return parameters to try."""

    def fit(self, rows: Rows, parameters: Parameters, how: How) -> Fitted:
        """Fit the training rows."""


@dataclass
class FittedLogistic:
    """Weights of a basis: ramps between the knots of numbers, and the other columns as they are."""

    knots: list[NDArray[np.float64]]
    columns: list[int]
    plain: list[int]
    weights: Floats
    intercept: float
    means: Floats
    rounds: int | None = None

    def basis(self, x: Matrix) -> tuple[Floats, NDArray[np.int64]]:
        """Return the basis, shape (n, terms), and the column that each term is from."""
        terms, sources = [], []
        for column, knots in zip(self.columns, self.knots, strict=True):
            low, width = knots[:-1], np.diff(knots)
            values = x[:, column].astype(np.float64)[:, None]
            terms.append(np.clip((values - low) / width, 0, 1))
            sources += [column] * len(low)
        terms.append(x[:, self.plain].astype(np.float64))
        sources += self.plain
        return np.hstack(terms), np.array(sources, dtype=np.int64)

    def margin(self, x: Matrix) -> Floats:
        margins: Floats = self.basis(x)[0] @ self.weights + self.intercept
        return margins

    def contributions(self, x: Matrix) -> Floats:
        basis, sources = self.basis(x)
        out = np.zeros((len(x), x.shape[1] + 1))
        for term, source in enumerate(sources):
            out[:, source] += (basis[:, term] - self.means[term]) * self.weights[term]
        out[:, -1] = self.intercept + self.means @ self.weights
        return out

    def thresholds(self) -> dict[int, Floats]:
        return dict(zip(self.columns, self.knots, strict=True))


class Logistic:
    """Logistic regression on linear splines of the numbers. knots: at most, at quantiles."""

    knots = 8
    defaults: Parameters = {"c": 1.0}  # noqa: RUF012 - a constant

    def suggest(self, trial: "BaseTrial") -> Parameters:
        return {"c": trial.suggest_float("c", 0.01, 30, log=True)}

    def fit(self, rows: Rows, parameters: Parameters, how: How) -> FittedLogistic:
        from sklearn.linear_model import LogisticRegression

        x = rows.x
        starts = np.cumsum([0, *(part.width for part in rows.encoder.parts)])
        columns, knots = [], []
        for start, part in zip(starts, rows.encoder.parts, strict=False):
            if isinstance(part, Numeric):
                at = np.unique(np.quantile(x[:, start], np.linspace(0, 1, self.knots)))
                if len(at) > 2:
                    columns.append(int(start))
                    knots.append(at.astype(np.float64))
        plain = [c for c in range(x.shape[1]) if c not in columns]
        empty = np.zeros(0)
        fitted = FittedLogistic(knots, columns, plain, empty, 0.0, empty)
        basis, _ = fitted.basis(x)
        model = LogisticRegression(C=parameters["c"], solver="newton-cholesky")
        model.fit(basis, rows.y)
        fitted.weights, fitted.intercept = model.coef_[0], float(model.intercept_[0])
        fitted.means = basis.mean(axis=0)
        return fitted


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
