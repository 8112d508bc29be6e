"""What a backup holds: the catalog's namespaces and tables, and the files of the local store."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cdp.errors import CdpError

# Written last: a folder without it holds a backup that was interrupted.
NAME, STORE, REGISTRY = "manifest.json", "store", "registry.db"
BLOCK = 1 << 20
AT_ONCE = 4


@dataclass(frozen=True)
class Table:
    """A table as a catalog has it.

    metadata: the location of its metadata file, which is all that a catalog keeps of a table.
    snapshot: that of main, None where it has none. refs: snapshots by branch and tag.
    """

    name: str
    uuid: str
    metadata: str
    snapshot: int | None = None
    rows: int = 0
    refs: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A backup. namespaces: their properties, by name. files: the SHA-256 of each file of the
    store's copy by its path in it; empty where the store is not one that is started here.
    registry: the SHA-256 of the copy of the models' registry; empty where there is none."""

    made_at: str
    namespaces: dict[str, dict[str, str]]
    tables: list[Table]
    files: dict[str, str] = field(default_factory=dict)
    registry: str = ""

    def write(self, folder: Path) -> None:
        """Write it as the last part of a backup: whole, or not at all."""
        unfinished = folder / f"{NAME}.part"
        unfinished.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")
        unfinished.replace(folder / NAME)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read(folder: Path) -> Manifest:
    """The backup in a folder, every file of it hashed again.

    Raises CdpError when there is none, when it was interrupted, or when it is damaged.
    """
    path = folder / NAME
    if not path.exists():
        what = "a backup that was interrupted" if folder.exists() else "no backup"
        raise CdpError(f"{folder} holds {what}: there is no {NAME}", "choose another folder")
    try:
        found = json.loads(path.read_text())
        tables = [Table(**table) for table in found.pop("tables")]
        manifest = Manifest(tables=tables, **found)
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(folder, f"{NAME} cannot be read") from error
    for name, expected in digests(folder / STORE, manifest.files).items():
        if expected != manifest.files[name]:
            how = "is missing" if expected is None else "is not what was written"
            raise _damaged(folder, f"{STORE}/{name} {how}")
    if manifest.registry and digests(folder, {REGISTRY: ""})[REGISTRY] != manifest.registry:
        raise _damaged(folder, f"{REGISTRY} is not what was written")
    return manifest


def digests(folder: Path, names: Mapping[str, str]) -> dict[str, str | None]:
    """The SHA-256 of files of a folder, None for one that is not there."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(names, pool.map(lambda n: digest(folder / n), names), strict=True))


def digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _damaged(folder: Path, how: str) -> CdpError:
    return CdpError(f"the backup in {folder} is damaged: {how}", "choose another; nothing was done")
