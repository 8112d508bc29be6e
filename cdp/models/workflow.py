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

from cdp.errors import CdpError
from cdp.models import problem as problems
from cdp.models import training_set as sets
from cdp.models.judging import Asked
from cdp.models.problem import Problem
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
    truth = read_truth(generation, settings) if generation else None
    problem = problems.read(name, settings.problems_dir)
    model_id = sets.new_id(problem)
    if folder:
        say(f"training {model_id} on {problem.table} at {at}")
        given = sets.read(problem, at, settings)
        return Made(model_id, None, train(given, model_id, folder, asked, say, truth))
    registry = Registry(settings)
    _release_abandoned(problem, registry, settings, say)
    tag = sets.tag(problem, model_id, at, settings)
    say(f"training {model_id} on {problem.table} at the tag {tag}")
    try:
        given = sets.read(problem, tag, settings)
        with tempfile.TemporaryDirectory(prefix="cdp-model-") as made:
            report = train(given, model_id, Path(made), asked, say, truth)
            number = registry.register(name, Path(made))
    except BaseException:
        sets.release(problem.table, tag, settings)
        raise
    return Made(model_id, number, report)


def _release_abandoned(problem: Problem, registry: Registry, settings: Settings, say: Say) -> None:
    """Release the tags of trainings that were killed."""
    known = {version.training_tag for version in registry.versions(problem.problem)}
    for tag in sets.abandoned(problem, known, settings):
        if sets.release(problem.table, tag, settings):
            say(f"released {tag}, of a training that was killed")


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
    trained = pq.read_table(io.BytesIO(registry.read(version, "rows.parquet")))["row"].to_numpy()
    now = sets.hash_each(given.table)
    gone, new = np.setdiff1d(trained, now), np.setdiff1d(now, trained)
    raise CdpError(
        f"the training set of {model_id} is not the same: of {len(trained):,} rows {len(gone):,} "
        f"are gone, and {len(new):,} are new",
        f"look at {problem.table} at {manifest['tag']}; cdp runs shows what was published",
    )


def delete(name: str, number: int, settings: Settings, say: Say) -> None:
    """Delete a version, and release the tag of its training set. Raises CdpError for a champion."""
    table = problems.read(name, settings.problems_dir).table
    registry = Registry(settings)
    try:
        manifest = registry.read(registry.version(name, number), "manifest.json")
        table = json.loads(manifest)["table"]
    except CdpError as error:
        say(f"warning: {error.problem}; its tag is looked for in {table}")
    tag = registry.delete(name, number)
    released = sets.release(table, tag, settings)
    say(f"version {number} of {name} is deleted" + (f", and {tag} released" if released else ""))
