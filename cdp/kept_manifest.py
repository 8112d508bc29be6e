"""What dbt has read of the project, for as long as nothing that it reads has changed.

dbt compares every file with its own partial parse at each start. The fingerprint of a plan says
whether what was read can be used as it is: that takes a fifth of the time.
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

KEPT = "kept_manifest.msgpack"
# Environment variables that profiles.yml reads, and with which tables get other names.
NAMING = ("CDP_CI_RUN",)


def key(arguments: Sequence[str], target: str, settings: Settings) -> str:
    """Hash all that decides what dbt reads. arguments: those that name the target and variables."""
    named = [os.environ.get(name, "") for name in NAMING]
    dbt = sorted(i for i in os.environ.items() if i[0].startswith("DBT_"))
    decided = repr((fingerprint(settings, target), list(arguments), named, dbt))
    return hashlib.sha256(decided.encode()).hexdigest()


def target_folder() -> Path:
    """The folder that dbt writes to, where its own variable does not name another: `target`.

    Commands that run at once on stacks of their own need one each.
    """
    return ROOT / os.environ.get("DBT_TARGET_PATH", "target")


def load(key: str, path: Path | None = None) -> Any:  # noqa: ANN401 - dbt's own class
    """Load the manifest that was read under this key; None where there is none."""
    path = path or target_folder() / KEPT
    try:
        line, _, kept = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if line != _line(key, kept):
        return None
    from dbt.adapters.factory import load_plugin
    from dbt.constants import DEFAULT_ENV_PLACEHOLDER
    from dbt.contracts.graph.manifest import Manifest
    from dbt.flags import set_from_args
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest = Manifest.from_msgpack(kept, decoder=extended_mashumuro_decoder)
    # The variables that models themselves have asked for.
    asked = manifest.env_vars.items()
    if any(os.environ.get(name, DEFAULT_ENV_PLACEHOLDER) != value for name, value in asked):
        return None
    # What dbt's reading does besides: its flags say how a manifest is written, and the adapter's
    # plugin finds materializations.
    set_from_args(Namespace(project_dir=str(ROOT), profiles_dir=str(ROOT)), None)
    load_plugin(manifest.metadata.adapter_type)
    manifest.build_flat_graph()
    return manifest


def keep(key: str, manifest: Any, path: Path | None = None) -> None:  # noqa: ANN401 - dbt's own class
    """Keep a manifest that was just read under a key. A full disk costs the next run time.

    dbt's own file is not used: a command beside this one may have written it since.
    """
    from dbt.parser.manifest import extended_mashumaro_encoder

    path = path or target_folder() / KEPT
    kept = manifest.to_msgpack(extended_mashumaro_encoder)
    written = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        try:
            written.write_bytes(_line(key, kept) + b"\n" + kept)
            written.replace(path)
        finally:
            written.unlink(missing_ok=True)


def _line(key: str, kept: bytes) -> bytes:
    """The first line of the file: the key, and the hash of what follows, which may be damaged."""
    return f"{key} {hashlib.sha256(kept).hexdigest()}".encode()
