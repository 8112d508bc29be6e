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


def provision(settings: Settings, rehash: bool = False) -> Provisioned:
    """Have every part that the settings ask for. Quick when all is there; safe to interrupt.

    rehash: verify each file by its hash, not by size and modification time.
    Raises CdpError naming the part that could not be had.
    """
    groups = ["spark", "trino"]
    if "rest-catalog" in settings.with_services:
        groups.append("rest-catalog")
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.cache_dir / "provision.lock"):
        locked = maven.read_lock(groups)
        paths = download.ensure(locked, settings.artifacts_dir, rehash)

        def of(group: str) -> tuple[Path, ...]:
            return tuple(path for artifact, path in paths.items() if artifact.group == group)

        connector, server = sorted(of("trino"))
        versions = "-".join(a.sha256[:8] for a in locked if a.group == "trino")
        return Provisioned(
            spark_jars=of("spark"),
            rest_catalog_jars=of("rest-catalog"),
            java_spark=runtimes.install_java("spark", settings),
            java_trino=runtimes.install_java("trino", settings),
            trino=runtimes.trino_home(settings.cache_dir, server, connector, versions),
        )
