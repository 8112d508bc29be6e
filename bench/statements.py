"""Counts the statements that a build asks Spark, and times it, before and after.

    python -m bench.statements [REVISION]

Runs on the stack that is up (`cdp demo` first): builds by the SQL layer of this tree and by that of
an earlier revision in turn, on the same tables, and compares the medians. Fails when this tree asks
as many statements as the other.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path

from bench.dbt_log import statements
from bench.page import ROOT, table, write
from cdp.settings import settings

DBT = str(Path(sys.executable).with_name("dbt"))
PARTS = ["dbt_project.yml", "profiles.yml", ".dbtignore"]
PARTS += ["models", "macros", "seeds", "snapshots", "tests/data"]
# The last revision in which each model found by itself what was new to it.
BEFORE = "5729f32"
BUILDS: dict[str, list[str]] = {"nothing is new": [], "full refresh": ["--full-refresh"]}
ROUNDS = 4


def earlier(folder: Path, revision: str) -> Path:
    """Write the SQL layer of a revision to a folder."""
    command = ["git", "archive", revision, *PARTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{revision} is not in this clone: git fetch --unshallow")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def present(folder: Path) -> Path:
    """Copy the SQL layer of this tree to a folder."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy(source, folder / part)
    return folder


def build(folder: Path, options: list[str]) -> tuple[float, dict[str, list[str]]]:
    """Seconds of a build with its tests, and its statements by node."""
    log = folder / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    environment = dict(os.environ) | settings().environment()
    environment |= {"DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
    command = [DBT, "build", *options, "--exclude-resource-type", "unit_test"]
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return seconds, statements(log)


def main() -> None:
    revision = sys.argv[1] if len(sys.argv) > 1 else BEFORE
    rows: list[list[str]] = []
    ratios: list[str] = []
    fewer: list[bool] = []
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as scratch:
        folders = {
            "before": earlier(Path(tempfile.mkdtemp(dir=scratch)), revision),
            "after": present(Path(tempfile.mkdtemp(dir=scratch))),
        }
        for name, options in BUILDS.items():
            runs: dict[str, list[tuple[float, dict[str, list[str]]]]] = {k: [] for k in folders}
            for _ in range(ROUNDS):
                for kind, folder in folders.items():
                    runs[kind].append(build(folder, options))
            medians, totals = {}, {}
            for kind, found in runs.items():
                # The first round is left out: it parses the project, and the server is cold.
                medians[kind] = statistics.median(seconds for seconds, _ in found[1:])
                by_node = found[-1][1]
                totals[kind] = sum(len(each) for each in by_node.values())
                models = [len(s) for n, s in by_node.items() if n and not n.startswith("test.")]
                counts = [str(totals[kind]), str(sum(models)), str(max(models, default=0))]
                rows.append([f"{name}, {kind}", *counts, f"{medians[kind]:.1f}"])
            ratios.append(f"{medians['after'] / medians['before']:.2f} ({name})")
            fewer.append(totals["after"] < totals["before"])
    heading = ["`dbt build` of the sample", "statements", "of models", "most of one", "median, s"]
    write(
        "statements",
        table(heading, rows),
        f"Before is revision {revision}. Ratio of the times: {', '.join(ratios)}; "
        f"{ROUNDS - 1} builds of each in turn.",
    )
    if not all(fewer):
        sys.exit("this tree asks as many statements as before")


if __name__ == "__main__":
    main()
