"""Logistic regression on linear splines."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cdp.models.encoding import Matrix, Numeric
from cdp.models.fitting import How, Parameters, Rows
from cdp.models.metrics import Floats

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


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
