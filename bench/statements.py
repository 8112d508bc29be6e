"""What the overrides of dbt-spark's metadata macros save: the same build with and without them.

    python -m bench.statements

Runs on the stack that is up (`cdp demo` first), a build of each kind in turn, and compares the
medians. Fails when the overrides save nothing.
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
PARTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "snapshots", "tests")
OVERRIDES = (
    "describe_table_extended_without_caching.sql",
    "spark__alter_column_comment.sql",
    "spark__load_csv_rows.sql",
    "spark__reset_csv_table.sql",
    "macros.yml",
)
ROUNDS = 4


def project(folder: Path, without: tuple[str, ...]) -> Path:
    """A copy of the dbt project, without some of its macros."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy(source, folder / part)
    for name in without:
        (folder / "macros" / name).unlink()
    return folder


def build(folder: Path) -> tuple[float, int]:
    """Seconds and statements of a build without its tests."""
    log = folder / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    environment = dict(os.environ) | settings().environment()
    environment |= {"DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
    command = [DBT, "build", "--exclude-resource-type", "unit_test", "test"]
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return seconds, log.read_text().count("SQL status: OK")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as scratch:
        kinds: dict[str, tuple[str, ...]] = {
            "with the overrides": (),
            "dbt-spark's own": OVERRIDES,
        }
        folders = {
            kind: project(Path(tempfile.mkdtemp(dir=scratch)), without)
            for kind, without in kinds.items()
        }
        runs: dict[str, list[tuple[float, int]]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, folder in folders.items():
                runs[kind].append(build(folder))
    medians = {kind: statistics.median(s for s, _ in found[1:]) for kind, found in runs.items()}
    rows = [[kind, str(found[0][1]), f"{medians[kind]:.1f}"] for kind, found in runs.items()]
    ratio = medians["with the overrides"] / medians["dbt-spark's own"]
    write(
        "statements",
        table(["build of seeds and models", "statements", "median, s"], rows),
        f"Ratio of the times: {ratio:.2f}, over {ROUNDS - 1} builds of each in turn.",
    )
    if ratio > 1:
        sys.exit("the overrides save nothing")


if __name__ == "__main__":
    main()
