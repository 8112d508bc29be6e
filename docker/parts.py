"""Provisions by the locks and lays the parts where the images expect them. Run by the build."""

import shutil
import sys
from pathlib import Path

from cdp.provision import provision
from cdp.settings import Settings


def lay_out(target: Path) -> None:
    """Move the Spark jars, Trino and the Java runtimes to stable names below `target`."""
    # Not `cdp provision`, which would make credentials: none may be in a layer.
    parts = provision(Settings())
    jars = target / "spark-jars"
    jars.mkdir(parents=True)
    for jar in parts.spark_jars:
        shutil.move(jar, jars / jar.name)
    shutil.move(parts.trino, target / "trino")
    # A Java home lies two directories below its installation.
    shutil.move(parts.java_spark.parents[1], target / "java-spark")
    shutil.move(parts.java_trino.parents[1], target / "java-trino")


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
