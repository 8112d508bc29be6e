"""The commands of the project, each in a process of its own that need not import first.

Most of what a short command takes is Python's imports. So a server imports them once, and each
command is a fork of it: its own environment, folder, output and exit code, as when a shell starts
it. tests/unit/test_commands.py starts `cdp` as a shell does; faults that kill a command do, too.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from multiprocessing.context import ForkServerContext
from pathlib import Path

# What commands import, and those that tests kill in their middle: tests/support/killed.py. A fork
# may have it, since nothing of it starts a thread.
PRELOADED = [
    "boto3",
    "cdp.cli",
    "cdp.publish.run",
    "dbt.adapters.spark.impl",
    "dbt.cli.main",
    "duckdb",
    "pandas",
    "pyarrow.parquet",
    "pyiceberg.catalog.rest",
    "pyspark.sql.connect.session",
    "tests.support.killed",
    "trino.dbapi",
    __name__,
]
OURS = ("cdp",)


def processes() -> ForkServerContext:
    """Where such processes come from: a server that has no threads which a fork would lose."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def run(
    arguments: list[str], folder: Path, environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run `cdp` with the arguments; its exit code, and what it wrote to both streams.

    folder: where it runs. environment: all of it; of its PYTHONPATH is the project's code.
    timeout: seconds. Raises subprocess.TimeoutExpired when it takes longer.
    """
    with tempfile.TemporaryDirectory(prefix="cdp-command-") as scratch:
        streams = [Path(scratch) / name for name in ("stdout", "stderr")]
        given = (arguments, str(folder), environment, [str(path) for path in streams])
        process = processes().Process(target=_command, args=given)
        process.start()
        try:
            process.join(timeout)
            if process.is_alive():
                raise subprocess.TimeoutExpired(arguments, timeout)
        finally:
            # A test that has taken too long leaves from the join, too: nothing of it may stay.
            process.kill()
            process.join()
        said, errors = (path.read_text(encoding="utf-8", errors="replace") for path in streams)
    code = process.exitcode if process.exitcode is not None else -1
    return subprocess.CompletedProcess(["cdp", *arguments], code, said, errors)


def _command(
    arguments: list[str], folder: str, environment: dict[str, str], streams: list[str]
) -> None:
    """Be the command: in the fork."""
    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = environment.get("PYTHONPATH")
    if code:
        # Another checkout's: none of this one's may stay.
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
        sys.path.insert(0, code)
    sys.argv = ["cdp", *arguments]
    from cdp.__main__ import main

    try:
        main()
    finally:
        # A fork ends without what an interpreter does at its end.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
