"""What dbt has read of the project, for as long as nothing that it reads has changed.

dbt keeps it in target/partial_parse.msgpack, and compares every file with it at each start. The
plan of a run has compared them already, so its fingerprint says whether the file can be used as it
is: that takes a fifth of the time.
"""

import hashlib
import os
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cdp.plan.fingerprint import fingerprint
from cdp.settings import ROOT, Settings

KEPT = ROOT / "target" / "partial_parse.msgpack"
# Environment variables that profiles.yml reads, and with which tables get other names.
NAMING = ("CDP_CI_RUN",)


def key(arguments: Sequence[str], target: str, settings: Settings) -> str:
    """Hash all that decides what dbt reads. arguments: those that name the target and variables."""
    named = [os.environ.get(name, "") for name in NAMING]
    dbt = sorted(i for i in os.environ.items() if i[0].startswith("DBT_"))
    decided = repr((fingerprint(settings, target), list(arguments), named, dbt))
    return hashlib.sha256(decided.encode()).hexdigest()


def load(key: str, path: Path = KEPT) -> Any:  # noqa: ANN401 - dbt's own class
    """Load the manifest that was read under this key; None where there is none."""
    try:
        kept = path.read_bytes()
        if _key_file(path).read_text() != _line(key, kept):
            return None
    except OSError:
        return None
    from dbt.adapters.factory import load_plugin
    from dbt.contracts.graph.manifest import Manifest
    from dbt.flags import set_from_args
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest = Manifest.from_msgpack(kept, decoder=extended_mashumuro_decoder)
    # What dbt's reading does besides: its flags say how a manifest is written, and the adapter's
    # plugin finds materializations.
    set_from_args(Namespace(project_dir=str(ROOT), profiles_dir=str(ROOT)), None)
    load_plugin(manifest.metadata.adapter_type)
    manifest.build_flat_graph()
    return manifest


def keep(key: str, path: Path = KEPT) -> None:
    """Note under which key dbt has just read the project. A full disk costs the next run time."""
    with suppress(OSError):
        written = _key_file(path).with_suffix(f".{os.getpid()}")
        written.write_text(_line(key, path.read_bytes()))
        written.replace(_key_file(path))


def _key_file(path: Path) -> Path:
    return path.with_suffix(".key")


def _line(key: str, kept: bytes) -> str:
    """What the key file says: also of which bytes, as other commands of dbt's write them anew."""
    return f"{key} {hashlib.sha256(kept).hexdigest()}\n"
