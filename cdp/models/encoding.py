"""Features as a matrix of float32: medians for missing numbers, and a column for each category."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cdp.errors import CdpError
from cdp.models.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

Matrix = NDArray[np.float32]
MISSING = ""


@dataclass(frozen=True)
class Numeric:
    """A number or boolean. fill: what stands for a missing one. has_flag: whether a second column
    says that it was missing, which it has where the training rows lack some."""

    column: str
    fill: float
    has_flag: bool

    @property
    def width(self) -> int:
        return 1 + self.has_flag

    @property
    def labels(self) -> list[str]:
        return [self.column, *([f"{self.column} is missing"] if self.has_flag else [])]


@dataclass(frozen=True)
class Categorical:
    """A text, as a column for each category of the training rows; MISSING is one where some lack
    it. A category that was never seen is none of them: all columns are 0."""

    column: str
    categories: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.categories)

    @property
    def labels(self) -> list[str]:
        return [f"{self.column} = {name or 'missing'}" for name in self.categories]


@dataclass(frozen=True)
class Encoder:
    """How features become a matrix: float32 before anything is compared, in Python and in ONNX."""

    parts: tuple[Numeric | Categorical, ...]

    @classmethod
    def fit(cls, frame: "pd.DataFrame", problem: Problem) -> "Encoder":
        """Learn medians and categories. frame: as `TrainingSet.frame`, of training rows alone."""
        parts: list[Numeric | Categorical] = []
        for column, kind in problem.columns.items():
            values = frame[column]
            if kind == "categorical":
                parts.append(Categorical(column, tuple(sorted(values.fillna(MISSING).unique()))))
                continue
            median = float(values.median())
            fill = float(np.float32(median)) if median == median else 0.0  # noqa: PLR0124
            parts.append(Numeric(column, fill, bool(values.isna().any())))
        return cls(tuple(parts))

    @property
    def labels(self) -> list[str]:
        return [label for part in self.parts for label in part.labels]

    @property
    def columns(self) -> list[str]:
        """The features, in order."""
        return [part.column for part in self.parts]

    @property
    def sources(self) -> NDArray[np.int64]:
        """The number of the feature that each column of the matrix is from."""
        widths = [part.width for part in self.parts]
        return np.repeat(np.arange(len(self.parts)), widths)

    def transform(self, frame: "pd.DataFrame") -> Matrix:
        """Return the matrix of n rows, shape (n, columns). Raises CdpError for a missing column."""
        if missing := [c for c in self.columns if c not in frame.columns]:
            raise CdpError(f"the rows have no column {', '.join(missing)}", "give each feature")
        out = np.zeros((len(frame), len(self.labels)), dtype=np.float32)
        at = 0
        for part in self.parts:
            block = out[:, at : at + part.width]
            if isinstance(part, Numeric):
                values = frame[part.column].to_numpy(dtype=np.float32)
                is_missing = np.isnan(values)
                block[:, 0] = np.where(is_missing, np.float32(part.fill), values)
                if part.has_flag:
                    block[:, 1] = is_missing
            else:
                texts = frame[part.column].fillna(MISSING).to_numpy()
                for number, category in enumerate(part.categories):
                    block[:, number] = texts == category
            at += part.width
        return out
