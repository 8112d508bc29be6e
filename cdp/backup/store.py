"""The local store's part: a copy of its folder, taken while it stands still.

Objects alone would not do: SeaweedFS keeps the catalog, and when each object was written, in a
database of its own beside them.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cdp import objects
from cdp.backup import manifest
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.settings import Settings
from cdp.stack import lifecycle
from cdp.stack.supervisor import Supervisor

Say = Callable[[str], None]


def is_ours(settings: Settings) -> bool:
    """Whether the store is one that is started here."""
    return not settings.s3_endpoint


def folder(settings: Settings) -> Path:
    return settings.state_dir / "store"


@contextmanager
def still(settings: Settings) -> Iterator[None]:
    """The store is ended, and started again afterwards: until then whoever needs it waits."""
    supervisor = Supervisor(settings.state_dir)
    if "store" in supervisor.processes():
        supervisor.call("stopProcess", "store")
    try:
        yield
    finally:
        lifecycle.up(settings, lambda _: None)


def copy(source: Path, target: Path) -> dict[str, str]:
    """Copy a folder, with the times of its files; what an earlier copy has left is replaced.

    The SHA-256 of each file by its path. Raises CdpError when the disk has no room.
    """
    size = sum(p.stat().st_size for p in source.rglob("*") if p.is_file())
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    free = shutil.disk_usage(target.parent).free
    if size > free:
        raise CdpError(
            f"the store's {size:,} bytes do not fit into {target.parent}, which has {free:,} free",
            "free space there, or name a folder on another disk",
        )
    try:
        shutil.copytree(source, target)
    except (OSError, shutil.Error) as error:
        raise CdpError(f"{source} could not be copied: {error}", "mend it, and again") from error
    names = sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())
    return {n: d for n, d in manifest.digests(target, dict.fromkeys(names, "")).items() if d}


def is_lost(settings: Settings) -> bool:
    """Whether the local store has nothing: no folder, or, while it is up, no object, no table.

    Raises CdpError when it has a folder and does not run, so that nobody can tell.
    """
    where = folder(settings)
    if not where.exists() or not any(where.iterdir()):
        return True
    if "store" not in Supervisor(settings.state_dir).processes():
        raise CdpError(
            f"{where} is there, and the store does not run: it may hold something",
            "cdp up; or move that folder away, and restore again",
        )
    with objects.explained():
        s3 = objects.client(settings)
        found = s3.list_objects_v2(Bucket=settings.bucket, MaxKeys=1)
    return not found.get("Contents") and not Catalog(settings).namespaces()


def bring_back(backup: Path, settings: Settings, say: Say) -> None:
    """Put the backup's copy in the place of a store that has nothing, and start it."""
    where = folder(settings)
    # Beside its place, then at once into it: what is interrupted begins anew.
    unfinished = where.with_name("store.restored")
    copy(backup / manifest.STORE, unfinished)
    supervisor = Supervisor(settings.state_dir)
    if "store" in supervisor.processes():
        supervisor.call("stopProcess", "store")
    shutil.rmtree(where, ignore_errors=True)
    unfinished.rename(where)
    say("the store is in its place")
