"""What the overrides of dbt-spark's metadata macros save: the same builds with and without them.

    python -m bench.statements

Runs on the stack that is up (`cdp demo` first), builds of each kind in turn, and compares the
medians. Fails when the overrides save no statement.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.page import ROOT, table, write
from cdp.settings import settings

DBT = str(Path(sys.executable).with_name("dbt"))
PARTS = ["dbt_project.yml", "profiles.yml", ".dbtignore"]
PARTS += ["models", "macros", "seeds", "snapshots", "tests/data"]
# Of the package in macros/iceberg, what bears the name of a macro of dbt-spark and asks or writes
# metadata, or loads a seed. The materializations stay: without them no model could be built.
OVERRIDES = (
    "describe_table_extended_without_caching.sql",
    "spark__alter_column_comment.sql",
    "spark__create_csv_table.sql",
    "spark__load_csv_rows.sql",
    "spark__persist_docs.sql",
    "spark__reset_csv_table.sql",
    "macros.yml",
)
# The package's last, so that the seeds are left as it loads them.
KINDS: dict[str, tuple[str, ...]] = {"dbt-spark's own": OVERRIDES, "with the overrides": ()}
BUILDS: dict[str, list[str]] = {"nothing is new": [], "full refresh": ["--full-refresh"]}
ROUNDS = 4


def project(folder: Path, without: tuple[str, ...]) -> Path:
    """A copy of the dbt project, whose package lacks some of its macros."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy(source, folder / part)
    for name in without:
        (folder / "macros" / "iceberg" / name).unlink()
    return folder


def build(folder: Path, options: list[str]) -> tuple[float, int]:
    """Seconds and statements of a build without its tests."""
    log = folder / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    environment = dict(os.environ) | settings().environment()
    environment |= {"DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
    command = [DBT, "build", *options, "--exclude-resource-type", "unit_test", "test"]
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return seconds, log.read_text().count("SQL status: OK")


def main() -> None:
    rows: list[list[str]] = []
    ratios: list[str] = []
    saved: list[int] = []
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as scratch:
        folders = {
            kind: project(Path(tempfile.mkdtemp(dir=scratch)), without)
            for kind, without in KINDS.items()
        }
        for name, options in BUILDS.items():
            runs: dict[str, list[tuple[float, int]]] = {kind: [] for kind in KINDS}
            for _ in range(ROUNDS):
                for kind, folder in folders.items():
                    runs[kind].append(build(folder, options))
            # The first round is left out: it parses the project, and the server is cold.
            medians = {k: statistics.median(s for s, _ in found[1:]) for k, found in runs.items()}
            counts = {kind: found[-1][1] for kind, found in runs.items()}
            rows += [[f"{name}, {k}", str(counts[k]), f"{medians[k]:.1f}"] for k in KINDS]
            ours, theirs = "with the overrides", "dbt-spark's own"
            ratios.append(f"{medians[ours] / medians[theirs]:.2f} ({name})")
            saved.append(counts[theirs] - counts[ours])
    write(
        "statements",
        table(["build of seeds and models", "statements", "median, s"], rows),
        f"Ratio of the times: {', '.join(ratios)}; {ROUNDS - 1} builds of each in turn.",
    )
    if min(saved) <= 0:
        sys.exit("the overrides save nothing")


if __name__ == "__main__":
    main()
