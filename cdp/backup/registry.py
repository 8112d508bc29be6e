"""The registry's part of a backup: a copy of the local file that names the versions of models.

Their files are in the store. A registry on a server is backed up by whoever runs it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from cdp.backup import manifest
from cdp.errors import CdpError
from cdp.settings import Settings


def copy(settings: Settings, folder: Path) -> str:
    """Copy the registry to a backup's folder, as one transaction sees it. Returns its SHA-256, or
    an empty text where there is none."""
    source = settings.registry_file
    if source is None or not source.exists():
        return ""
    target = folder / manifest.REGISTRY
    target.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as opened,
            closing(sqlite3.connect(target)) as copied,
        ):
            opened.backup(copied)
    except (sqlite3.Error, OSError) as error:
        raise CdpError(f"{source} could not be copied: {error}", "mend it, and again") from error
    return manifest.digests(folder, {manifest.REGISTRY: ""})[manifest.REGISTRY] or ""


def _has_versions(path: Path) -> bool:
    """Whether a registry names a model; one that was only looked at is empty."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as opened:
            return bool(opened.execute("select count(*) from model_versions").fetchone()[0])
    except sqlite3.Error:
        return False


def bring_back(backup: Path, settings: Settings) -> bool:
    """Put a backup's registry in the place of one that is lost. Returns whether it was."""
    source, target = backup / manifest.REGISTRY, settings.registry_file
    if target is None or not source.exists() or _has_versions(target):
        return False
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.restored")
    unfinished.write_bytes(source.read_bytes())
    unfinished.chmod(0o600)
    unfinished.rename(target)
    return True
