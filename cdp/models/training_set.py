"""Training sets that can be made again: features at an Iceberg tag of their own, by PyIceberg."""

import hashlib
import re
import secrets
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cdp import lake
from cdp.catalog import Catalog, Change, MovedError
from cdp.errors import CdpError
from cdp.models.problem import Problem
from cdp.settings import ROOT, Settings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "training_"
LIBRARIES = ("lightgbm", "xgboost-cpu", "scikit-learn", "optuna", "onnxruntime", "numpy", "pyarrow")
MODEL_ID = re.compile(r"[a-z][a-z0-9_]*-\d{8}-\d{6}-[0-9a-f]{4}")
# A tag that no model of the registry has, as old as this, was left by a training that was killed.
ABANDONED = timedelta(days=1)


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

    columns = {column: feature(table[column]) for column in problem.columns}
    return pd.DataFrame(columns, columns=list(problem.columns))


def feature(values: pa.ChunkedArray) -> Any:  # noqa: ANN401 - what a frame takes as a column
    """Return a feature's values: float64 with NaN, or a text's as objects with None."""
    if pa.types.is_string(values.type):
        return values.to_pandas().astype(object)
    return values.cast(pa.float64()).to_numpy()


def hash_rows(table: pa.Table) -> str:
    """Return the SHA-256 of rows: of names, types, which values are null, and the values."""
    digest = hashlib.sha256(str(table.num_rows).encode())
    for name in table.column_names:
        values = table[name].combine_chunks()
        digest.update(f"|{name}:{values.type}|".encode())
        digest.update(np.packbits(values.is_null().to_numpy(zero_copy_only=False)).tobytes())
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            filled = values.fill_null("").cast(pa.large_string())
            lengths = pc.binary_length(filled).to_numpy()
            digest.update(lengths.astype("<i4").tobytes())
            digest.update("".join(filled.to_pylist()).encode())
        else:
            plain = values.cast(pa.int32()) if pa.types.is_date32(values.type) else values
            filled = plain.fill_null(pa.scalar(0).cast(plain.type))
            digest.update(np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)).tobytes())
    return digest.hexdigest()


def hash_each(table: pa.Table) -> NDArray[np.uint64]:
    """Return a hash of each row, shape (n,), to find those that differ."""
    import pandas as pd

    hashes: Any = pd.util.hash_pandas_object(table.to_pandas(), index=False)
    return np.asarray(hashes, dtype=np.uint64)


def read(problem: Problem, tag: str, settings: Settings) -> TrainingSet:
    """Read the rows of a problem at a tag, a branch or `main`.

    Raises CdpError when the table, the tag, a column or the rows are missing.
    """
    from pyiceberg.exceptions import NoSuchTableError

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
    names = set(table.schema().column_names)
    if unknown := [c for c in problem.wanted if c not in names]:
        raise CdpError(
            f"{problem.table} has no column {', '.join(unknown)}",
            f"mend problems/{problem.problem}.yml, or add it in the model's SQL and run cdp build",
        )
    rows = table.scan(
        row_filter=problem.rows, selected_fields=problem.wanted, snapshot_id=found.snapshot_id
    ).to_arrow()
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
        keys = rows[problem.key].combine_chunks()
        last = np.append(pc.not_equal(keys[1:], keys[:-1]).to_numpy(zero_copy_only=False), True)
        rows = rows.filter(pa.array(last))
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
    Catalog(settings).commit([Change(state, {name: None}, {name: ("tag", head, 0)})])
    return name


def release(table: str, name: str, settings: Settings) -> bool:
    """Remove the tag of a training set from a table; whether there was one."""
    state = Catalog(settings).load(table)
    if not name.startswith(PREFIX) or state is None or name not in state.refs:
        return False
    try:
        Catalog(settings).commit([Change(state, {name: state.refs[name]}, remove=(name,))])
    except MovedError:
        return False
    return True


def abandoned(problem: Problem, known: set[str], settings: Settings) -> list[str]:
    """Return tags of trainings that were killed: old ones that none of the known models has."""
    state = Catalog(settings).load(problem.table)
    oldest = datetime.now(UTC) - ABANDONED
    found = []
    for name in state.refs if state else ():
        matched = re.fullmatch(
            rf"{PREFIX}{problem.problem}_(\d{{8}})_(\d{{6}})_[0-9a-f]{{4}}", name
        )
        if matched and name not in known:
            moment = datetime.strptime("".join(matched.groups()) + "+0000", "%Y%m%d%H%M%S%z")
            if moment < oldest:
                found.append(name)
    return found


def manifest(given: TrainingSet, model_id: str) -> dict[str, Any]:
    """Return what is needed to make a training set again, and to see that it is the same."""
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
