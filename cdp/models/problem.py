"""What is predicted, from which columns, and how it is judged: `problems/NAME.yml`."""

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cdp.errors import CdpError

Kind = Literal["numeric", "boolean", "categorical"]
NAME = re.compile(r"[a-z][a-z0-9_]*")
OUTPUTS = {"log_odds", "probability"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Folds(_Strict):
    """Folds of customers, repeated with each seed; each training part is tuned by itself."""

    kind: Literal["folds"]
    folds: int = Field(ge=2, le=20)
    seeds: tuple[int, ...] = Field(min_length=1)


class Time(_Strict):
    """Trained on the past of some customers, judged on later dates of the others.

    judged_share_of_dates, judged_share_of_customers: shares of 1. label_days: how far the label
    looks ahead. purge_days: the days before the first judged date whose rows are left out, at least
    as many.
    folds: of the customers of the training part, to tune by.
    """

    kind: Literal["time"]
    judged_share_of_dates: float = Field(gt=0, lt=1)
    judged_share_of_customers: float = Field(gt=0, lt=1)
    label_days: int = Field(ge=0)
    purge_days: int = Field(ge=0)
    folds: int = Field(ge=2, le=20)
    seeds: tuple[int, ...] = Field(min_length=1, max_length=1)

    @model_validator(mode="after")
    def _purges(self) -> "Time":
        if self.purge_days < self.label_days:
            raise ValueError(
                f"purge_days is {self.purge_days}, and the label looks {self.label_days} days ahead"
            )
        return self


class Ceiling(_Strict):
    """The ROC-AUC above which a result is refused: no honest model reaches it."""

    roc_auc: float = Field(gt=0.5, le=1)


class Problem(_Strict):
    """A problem as its file declares it.

    table: `namespace.name`. key, as_of: what a row is of. rows: which rows count, a filter as
    PyIceberg reads it. as_of_dates: whether all dates of a customer count, or the last one alone.
    target: a boolean column. columns: the features, by kind. segments: columns by whose values the
    figures are broken down. never: columns that must not be features, and why.
    """

    problem: str = Field(pattern=NAME.pattern)
    description: str
    table: str = Field(pattern=r"[a-z_]+\.[a-z_]+")
    key: str
    as_of: str
    rows: str
    as_of_dates: Literal["all", "last"]
    target: str
    split: Annotated[Folds | Time, Field(discriminator="kind")]
    ceiling: Ceiling
    columns: dict[str, Kind] = Field(min_length=1)
    segments: tuple[str, ...]
    never: dict[str, str]

    @model_validator(mode="after")
    def _agrees(self) -> "Problem":
        for column in self.columns:
            if column in self.never:
                raise ValueError(f"{column} must never be a feature: {self.never[column]}")
        if reserved := OUTPUTS & set(self.columns):
            raise ValueError(f"{min(reserved)} is what a model answers; call the column otherwise")
        if self.target in self.columns:
            raise ValueError(f"{self.target} is the target, and a feature too")
        if unknown := set(self.segments) - set(self.columns):
            raise ValueError(f"segments that are no features: {', '.join(sorted(unknown))}")
        return self

    @property
    def numeric(self) -> tuple[str, ...]:
        return tuple(c for c, kind in self.columns.items() if kind == "numeric")

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that a training set has: key, as-of date, features and target."""
        return (self.key, self.as_of, *self.columns, self.target)


def names(folder: Path) -> list[str]:
    """Return the problems that a folder declares, in order."""
    return sorted(path.stem for path in folder.glob("*.yml"))


def read(name: str, folder: Path) -> Problem:
    """Read a problem. Raises CdpError when there is none, or its file is wrong."""
    path = folder / f"{name}.yml"
    if not NAME.fullmatch(name) or not path.is_file():
        raise CdpError(
            f"there is no problem {name}", f"choose from: {', '.join(names(folder)) or 'none'}"
        )
    try:
        found = Problem.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise CdpError(f"{path} is not YAML: {error}", "mend the file") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{where}: {first['msg']}" if where else first["msg"]
        raise CdpError(f"{path}: {message}", "docs/models.md says what each key means") from error
    if found.problem != name:
        raise CdpError(f"{path} declares {found.problem}", f"call it {name}, or rename the file")
    return found
