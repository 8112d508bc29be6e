"""Brings the jars, the servers and the Java runtimes into the per-user cache, by hash."""

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from cdp.provision import download, maven, runtimes
from cdp.settings import Settings


@dataclass(frozen=True)
class Provisioned:
    """Where the parts are: class paths by group, the Java homes, Trino's directory."""

    spark_jars: tuple[Path, ...]
    rest_catalog_jars: tuple[Path, ...]
    java_spark: Path
    java_trino: Path
    trino: Path


def _groups(settings: Settings) -> list[str]:
    optional = ["rest-catalog"] if "rest-catalog" in settings.with_services else []
    lineage = ["lineage"] if settings.lineage else []
    return ["spark", "trino", *lineage, *optional]


def locate(settings: Settings) -> Provisioned:
    """Where the parts are, or would be: nothing is fetched, nothing is checked."""
    locked = maven.read_lock(_groups(settings))

    def of(group: str) -> tuple[Path, ...]:
        return tuple(settings.artifacts_dir / a.path for a in locked if a.group == group)

    return Provisioned(
        spark_jars=of("spark") + of("lineage"),
        rest_catalog_jars=of("rest-catalog"),
        java_spark=runtimes.java_home("spark", settings),
        java_trino=runtimes.java_home("trino", settings),
        trino=runtimes.trino_home(settings.cache_dir, *_trino(locked)),
    )


def _trino(locked: list[maven.Artifact]) -> tuple[maven.Artifact, maven.Artifact]:
    connector, server = sorted(
        (a for a in locked if a.group == "trino"), key=lambda a: a.coordinate
    )
    return server, connector


def provision(settings: Settings, rehash: bool = False) -> Provisioned:
    """Have every part that the settings ask for. Quick when all is there; safe to interrupt.

    rehash: verify each file by its hash, not by size and modification time.
    Raises CdpError naming the part that could not be had.
    """
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.cache_dir / "provision.lock"):
        locked = maven.read_lock(_groups(settings))
        paths = download.ensure(locked, settings.artifacts_dir, rehash)
        runtimes.install_java("spark", settings)
        runtimes.install_java("trino", settings)
        parts = locate(settings)
        runtimes.unpack_trino(parts.trino, *(paths[a] for a in _trino(locked)))
        return parts
