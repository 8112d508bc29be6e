"""Whether anything has changed that dbt and contracts read: one hash, without dbt."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cdp.settings import ROOT, Settings

# Raised when the graph or its checksums are made otherwise.
FORMAT = 2
FOLDERS = ("models", "macros", "seeds", "snapshots", "tests/data")
FILES = ("dbt_project.yml", "profiles.yml", ".dbtignore")
PACKAGES = ("dbt-core", "dbt-adapters", "dbt-spark")


@cache
def _versions() -> tuple[str, ...]:
    return tuple(f"{name} {version(name)}" for name in PACKAGES)


def fingerprint(settings: Settings, target: str) -> str:
    """The hash of all files that dbt reads, of the versions of dbt, and of the settings that models
    read. target: dbt's."""
    found = hashlib.sha256()
    settled = (FORMAT, *_versions(), target, settings.feature_every_days)
    found.update(repr(settled).encode())
    for path in _files():
        body = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)} {len(body)}\n".encode())
        found.update(body)
    return found.hexdigest()[:32]


def _files() -> Iterator[Path]:
    for name in FILES:
        if (path := ROOT / name).exists():
            yield path
    for name in FOLDERS:
        yield from sorted(p for p in (ROOT / name).rglob("*") if p.is_file())


def contracts(settings: Settings) -> dict[str, str]:
    """The hash of each contract, by its table."""
    files = sorted(settings.contracts_dir.glob("*/*.yml"))
    return {
        f"{p.parent.name}.{p.stem}": hashlib.sha256(p.read_bytes()).hexdigest()[:16] for p in files
    }
