"""A disk that is full."""

import resource
import subprocess
from pathlib import Path

from tests.support.landing import ROWS, keys, write_files, write_source
from tests.support.stack import CDP, Stack


def test_a_full_disk_while_landing_loses_nothing(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "full"))
    (path, *_) = write_files(tmp_path)
    done = subprocess.run(
        [CDP, "land", "fault.full", path],
        env=stack.environment(CDP_SOURCES_DIR=sources),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "free disk space" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert keys(stack, "landing/fault/full/") == keys(stack, "ledger/fault/full/") == []
    assert f"landed: {ROWS} rows" in stack.cdp("land", "fault.full", path, CDP_SOURCES_DIR=sources)
