"""Brings the jars, the servers and the Java runtimes into the per-user cache, by hash."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from cdp.provision import archives, download, maven, runtimes
from cdp.provision.archives import Archive
from cdp.settings import Settings


@dataclass(frozen=True)
class Provisioned:
    """Where the parts are: class paths by group, the Java homes, Trino's directory, and archives
    of classes, which may not be there.

    spark_home_jars: the directory of Spark's own jars; spark_jars: what stands before them;
    extra_jars: what comes last, of `Settings.spark_extras`.
    """

    spark_jars: tuple[Path, ...]
    extra_jars: tuple[Path, ...]
    spark_home_jars: Path
    rest_catalog_jars: tuple[Path, ...]
    java_spark: Path
    java_trino: Path
    trino: Path
    spark_archive: Archive
    trino_archive: Archive


def _groups(settings: Settings) -> list[str]:
    optional = ["rest-catalog"] if "rest-catalog" in settings.with_services else []
    return ["spark", "trino", *settings.spark_extras, *optional]


def locate(settings: Settings) -> Provisioned:
    """Where the parts are, or would be: nothing is fetched, nothing is checked."""
    locked = maven.read_lock(_groups(settings))

    def of(group: str) -> tuple[Path, ...]:
        return tuple(settings.artifacts_dir / a.path for a in locked if a.group == group)

    home = archives.spark_jars(settings.cache_dir)
    return Provisioned(
        spark_jars=of("spark"),
        extra_jars=tuple(jar for group in settings.spark_extras for jar in of(group)),
        spark_home_jars=home,
        rest_catalog_jars=of("rest-catalog"),
        java_spark=runtimes.java_home("spark", settings),
        java_trino=runtimes.java_home("trino", settings),
        trino=runtimes.trino_home(settings.cache_dir, *_trino(locked)),
        spark_archive=_archive("spark", settings, locked, str(home)),
        trino_archive=_archive("trino", settings, locked),
    )


def _archive(
    engine: Literal["spark", "trino"],
    settings: Settings,
    locked: list[maven.Artifact],
    *more: str,
) -> Archive:
    """The archive for a runtime and these jars; none for a JDK of the machine."""
    jars = [f"{a.path} {a.sha256}" for a in locked if a.group == engine]
    java = str(runtimes.java_directory(engine, settings.cache_dir))
    directory = archives.named(engine, settings.cache_dir, java, *jars, *more)
    if getattr(settings, f"java_home_{engine}") or not settings.class_archives:
        return Archive(directory)
    return archives.spark(directory) if engine == "spark" else archives.trino(directory)


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
