"""`cdp train`: a tag, a training set, a model, a version; and whether a set can be made again."""

import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import requests

from cdp.errors import CdpError
from cdp.models import hashes
from cdp.models import problem as problems
from cdp.models import training_set as sets
from cdp.models.judging import Asked
from cdp.models.problem import Problem, Time
from cdp.models.registry import Registry
from cdp.models.train import train
from cdp.models.truth import read as read_truth
from cdp.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """A trained model. version: its number, None where it was not registered."""

    model_id: str
    version: int | None
    report: dict[str, Any]


def run(  # noqa: PLR0913, PLR0917 - what the command is asked for
    name: str,
    at: str,
    folder: Path | None,
    asked: Asked,
    settings: Settings,
    say: Say,
    generation: str | None = None,
) -> Made:
    """Train a problem on what a tag, a branch or main has, and register the model as challenger.

    folder: where to write the model in place of registering it; such a one has no tag of its own.
    generation: the generated population that the rows are of, whose truth the model is compared
    with. Whatever fails leaves no version and no tag. Raises CdpError.
    """
    problem = problems.read(name, settings.problems_dir)
    if generation and not isinstance(problem.split, Time):
        raise CdpError(f"{name} has no truth to compare with", "leave out --truth")
    truth = read_truth(generation, settings) if generation else None
    model_id = sets.new_id(problem)
    if folder:
        make(folder)
        say(f"training {model_id} on {problem.table} at {at}")
        given = sets.read(problem, at, settings)
        return Made(model_id, None, train(given, model_id, folder, asked, say, truth))
    registry = Registry(settings)
    registry.versions(name)  # one that is away is found out before the work
    for left in sets.abandoned(problem, settings):
        if sets.release(problem.table, left, settings):
            say(f"released {left}, of a training that was killed")
    tag = sets.tag(problem, model_id, at, settings)
    say(f"training {model_id} on {problem.table} at the tag {tag}")
    try:
        given = sets.read(problem, tag, settings)
        with tempfile.TemporaryDirectory(prefix="cdp-model-") as made:
            report = train(given, model_id, Path(made), asked, say, truth)
            number = registry.register(name, Path(made))
    except BaseException:
        _take_back(problem.table, model_id, registry, settings, say)
        raise
    return Made(model_id, number, report)


def make(folder: Path) -> None:
    """Make the folder of a model. Raises CdpError when it cannot be written to, or has files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CdpError(f"{folder} is not empty", "name a new folder")
        (folder / "card.html").touch()
    except OSError as error:
        raise CdpError(f"{folder} cannot be made: {error.strerror}", "name another") from error


def _take_back(table: str, model_id: str, registry: Registry, settings: Settings, say: Say) -> None:
    """Release the tag of a training that failed, unless its version stands all the same."""
    tag = sets.tag_of(model_id)
    try:
        if registry.find(model_id) is None:
            sets.release(table, tag, settings)
    except (CdpError, requests.RequestException) as error:
        say(f"warning: {tag} is left, and released by a training of another day: {error}")


def verify(model_id: str, settings: Settings, say: Say) -> None:
    """Make the training set of a model again. Raises CdpError when it is not the same."""
    registry = Registry(settings)
    version = registry.find(model_id)
    if version is None:
        raise CdpError(f"there is no model {model_id}", "cdp models list")
    manifest = json.loads(registry.read(version, "manifest.json"))
    # As it was declared then: the file may have changed since.
    problem = Problem.model_validate(manifest["declared"])
    given = sets.read(problem, manifest["tag"], settings)
    if given.row_hash == manifest["row_hash"]:
        say(f"{given.table.num_rows:,} rows, the same: {given.row_hash}")
        return
    before = pq.read_table(io.BytesIO(registry.read(version, "rows.parquet")))
    trained, keys = before["row"].to_numpy(), before["key"].to_numpy()
    now = hashes.hash_each(given.table)
    gone, new = ~np.isin(trained, now), ~np.isin(now, trained)
    raise CdpError(
        f"the training set of {model_id} is not the same: of {len(trained):,} rows {gone.sum():,} "
        f"are gone, of {len(np.unique(keys[gone])):,} customers, and {new.sum():,} are new",
        f"look at {problem.table} at {manifest['tag']}; cdp runs shows what was published",
    )


def delete(name: str, number: int, settings: Settings, say: Say) -> None:
    """Delete a version, and release the tag of its training set. Raises CdpError for a champion."""
    registry = Registry(settings)
    version = registry.version(name, number)
    try:
        table = json.loads(registry.read(version, "manifest.json"))["table"]
    except CdpError as error:
        table = problems.read(name, settings.problems_dir).table
        say(f"warning: {error.problem}; its tag is looked for in {table}")
    tag = registry.delete(name, number)
    released = sets.release(table, tag, settings)
    say(f"version {number} of {name} is deleted" + (f", and {tag} released" if released else ""))
