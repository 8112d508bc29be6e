"""Make a backup of catalog and store, and bring both back."""

import time
from collections.abc import Callable
from pathlib import Path

from cdp.backup import manifest, registry, store
from cdp.backup.manifest import Manifest, Table
from cdp.backup.tables import Tables
from cdp.errors import CdpError
from cdp.publish import lease
from cdp.publish.patience import patiently
from cdp.publish.publisher import Publisher
from cdp.settings import Settings
from cdp.stack import lifecycle
from cdp.stack.probes import require

Say = Callable[[str], None]


def backup(folder: Path, settings: Settings, say: Say, wait: float = 0) -> None:
    """Write a backup to a folder that holds none.

    No run is under way meanwhile. Raises CdpError when the folder has a backup, or anything else.
    """
    if (folder / manifest.NAME).exists():
        raise CdpError(f"{folder} holds a backup already", "name another folder")
    known = {manifest.STORE, manifest.REGISTRY, f"{manifest.NAME}.part"}
    if folder.exists() and {p.name for p in folder.iterdir()} - known:
        raise CdpError(f"{folder} is not empty", "name a folder that is, or that is not there")
    require("the catalog", settings.catalog_url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lease.held(settings, f"backup to {folder}", wait, say):
        # An interrupted publish would be in the backup as such.
        Publisher(settings).recover(say)
        tables = Tables(settings)
        made_at, namespaces, found = manifest.now(), tables.namespaces(), tables.all()
        files: dict[str, str] = {}
        # First: the files of a version are in the store before the registry names it.
        models = registry.copy(settings, folder)
        if store.is_ours(settings):
            started = time.monotonic()
            # What is committed after the tables were asked for is in the copy, too, and a restore
            # finds it there.
            with store.still(settings):
                files = store.copy(store.folder(settings), folder / manifest.STORE)
            say(f"the store stood still for {time.monotonic() - started:.1f} s")
        Manifest(made_at, namespaces, list(found.values()), files, models).write(folder)
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    rows = sum(table.rows for table in found.values())
    say(f"{len(found)} tables with {rows:,} rows are in {folder}: {size / 1e6:,.1f} MB")
    if not files:
        say("of the objects nothing is in it: the store is not started here, and keeps its own")


def restore(folder: Path, settings: Settings, say: Say) -> None:
    """Bring back what was lost: the store, if it is ours and has nothing, and the catalog's tables.

    Raises CdpError, and changes nothing, when the backup is damaged or tables stand that are not
    its own. What was interrupted is restored by doing it again.
    """
    found = manifest.read(folder)
    say(f"the backup of {found.made_at} is whole: {len(found.tables)} tables")
    has_store = bool(found.files) and store.is_ours(settings) and store.is_lost(settings)
    if has_store:
        store.bring_back(folder, settings, say)
        lifecycle.up(settings, say)
    with lease.held(settings, f"restore of {folder}", say=say):
        tables = Tables(settings)
        standing = patiently(tables.all)
        before = len(standing)
        if _is_the_catalog_of_the_store(settings):
            _demand_all(found, standing)
        else:
            standing = tables.register(found, say)
        Publisher(settings).recover(say)
    back = len(standing) - (0 if has_store else before)
    has_models = registry.bring_back(folder, settings)
    if has_models:
        say("the registry of models is in its place")
    if not back and not has_models:
        raise CdpError(
            "nothing is lost: every table of the backup stands, and is left as it is",
            "to go back to an earlier publish: cdp rollback",
        )
    rows = sum(table.rows for table in standing.values())
    say(f"{back} tables are back: {rows:,} rows in all")
    if has_store:
        say("what landed after the backup is to be landed again: docs/backup.md")


def _is_the_catalog_of_the_store(settings: Settings) -> bool:
    """Whether SeaweedFS is the catalog: its tables come and go with the store."""
    is_another = settings.catalog_uri or "rest-catalog" in settings.with_services
    return store.is_ours(settings) and not is_another


def _demand_all(found: Manifest, standing: dict[str, Table]) -> None:
    """See that each table of a backup stands as it was, or was written to since."""
    lacking = [
        t.name for t in found.tables if t.name not in standing or standing[t.name].uuid != t.uuid
    ]
    if lacking:
        raise CdpError(
            f"the store is not empty, and lacks {', '.join(lacking[:5])}",
            "cdp down, move the folder store of the state directory away, and restore again",
        )
