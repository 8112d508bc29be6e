"""Makes the archives of loaded classes, once a machine: a throw-away stack works, and ends.

The store, Spark Connect and Trino are started in a directory of the cache, on free ports, with JVM
options that have each write its archive as it ends. Archives save time and nothing else, so one
that cannot be made is no error: that is reported, and not tried again until `cdp provision`.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from cdp.provision import Provisioned, archives, locate
from cdp.settings import ROOT, Settings
from cdp.stack.ports import busy
from cdp.stack.service import Service
from cdp.stack.spark import spark_home
from cdp.stack.supervisor import Supervisor

SECONDS = 900  # for all of it, on a machine that has much else to do
DUMP_SECONDS = 300  # for a JVM to write its archive
POLL_SECONDS = 0.25
QUERIES = (
    "select count(*), sum(events_7d) from features where as_of_date > date '2000-01-01'",
    "select kind, count(*) from events e join features f using (customer_id) group by 1 order by 2",
    "select customer_id, row_number() over (order by charges_7d desc) from features limit 5",
    "show tables from marts",
    "describe features",
)


def ensure(
    settings: Settings, parts: Provisioned, report: Callable[[str], None], again: bool = False
) -> None:
    """Have Spark's jars in the cache, and the archives that are missing, if they can be made.

    report: receives a line when there is something to make.
    again: try also what could not be made before.
    """
    with FileLock(settings.cache_dir / "provision.lock"):
        archives.link_spark_jars(parts.spark_home_jars, spark_home() / "jars")
        wanted = {"spark": parts.spark_archive, "trino": parts.trino_archive}
        missing = {
            name: archive
            for name, archive in wanted.items()
            if archive.missing and (again or not archive.failed.exists())
        }
        if not missing:
            return
        report(
            f"making the class archives of {' and '.join(missing)}, once on this machine: "
            "starts are quicker with them"
        )
        started = time.monotonic()
        for archive in missing.values():
            shutil.rmtree(archive.partial, ignore_errors=True)
            archive.partial.mkdir(parents=True)
        reason = _apart(settings, list(missing))
        for name, archive in missing.items():
            whole = all((archive.partial / f).exists() for f in archive.files)
            if whole:
                shutil.rmtree(archive.directory, ignore_errors=True)
                archive.partial.rename(archive.directory)
                archive.failed.unlink(missing_ok=True)
                report(f"the archive of {name} is made: {time.monotonic() - started:.0f} s")
            else:
                shutil.rmtree(archive.partial, ignore_errors=True)
                archive.failed.write_text(reason)
                report(
                    f"the archive of {name} could not be made, and starts take longer: {reason}; "
                    "`cdp provision` tries again"
                )


def _apart(settings: Settings, engines: list[str]) -> str:
    """Train in a process of its own, with its own environment. Returns why it failed, if it did."""
    folder = settings.cache_dir / "training"
    supervisor = Supervisor(folder)
    supervisor.stop()  # what an interrupted training left
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CDP_", "SPARK_", "AWS_"))}
    environment = kept | {"CDP_CACHE_DIR": str(settings.cache_dir)}
    command = [sys.executable, "-m", "cdp.stack.archiving", str(folder), *engines]
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        lines = (done.stderr.strip() or f"it ended with code {done.returncode}").splitlines()
        reason = lines[-1] if done.returncode else "the JVM wrote none"
    except subprocess.TimeoutExpired:
        reason = f"it took more than {SECONDS} s"
    finally:
        supervisor.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return reason


def _settings(folder: Path) -> Settings:
    """The settings of the throw-away stack: of this machine's settings it has the cache alone."""
    fixed = {
        "state_dir": folder,
        "cache_dir": os.environ["CDP_CACHE_DIR"],
        "s3_access_key": "cdptraining",
        "s3_secret_key": "training",
        "spark_token": "training",
        "start_timeout": DUMP_SECONDS,  # a busy machine is no reason to have none
    }
    while True:
        offset = random.randrange(10_000, 20_000)  # noqa: S311 - no secret
        found = Settings.model_validate(fixed | {"port_offset": offset})
        if not busy(_services(found, [])):
            return found


def _services(settings: Settings, engines: list[str]) -> list[Service]:
    """The services that train: those of `engines` write their archives as they end."""
    from cdp.stack.services import services

    parts = locate(settings)
    if "spark" in engines:
        parts = replace(parts, spark_archive=parts.spark_archive.writing())
    if "trino" in engines:
        parts = replace(parts, trino_archive=parts.trino_archive.writing())
    return [replace(s, stop_seconds=DUMP_SECONDS) for s in services(settings, parts)]


def train(folder: Path, engines: list[str]) -> None:
    """Start the stack, have it do a bit of everything, and end each engine by itself."""
    from cdp.stack import lifecycle

    settings = _settings(folder)
    os.environ.update(settings.environment())
    parts = locate(settings)
    if "spark" in engines:
        _base(parts)
    chosen = _services(settings, engines)
    supervisor = Supervisor(folder)
    lifecycle.configure(settings, parts)
    supervisor.start(chosen, settings.environment())
    lifecycle.wait(settings, supervisor, chosen, lambda _: None)
    _exercise(settings)
    for engine in engines:
        supervisor.call("stopProcess", engine, False)
    while any(supervisor.processes()[e]["statename"] != "STOPPED" for e in engines):
        time.sleep(POLL_SECONDS)


def _base(parts: Provisioned) -> None:
    """Make the archive of the JDK's own classes, which this runtime came without."""
    base = parts.spark_archive.base
    if base is None or base.exists():
        return
    partial = base.with_suffix(".partial")
    java = str(parts.java_spark / "bin" / "java")
    subprocess.run(
        [java, "-Xshare:dump", f"-XX:SharedArchiveFile={partial}"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    partial.rename(base)


def _exercise(settings: Settings) -> None:
    from pyspark.sql import functions as f

    from cdp import spark, trino

    session = spark.connect(settings)
    text = "\n".join(
        s for s in archives.EXERCISE.read_text().splitlines() if not s.startswith("--")
    )
    for statement in text.split(";\n"):
        if statement.strip():
            session.sql(statement).collect()
    landed = f"s3a://{settings.bucket}/landing/events"
    events = session.table("lake.raw.events")
    events.write.parquet(landed)
    landed_events = session.read.schema(events.schema).parquet(landed)
    landed_events.writeTo("lake.raw.events").option("fanout-enabled", "true").overwrite(
        f.col(events.columns[0]).isNull()
    )
    session.createDataFrame([(1, "a")], "id int, name string").collect()
    spark.disconnect(settings)
    for sql in QUERIES:
        trino.query(sql, settings)


if __name__ == "__main__":
    train(Path(sys.argv[1]), sys.argv[2:])
