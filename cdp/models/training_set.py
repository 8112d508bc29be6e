"""Training sets that can be made again: features at an Iceberg tag of their own, by PyIceberg."""

import hashlib
import re
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdp import lake, objects
from cdp.catalog import Catalog, Change, MovedError
from cdp.errors import CdpError
from cdp.models.hashes import hash_rows, is_text
from cdp.models.problem import Kind, Problem
from cdp.models.version import place_of
from cdp.settings import ROOT, Settings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "training_"
LIBRARIES = ("lightgbm", "xgboost-cpu", "scikit-learn", "optuna", "onnxruntime", "numpy", "pyarrow")
# A tag as old as this, of a model without files, was left by a training that was killed.
ABANDONED = timedelta(days=1)
TRIES = 3


@dataclass(frozen=True)
class TrainingSet:
    """The rows of a problem, in the order of key and as-of date.

    table: columns `problem.wanted`; decimals are float64. tag: of the snapshot they were read at.
    """

    problem: Problem
    table: pa.Table
    tag: str
    snapshot: int

    @cached_property
    def labels(self) -> NDArray[np.int8]:
        """Labels, 0 or 1, shape (n,)."""
        values: NDArray[np.int8] = self.table[self.problem.target].cast(pa.int8()).to_numpy()
        return values

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """The number of each row's customer, from 0, shape (n,)."""
        keys = self.table[self.problem.key].combine_chunks().dictionary_encode()
        numbers: NDArray[np.int64] = keys.indices.to_numpy().astype(np.int64)
        return numbers

    @cached_property
    def dates(self) -> NDArray[np.datetime64]:
        """As-of dates, shape (n,)."""
        values: NDArray[np.datetime64] = self.table[self.problem.as_of].to_numpy()
        return values

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The features: float64 with NaN, and texts with None."""
        return features_frame(self.table, self.problem)

    @cached_property
    def row_hash(self) -> str:
        return hash_rows(self.table)

    def take(self, chosen: NDArray[Any]) -> "TrainingSet":
        """Return some of the rows. chosen: their positions, or a mask."""
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return TrainingSet(self.problem, self.table.take(pa.array(rows)), self.tag, self.snapshot)


def features_frame(table: pa.Table, problem: Problem) -> "pd.DataFrame":
    """Return the features of Arrow rows: numbers and booleans as float64 with NaN, and texts."""
    import pandas as pd

    columns = {c: feature(table[c], kind) for c, kind in problem.columns.items()}
    return pd.DataFrame(columns, columns=list(problem.columns))


def feature(values: pa.ChunkedArray, kind: Kind) -> Any:  # noqa: ANN401 - what a frame takes
    """Return a feature's values: float64 with NaN, or a text's as objects with None.

    Raises CdpError when they are of another kind.
    """
    try:
        if kind == "categorical":
            return values.cast(pa.string()).to_pandas().astype(object)
        if is_text(values.type):
            raise pa.ArrowInvalid("texts")
        return values.cast(pa.float64(), safe=False).to_numpy()
    except pa.ArrowException as error:
        raise CdpError(
            f"values of type {values.type} are no {kind} feature", "give the type of the table"
        ) from error


def read(problem: Problem, tag: str, settings: Settings) -> TrainingSet:
    """Read the rows of a problem at a tag, a branch or `main`.

    Raises CdpError when the table, the tag, a column or the rows are missing.
    """
    from pyiceberg.exceptions import NoSuchTableError
    from pyparsing import ParseBaseException

    try:
        table = lake.open_catalog(settings).load_table(problem.table)
    except NoSuchTableError as error:
        raise CdpError(f"there is no table {problem.table}", "cdp build makes it") from error
    found = table.snapshot_by_name(tag)
    if found is None:
        tags = sorted(table.refs())
        raise CdpError(
            f"{problem.table} has no tag {tag}", f"choose from: {', '.join(tags) or 'none'}"
        )
    # Of then: a column may have come or gone since.
    schema = table.schemas().get(found.schema_id or 0, table.schema())
    names = set(schema.column_names)
    if unknown := [c for c in problem.wanted if c not in names]:
        is_newer = set(unknown) <= set(table.schema().column_names)
        raise CdpError(
            f"{problem.table} has no column {', '.join(unknown)}"
            + (f" at {tag}, which is older" if is_newer else ""),
            f"mend problems/{problem.problem}.yml, or add it in the model's SQL and run cdp build",
        )
    try:
        scan = table.scan(
            row_filter=problem.rows, selected_fields=problem.wanted, snapshot_id=found.snapshot_id
        )
        rows = scan.to_arrow()
    except (ValueError, ParseBaseException) as error:
        raise CdpError(
            f"`rows` of {problem.problem} cannot be read: {str(error).splitlines()[0]}",
            f"mend problems/{problem.problem}.yml: {problem.rows}",
        ) from error
    return TrainingSet(problem, ordered(rows, problem), tag, found.snapshot_id)


def ordered(rows: pa.Table, problem: Problem) -> pa.Table:
    """Rows by key and as-of date, the columns as they are wanted, decimals as float64."""
    rows = rows.select(list(problem.wanted))
    for number, field in enumerate(rows.schema):
        kind = pa.float64() if pa.types.is_decimal(field.type) else field.type
        kind = pa.string() if pa.types.is_large_string(kind) else kind
        rows = rows.set_column(number, pa.field(field.name, kind), rows[field.name].cast(kind))
    rows = rows.sort_by([(problem.key, "ascending"), (problem.as_of, "ascending")])
    if problem.as_of_dates == "last" and rows.num_rows:
        # All rows of a customer's last date: that there is one alone is for the check of the grain.
        codes = rows[problem.key].combine_chunks().dictionary_encode().indices.to_numpy()
        days = rows[problem.as_of].cast(pa.int32()).to_numpy()
        last = np.zeros(int(codes.max()) + 1, dtype=days.dtype)
        np.maximum.at(last, codes, days)
        rows = rows.filter(pa.array(days == last[codes]))
    return rows.combine_chunks()


def new_id(problem: Problem) -> str:
    """Return a name for a model: the problem, the moment, and a random part."""
    now = datetime.now(UTC)
    return f"{problem.problem}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def tag_of(model_id: str) -> str:
    return PREFIX + model_id.replace("-", "_")


def tag(problem: Problem, model_id: str, at: str, settings: Settings) -> str:
    """Give a training set a tag of its own, which is kept until it is released."""
    state = Catalog(settings).load(problem.table)
    head = state.head(at) if state else None
    if state is None or head is None:
        raise CdpError(
            f"{problem.table} has nothing at {at}", "cdp build publishes it; cdp runs lists tags"
        )
    name = tag_of(model_id)
    for _ in range(TRIES):
        try:
            Catalog(settings).commit([Change(state, {name: None}, {name: ("tag", head, 0)})])
        except MovedError as error:
            failure = error
        else:
            return name
    raise CdpError(f"{problem.table} is written to by many at once", "try again") from failure


def release(table: str, name: str, settings: Settings) -> bool:
    """Remove the tag of a training set from a table; whether there was one."""
    for _ in range(TRIES):
        state = Catalog(settings).load(table)
        if not name.startswith(PREFIX) or state is None or name not in state.refs:
            return False
        try:
            Catalog(settings).commit([Change(state, {name: state.refs[name]}, remove=(name,))])
        except MovedError:
            continue
        return True
    return False


def abandoned(problem: Problem, settings: Settings) -> list[str]:
    """Return tags of trainings that were killed: old ones, of models without a file in the store.

    The store is asked, and not the registry: another one may know the model.
    """
    state = Catalog(settings).load(problem.table)
    oldest = datetime.now(UTC) - ABANDONED
    s3 = objects.client(settings)
    found = []
    for name in state.refs if state else ():
        matched = re.fullmatch(
            rf"{PREFIX}{problem.problem}_(\d{{8}})_(\d{{6}})_([0-9a-f]{{4}})", name
        )
        if not matched:
            continue
        day, clock, _ = matched.groups()
        if datetime.strptime(f"{day}{clock}+0000", "%Y%m%d%H%M%S%z") < oldest:
            place = place_of(problem.problem, "-".join([problem.problem, *matched.groups()]))
            with objects.explained():
                if not any(objects.keys(s3, settings.bucket, f"{place}/")):
                    found.append(name)
    return found


def manifest(given: TrainingSet, model_id: str, asked: Sequence[str]) -> dict[str, Any]:
    """Return what is needed to make a training set again, and to see that it is the same.

    asked: options of the command beside the problem and the tag.
    """
    problem = given.problem
    columns = ", ".join(problem.wanted)
    code = sorted(Path(__file__).parent.glob("*.py"))
    return {
        "problem": problem.problem,
        "model_id": model_id,
        "table": problem.table,
        "tag": given.tag,
        "snapshots": {problem.table: given.snapshot},
        "query": (  # what people read, and nothing runs
            f"select {columns} from {problem.table} for version as of '{given.tag}' "  # noqa: S608
            f"where {problem.rows} order by {problem.key}, {problem.as_of}"
        ),
        "asked": list(asked),
        "declared": problem.model_dump(mode="json"),
        "columns": [[field.name, str(field.type)] for field in given.table.schema],
        "rows": given.table.num_rows,
        "row_hash": given.row_hash,
        "code_hash": _hash_files(code),
        "lock_hash": _hash_files([ROOT / "requirements" / "models.txt"]),
        "revision": _revision(),
        "seeds": list(problem.split.seeds),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
    }


def _hash_files(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """The commit of this checkout, and whether files differ from it; None without git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None
