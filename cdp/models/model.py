"""A trained model: from features to log-odds, probabilities and reasons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cdp.models.encoding import Encoder
from cdp.models.fitting import Fitted
from cdp.models.metrics import Floats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ChurnModel:
    """What `model.joblib` holds.

    slope, intercept: of the calibration: log-odds are slope * margin + intercept.
    """

    model_id: str
    problem: str
    estimator: str
    encoder: Encoder
    fitted: Fitted
    slope: float
    intercept: float

    @property
    def columns(self) -> list[str]:
        """The features that it needs, in order."""
        return self.encoder.columns

    def log_odds(self, frame: "pd.DataFrame") -> Floats:
        """Return log-odds, shape (n,). frame: the columns, as `training_set.features_frame`."""
        margins = self.fitted.margin(self.encoder.transform(frame))
        calibrated: Floats = self.slope * margins + self.intercept
        return calibrated

    def probability(self, frame: "pd.DataFrame") -> Floats:
        """Return probabilities, shape (n,)."""
        return sigmoid(self.log_odds(frame))

    def contributions(self, frame: "pd.DataFrame") -> Floats:
        """Return what each feature adds to log-odds, and the base last, shape (n, features + 1).

        The columns of a category are added up to their feature; a row's sum is its log-odds.
        """
        encoded = self.slope * self.fitted.contributions(self.encoder.transform(frame))
        out = np.zeros((len(frame), len(self.columns) + 1))
        for number, source in enumerate(self.encoder.sources):
            out[:, source] += encoded[:, number]
        out[:, -1] = encoded[:, -1] + self.intercept
        return out


def sigmoid(log_odds: Floats) -> Floats:
    """Return probabilities of log-odds."""
    probabilities: Floats = 0.5 * (1 + np.tanh(0.5 * log_odds))
    return probabilities
