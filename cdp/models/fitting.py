"""What an estimator is given, and what it must be able to do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cdp.models.encoding import Encoder, Matrix
from cdp.models.metrics import Floats, Labels

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Parameters = dict[str, Any]


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
