"""Makes a directory of the cache whole or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path


def in_place(target: Path, make: Callable[[Path], None]) -> Path:
    """Have `target`: `make` fills a directory beside it that is then renamed."""
    if target.exists():
        return target
    # Provisioning holds a lock, so a partial directory is what an interrupted run left.
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    make(partial)
    partial.rename(target)
    return target
