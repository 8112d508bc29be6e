"""A version of a model: what the registry knows of it, and what its folder says."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdp.errors import CdpError

# What each has, beside what else training writes.
FILES = (
    "model.joblib",
    "model.onnx",
    "manifest.json",
    "report.json",
    "card.html",
    "predictions.parquet",
    "rows.parquet",
)
# What the models of problems are called.
PREFIX = "churn_"
PREVIOUS = "previous_champion"
# Figures that are tags, so that MLflow's own pages show them.
METRICS = ("roc_auc", "pr_auc", "brier", "log_loss", "ece")
MODEL_ID = re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Version:
    """A version of a problem's model, as it is registered.

    registered_at: ISO 8601. source: where its files are, as s3://bucket/key. files: the SHA-256 of
    each, by name. verdict: what the gate said when it was to be promoted. previous: the number of
    the champion that it followed.
    """

    problem: str
    number: int
    model_id: str
    estimator: str
    roc_auc: float | None
    row_hash: str
    training_tag: str
    registered_at: str
    aliases: tuple[str, ...]
    source: str
    files: Mapping[str, str]
    verdict: Mapping[str, Any] | None
    previous: int | None

    @classmethod
    def of(cls, problem: str, told: Any, aliases: Mapping[str, int]) -> "Version":  # noqa: ANN401
        """Return a version of MLflow's. aliases: of all versions, with the number of each."""
        number, tags = int(told.version), told.tags
        moment = datetime.fromtimestamp(told.creation_timestamp / 1000, UTC)
        return cls(
            problem=problem,
            number=number,
            model_id=tags.get("model_id", ""),
            estimator=tags.get("estimator", ""),
            roc_auc=float(tags["roc_auc"]) if "roc_auc" in tags else None,
            row_hash=tags.get("row_hash", ""),
            training_tag=tags.get("training_tag", ""),
            registered_at=moment.isoformat(timespec="seconds"),
            aliases=tuple(sorted(alias for alias, at in aliases.items() if at == number)),
            source=told.source,
            files=json.loads(tags.get("files", "{}")),
            verdict=json.loads(tags["verdict"]) if "verdict" in tags else None,
            previous=int(tags.get(PREVIOUS, 0)) or None,
        )

    def place(self, file: str) -> tuple[str, str]:
        """Return the bucket and the key of a file."""
        bucket, _, key = self.source.removeprefix("s3://").partition("/")
        return bucket, f"{key}/{file}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"version {self.number} of {PREFIX}{self.problem}"


def place_of(problem: str, model_id: str) -> str:
    """Return the prefix in the bucket of a model's files."""
    return f"models/{PREFIX}{problem}/{model_id}"


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder. Raises CdpError when one of FILES is missing."""
    if missing := [file for file in FILES if not (folder / file).is_file()]:
        raise CdpError(f"{folder} lacks {', '.join(missing)}", "cdp train makes such a folder")
    found = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def tags(folder: Path, problem: str) -> dict[str, str]:
    """Return what a version says of itself. Raises CdpError when it is another problem's."""
    try:
        report = json.loads((folder / "report.json").read_bytes())
        manifest = json.loads((folder / "manifest.json").read_bytes())
        metrics = report["candidates"][report["estimator"]]["metrics"]
        found = {name: str(metrics[name]["value"]) for name in METRICS}
        found |= {name: str(manifest[name]) for name in ("model_id", "row_hash")}
        found |= {"estimator": str(report["estimator"]), "training_tag": str(manifest["tag"])}
        told = {report["problem"], manifest["problem"], problem}
    except (ValueError, KeyError, TypeError) as error:
        raise CdpError(
            f"report.json or manifest.json of {folder} is damaged: {error!r}", "cdp train again"
        ) from error
    if len(told) > 1 or not MODEL_ID.fullmatch(found["model_id"]):
        raise CdpError(f"{folder} has no model of {problem}", "cdp train makes such a folder")
    return found
