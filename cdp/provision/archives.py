"""Archives of the classes that Spark and Trino load, so that a start need not parse them.

An archive is bound to its runtime and to the class path, paths included. So Spark's jars are linked
into the cache, where they have one path for all checkouts, and an archive stands in a directory
that is named by the hash of all it depends on. The options are the same whether an archive is there
or not: the JVM goes without one that is missing, damaged or of other jars, and says nothing of it.
Where a setting names a JDK of the machine there is none.
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cdp.errors import CdpError
from cdp.provision.in_place import in_place

EXERCISE = Path(__file__).with_name("exercise.sql")
# Without the check of its sums, a JVM that maps a damaged archive crashes; it takes 0.1 s.
QUIET = ("-XX:+VerifySharedSpaces", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
# Spark's launcher has it before all other jars. None may come twice: the class path of an archive
# leaves out what repeats, and would not be found equal to that of a start.
FIRST = "slf4j-api-"
JAR = re.compile(r"^pyspark/jars/([^/,]+\.jar),sha256=([^,]+),(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Archive:
    """An archive of one engine: its directory, its files, and the options of a JVM, in which {0}
    stands for the directory and {1} for the base. Without files and options where none is made.

    base: the archive of the JDK's own classes that this one stands upon, if it needs one. This one
    holds its path, so it is written there, beside the directory, and never moved.
    """

    directory: Path
    files: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    base: Path | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options of a JVM that uses it, if it is there and right."""
        return tuple(option.format(self.directory, self.base) for option in self.use)

    @property
    def missing(self) -> bool:
        """Whether a file of it is not there. What is damaged is not looked for."""
        paths = [self.directory / name for name in self.files] + ([self.base] if self.base else [])
        return not all(path.exists() for path in paths)

    @property
    def partial(self) -> Path:
        """The directory that it is made in, renamed when it is whole."""
        return self.directory.with_name(f"{self.directory.name}.partial")

    @property
    def failed(self) -> Path:
        """The file that says why it could not be made."""
        return self.directory.with_name(f"{self.directory.name}.failed")

    def writing(self) -> "Archive":
        """The same, not to be used but written to `partial` by a JVM as it ends."""
        return replace(self, directory=self.partial, use=self.train)


def spark(directory: Path) -> Archive:
    """Java 21: one archive of the JDK's classes, and one upon it of Spark's."""
    return Archive(
        directory,
        ("classes.jsa",),
        ("-XX:SharedArchiveFile={1}:{0}/classes.jsa", *QUIET),
        ("-XX:SharedArchiveFile={1}", "-XX:ArchiveClassesAtExit={0}/classes.jsa", *QUIET),
        directory.with_name(f"{directory.name}-jdk.jsa"),
    )


def trino(directory: Path) -> Archive:
    """Java 25: one ahead-of-time cache. It is trained without the optimizing compiler: the profiles
    that it would hold otherwise have methods optimized while the server starts."""
    return Archive(
        directory,
        ("classes.aot",),
        ("-XX:AOTCache={0}/classes.aot", *QUIET, "-Xlog:aot=off"),
        ("-XX:AOTCacheOutput={0}/classes.aot", "-XX:TieredStopAtLevel=1", "-Xlog:aot=off"),
    )


def named(engine: str, cache_dir: Path, *inputs: str) -> Path:
    """The directory of an engine's archive, by the hash of what it depends on.

    inputs: the jars with their hashes, and the runtime. What the training does counts as well.
    """
    train = (spark if engine == "spark" else trino)(Path(engine)).train
    trained = (EXERCISE.read_text(), *train)
    digest = hashlib.sha256("\n".join((*inputs, *trained)).encode()).hexdigest()[:12]
    return cache_dir / "archives" / f"{engine}-{digest}"


def spark_jars(cache_dir: Path) -> Path:
    """Where the jars of this environment's pyspark stand in the cache, by their hashes."""
    try:
        record = distribution("pyspark").read_text("RECORD") or ""
    except PackageNotFoundError:
        record = ""
    jars = sorted(JAR.findall(record))
    digest = hashlib.sha256(repr((FIRST, jars)).encode()).hexdigest()[:12]
    return cache_dir / "spark" / digest / "jars"


def link_spark_jars(target: Path, source: Path) -> None:
    """Have pyspark's jars in `target` too: as links where they can be, which take no room.

    The one that comes first has a directory of its own, `first`.
    Raises CdpError when pyspark has none.
    """

    def make(directory: Path) -> None:
        jars = sorted(source.glob("*.jar"))
        if not jars:
            raise CdpError(f"there are no jars in {source}", "make clean, and make demo")
        (directory / "first").mkdir()
        for jar in jars:
            place = directory / ("first" if jar.name.startswith(FIRST) else "") / jar.name
            try:
                os.link(jar, place)
            except OSError:  # another file system
                shutil.copy2(jar, place)

    in_place(target, make)
