"""What training costs: all models of the sample, and a generated population of a million rows.

    python -m bench.train [--customers 100000] [--days 180] [--events-per-day 0.5]

The sample is that of this checkout's stack (`make demo`). The population has a stack of its own,
from `cdp generate` to features as of each 14th day; its model is compared with the hazards that
churn was drawn from. Fails when something costs more, or reaches less, than the project promises.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.page import table, write
from bench.startup import CDP, cdp
from bench.transform import BUILD
from cdp import objects
from cdp.models.metrics import NAMES
from cdp.settings import settings

NAME = "bench"
# What the project promises.
SAMPLE_SECONDS, MEMORY_GB, BELOW_CEILING = 180, 8, 0.015
SAMPLE = {"roc_auc": 0.848, "pr_auc": 0.665, "lift_10": 2.8}
SAMPLE_AT_MOST = {"brier": 0.134, "ece": 0.015}


@dataclass(frozen=True)
class Trained:
    """A report, and what it cost. memory: the most of any one process, GB."""

    report: dict[str, Any]
    seconds: float
    cpu: float
    memory: float

    @property
    def best(self) -> dict[str, float]:
        metrics = self.report["candidates"][self.report["estimator"]]["metrics"]
        return {name: metrics[name]["value"] for name in NAMES}


def train(folder: Path, environment: dict[str, str], *arguments: str) -> Trained:
    """Run `cdp train`, and measure it."""
    command = [CDP, "train", *arguments, "--folder", str(folder)]
    started = time.monotonic()
    pid = os.posix_spawn(command[0], command, environment)
    _, status, used = os.wait4(pid, 0)
    seconds = time.monotonic() - started
    if status:
        sys.exit(f"{' '.join(command)} failed")
    report = json.loads((folder / "report.json").read_text())
    return Trained(report, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6)


def populate(asked: argparse.Namespace, folder: Path, environment: dict[str, str]) -> None:
    """Generate a population, and bring it to features."""
    size = ["--customers", str(asked.customers), "--days", str(asked.days)]
    size += ["--events-per-day", str(asked.events_per_day)]
    layout = ["--objects-per-day", "4", "--dirt", "0.01", "--seed", "7", "--name", NAME]
    cdp("generate", *size, *layout, environment=environment)
    found = settings()
    s3 = objects.client(found)
    home = f"generated/{NAME}/changes/"
    changes = []
    for key in objects.keys(s3, found.bucket, home):
        changes.append(folder / key.removeprefix(home).replace("/", "_"))
        s3.download_file(found.bucket, key, str(changes[-1]))
    cdp("land", "crm.customers", *map(str, changes), environment=environment)
    for source in ("usage", "billing", "support"):
        cdp("land", source, environment=environment)
    cdp("load", environment=environment)
    # A population that comes at once has neither a past nor a calm start: drift would refuse it.
    cdp(*BUILD, environment=environment)


def population(asked: argparse.Namespace) -> Trained:
    """Train on a population, on a stack of its own."""
    folder = Path(tempfile.mkdtemp(prefix="cdp-bench-", dir="/var/tmp"))
    ours = ("CDP_", "SPARK_", "DBT_", "AWS_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    environment |= {
        "CDP_STATE_DIR": str(folder / "state"),
        "CDP_PORT_OFFSET": "1800",
        "CDP_SPARK_DRIVER_MEMORY": "6g",
        "CDP_FEATURE_EVERY_DAYS": "14",
    }
    try:
        cdp("up", environment=environment)
        os.environ.update({k: v for k, v in environment.items() if k.startswith("CDP_")})
        settings.cache_clear()
        populate(asked, folder, environment)
        return train(folder / "model", environment, "population", "--truth", NAME)
    finally:
        cdp("down", "--data", environment=environment)
        shutil.rmtree(folder, ignore_errors=True)


def figures(*done: Trained) -> str:
    """A table of what each has cost and reached."""
    rows = [
        ["rows", *(f"{one.report['rows']:,}" for one in done)],
        ["seconds", *(f"{one.seconds:.0f}" for one in done)],
        ["CPU seconds", *(f"{one.cpu:.0f}" for one in done)],
        ["memory of the largest process, GB", *(f"{one.memory:.1f}" for one in done)],
        ["best estimator", *(one.report["estimator"] for one in done)],
        *([name, *(f"{one.best[name]:.4f}" for one in done)] for name in NAMES),
    ]
    return table(["", *(one.report["problem"] for one in done)], rows)


def ceiling(found: dict[str, dict[str, float]]) -> str:
    """A table of the model and the truth."""
    shown = {
        "the hazards that churn was drawn from": "oracle",
        "the same without the hidden label": "observable",
        "the model": "model",
        "the model, on rows of the sample it has not seen": "unseen_rows",
    }
    rows = [
        [what, *(f"{found[name][k]:.4f}" for k in ("value", "low", "high"))]
        for what, name in shown.items()
    ]
    return table(["ROC-AUC", "", "from", "to"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=180)
    # With fewer events a decline of usage cannot be seen, of which a third of the hazard comes.
    parser.add_argument("--events-per-day", type=float, default=0.5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as scratch:
        sample = train(Path(scratch, "model"), dict(os.environ), "sample")
    large = population(given)
    known = large.report["ceiling"]
    write("train", figures(sample, large), ceiling(known))
    gap = known["observable"]["value"] - known["model"]["value"]
    missed = [
        *(f"sample: {n} {sample.best[n]:.4f}" for n, x in SAMPLE.items() if sample.best[n] < x),
        *(
            f"sample: {n} {sample.best[n]:.4f}"
            for n, x in SAMPLE_AT_MOST.items()
            if sample.best[n] > x
        ),
        *([f"sample: {sample.seconds:.0f} s"] if sample.seconds > SAMPLE_SECONDS else []),
        *([f"population: {large.memory:.1f} GB"] if large.memory > MEMORY_GB else []),
        *([f"population: {gap:.4f} below the ceiling"] if gap > BELOW_CEILING else []),
    ]
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
