"""Archives of classes: the servers use them, and a damaged one costs time and nothing else."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cdp import spark
from cdp.provision import Provisioned, locate
from cdp.provision.archives import Archive
from cdp.stack import services
from cdp.stack.probes import PROBES
from cdp.stack.spark import spark_home
from tests.support.stack import Stack, free_offset

DAMAGES = ("missing", "empty", "cut", "garbage", "middle")


def damage(path: Path, kind: str) -> None:
    """Leave a file as an accident might."""
    whole = path.read_bytes() if kind in {"cut", "middle"} else b""
    path.unlink()
    if kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "garbage":
        path.write_bytes(os.urandom(1 << 20))
    elif kind == "middle":
        half = len(whole) // 2
        path.write_bytes(whole[:half] + os.urandom(1 << 16) + whole[half + (1 << 16) :])
    elif kind == "empty":
        path.touch()


def copied(archive: Archive, to: Path) -> Archive:
    """A copy that may be damaged."""
    to.mkdir()
    for name in archive.files:
        (to / name).write_bytes((archive.directory / name).read_bytes())
    return replace(archive, directory=to)


@pytest.fixture
def parts(stack: Stack) -> Provisioned:
    return locate(stack.settings())


def test_servers_map_their_archives(stack: Stack, parts: Provisioned) -> None:
    for name, archive in (("spark", parts.spark_archive), ("trino", parts.trino_archive)):
        mapped = {Path(m.path) for m in psutil.Process(stack.pid(name)).memory_maps()}
        files = {archive.directory / file for file in archive.files}
        assert files | ({archive.base} if archive.base else set()) <= mapped


@pytest.mark.parametrize("kind", DAMAGES)
def test_jvm_starts_without_a_damaged_archive_and_says_nothing(
    parts: Provisioned, tmp_path: Path, kind: str
) -> None:
    engines = ((parts.java_spark, parts.spark_archive), (parts.java_trino, parts.trino_archive))
    for number, (java, archive) in enumerate(engines):
        damaged = copied(archive, tmp_path / str(number))
        for name in damaged.files:
            damage(damaged.directory / name, kind)
        done = subprocess.run(
            [java / "bin" / "java", *damaged.options, "-version"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 3, done.stderr


def cpu_seconds_to_the_first_answer(stack: Stack, parts: Provisioned) -> float:
    """Start a second Spark Connect beside that of the stack, on its store and catalog."""
    offset = free_offset(3000)
    found = stack.settings()
    service = next(s for s in services.services(found, parts) if s.name == "spark")
    *command, resource = service.command
    command += ["--conf", f"spark.connect.grpc.binding.port={15002 + offset}"]
    command += ["--conf", f"spark.ui.port={4040 + offset}", resource]
    environment = stack.environment() | found.environment() | dict(service.environment)
    environment.pop("SPARK_REMOTE")
    beside = found.model_copy(update={"spark_remote": f"sc://localhost:{15002 + offset}"})
    with psutil.Popen(command, env=environment, cwd=service.directory) as server:
        try:
            while True:
                assert server.poll() is None, "the server died"
                try:
                    PROBES["spark"](beside)
                    break
                except OSError:
                    time.sleep(0.1)
            rows = spark.connect(beside).sql("select sum(id) as s from range(100)").collect()
            assert rows[0].s == 4950
            used = server.cpu_times()
            return float(used.user + used.system)
        finally:
            spark.disconnect(beside)
            server.terminate()


@pytest.fixture
def _token(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.settings().environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.full
@pytest.mark.usefixtures("_token")
def test_server_answers_without_its_archive_and_takes_longer(
    stack: Stack, parts: Provisioned, tmp_path: Path
) -> None:
    damaged = copied(parts.spark_archive, tmp_path / "damaged")
    damage(damaged.directory / damaged.files[-1], "middle")
    without = cpu_seconds_to_the_first_answer(stack, replace(parts, spark_archive=damaged))
    with_it = cpu_seconds_to_the_first_answer(stack, parts)
    assert with_it < 0.8 * without


def test_command_is_that_of_sparks_own_launcher(stack: Stack, parts: Provisioned) -> None:
    """But for the class path, the archive, and the module that this runtime has not."""
    found = stack.settings()
    service = next(s for s in services.services(found, parts) if s.name == "spark")
    ours = list(service.command)
    arguments = ours[ours.index("org.apache.spark.deploy.SparkSubmit") :]
    launcher = ["-cp", f"{spark_home()}/jars/*", "org.apache.spark.launcher.Main"]
    done = subprocess.run(
        [parts.java_spark / "bin" / "java", *launcher, *arguments],
        env=stack.environment() | dict(service.environment) | {"SPARK_SCALA_VERSION": "2.13"},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = done.stdout.strip("\0\n").split("\0")
    theirs.remove("--add-modules=jdk.incubator.vector")
    for command in (ours, theirs):
        del command[command.index("-cp") + 1], command[0]
    for option in parts.spark_archive.options:
        ours.remove(option)
    assert ours == theirs[:-1] if theirs[-1] == theirs[-2] else ours == theirs
