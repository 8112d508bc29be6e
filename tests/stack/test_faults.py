"""Faults in the middle of work: nothing is lost, nothing is doubled, and the message says it."""

import os
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from cdp import objects
from cdp.landing import lander
from cdp.landing.ledger import Ledger
from cdp.landing.source import find
from tests.conftest import CDP, SAMPLE, Stack

ROWS = 200_000
FILES = 4


def wait_for(what: Callable[[], bool], seconds: float = 60, every: float = 0.01) -> None:
    """Wait until a condition holds.

    every: seconds between two looks, of what is not free to ask.
    """
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "the moment did not come"
        time.sleep(every)


def write_source(folder: Path, table: str) -> Path:
    folder.mkdir()
    (folder / "source.yml").write_text(
        f"{{source: fault, table: {table}, description: of a test, owner: nobody, format: parquet, "
        "key: [id], ordering: id, columns: [{name: id, type: integer, required: true}, "
        "{name: payload, type: string}]}"
    )
    return folder


def write_files(folder: Path) -> list[str]:
    """Files with ids 1 to FILES * ROWS, each once."""
    paths = []
    for number in range(FILES):
        ids = pa.array(range(number * ROWS + 1, (number + 1) * ROWS + 1), pa.int64())
        path = folder / f"{number}.parquet"
        pq.write_table(pa.table({"id": ids, "payload": ids.cast(pa.string())}), path)
        paths.append(str(path))
    return paths


def keys(stack: Stack, prefix: str) -> list[str]:
    found = stack.settings()
    return list(objects.keys(objects.client(found), found.bucket, prefix))


@pytest.mark.parametrize("moment", ["the batch has begun", "the batch is written"])
def test_spark_killed_in_the_middle_of_a_load(stack: Stack, tmp_path: Path, moment: str) -> None:
    table = "begun" if "begun" in moment else "written"
    sources = str(write_source(tmp_path / "src", table))
    stack.cdp("land", f"fault.{table}", *write_files(tmp_path), CDP_SOURCES_DIR=sources)
    begun = _offsets(stack)
    loading = subprocess.Popen(
        [CDP, "load", f"fault.{table}"],
        env=stack.environment(CDP_SOURCES_DIR=sources),
        stderr=subprocess.PIPE,
        text=True,
    )
    # The stream enters a batch into `offsets` before it reads, and into `commits` after Iceberg
    # has it; in between lie the writing, and the moment when only Iceberg knows.
    if table == "begun":
        wait_for(lambda: _offsets(stack) > begun)
    else:
        wait_for(lambda: _has_data(stack, table))
    # The JVM, not the launcher's shell.
    psutil.Process(stack.pid("spark")).kill()
    _, told = loading.communicate(timeout=180)
    if loading.returncode:  # it may have finished just before
        assert told.strip().splitlines()[-2].startswith("error: "), told
        assert "Traceback" not in told
    stack.cdp("up")
    stack.cdp("load", f"fault.{table}", CDP_SOURCES_DIR=sources)
    counts = f"select count(*) as n, count(distinct id) as ids from raw.fault_{table}"  # noqa: S608
    assert stack.query(counts) == [{"n": FILES * ROWS, "ids": FILES * ROWS}]
    assert "0 rows loaded" in stack.cdp("load", f"fault.{table}", CDP_SOURCES_DIR=sources)


def test_a_load_waits_for_the_stream_of_one_that_was_killed(stack: Stack, tmp_path: Path) -> None:
    """Its client is gone, and Spark goes on with it."""
    sources = str(write_source(tmp_path / "src", "left"))
    stack.cdp("land", "fault.left", *write_files(tmp_path), CDP_SOURCES_DIR=sources)
    begun = _offsets(stack)
    loading = subprocess.Popen(
        [CDP, "load", "fault.left"], env=stack.environment(CDP_SOURCES_DIR=sources)
    )
    wait_for(lambda: _offsets(stack) > begun)
    loading.kill()
    loading.wait()
    stack.cdp("load", "fault.left", CDP_SOURCES_DIR=sources)
    counts = "select count(*) as n, count(distinct id) as ids from raw.fault_left"
    assert stack.query(counts) == [{"n": FILES * ROWS, "ids": FILES * ROWS}]


def _offsets(stack: Stack) -> int:
    """How many batches all streams have begun."""
    return sum("/offsets/" in key for key in keys(stack, "checkpoints/"))


def _has_data(stack: Stack, table: str) -> bool:
    """Whether Iceberg has committed rows, as Trino sees it."""
    try:
        rows = stack.query(f'select count(*) as n from raw."fault_{table}$snapshots"')  # noqa: S608
    except AssertionError:
        return False
    return bool(rows[0]["n"])


def test_a_land_killed_after_it_was_entered_is_completed_once(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger has the batch, the landing zone has not: as after a kill between the two."""
    folder = write_source(tmp_path / "src", "entered")
    (path, *_) = write_files(tmp_path)
    found = stack.settings()
    source = find("fault.entered", folder)
    monkeypatch.setattr(Ledger, "publish", _die)
    with pytest.raises(KeyboardInterrupt):
        lander.land(Path(path), source, found)
    monkeypatch.undo()
    entry = Ledger(source, found).entry(1)
    assert entry
    assert keys(stack, "staged/fault/entered/") == [part.staged for part in entry.parts]
    assert keys(stack, "landing/fault/entered/") == []

    for _ in range(2):
        assert lander.land(Path(path), source, found) == lander.Landed(ROWS, 0, already=True)
        assert keys(stack, "staged/fault/entered/") == []
        assert keys(stack, "landing/fault/entered/") == [part.key for part in entry.parts]
    assert keys(stack, "ledger/fault/entered/") == ["ledger/fault/entered/000000000001.json"]


def test_a_land_killed_before_it_was_entered_has_done_nothing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has staged is litter: nobody reads it, and it is in nobody's way."""
    folder = write_source(tmp_path / "src", "staged")
    (path, *_) = write_files(tmp_path)
    found = stack.settings()
    source = find("fault.staged", folder)
    monkeypatch.setattr(Ledger, "enter", _die)
    with pytest.raises(KeyboardInterrupt):
        lander.land(Path(path), source, found)
    monkeypatch.undo()
    (litter,) = keys(stack, "staged/fault/staged/")
    assert keys(stack, "landing/fault/staged/") == keys(stack, "ledger/fault/staged/") == []

    assert lander.land(Path(path), source, found) == lander.Landed(ROWS, 0, already=False)
    assert len(keys(stack, "landing/fault/staged/")) == 1
    assert keys(stack, "staged/fault/staged/") == [litter]


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_two_runs_that_land_one_file_at_once_write_one_object(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "race"))
    (path, *_) = write_files(tmp_path)
    runs = [
        subprocess.Popen(
            [CDP, "land", "fault.race", path],
            env=stack.environment(CDP_SOURCES_DIR=sources),
            stdout=subprocess.DEVNULL,
        )
        for _ in range(3)
    ]
    assert [run.wait(timeout=120) for run in runs] == [0, 0, 0]
    assert len(keys(stack, "landing/fault/race/")) == len(keys(stack, "ledger/fault/race/")) == 1
    assert keys(stack, "staged/fault/race/") == []
    assert f"{ROWS} rows loaded" in stack.cdp("load", "fault.race", CDP_SOURCES_DIR=sources)


def test_a_full_disk_while_landing_loses_nothing(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "full"))
    (path, *_) = write_files(tmp_path)
    done = subprocess.run(
        [CDP, "land", "fault.full", path],
        env=stack.environment(CDP_SOURCES_DIR=sources),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "free disk space" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert keys(stack, "landing/fault/full/") == keys(stack, "ledger/fault/full/") == []
    assert f"landed: {ROWS} rows" in stack.cdp("land", "fault.full", path, CDP_SOURCES_DIR=sources)


def test_a_store_that_is_away_is_told_and_nothing_is_lost(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "away"))
    (path, *_) = write_files(tmp_path)
    stack.cdp("land", "fault.away", path, CDP_SOURCES_DIR=sources)
    store = psutil.Process(stack.pid("store"))
    store.suspend()  # it holds its port and answers nothing: the worst way to be away
    store.kill()
    from cdp.stack.supervisor import Supervisor

    Supervisor(stack.state_dir).call("stopProcess", "store")
    try:
        stack.refused("land", "fault.away", str(SAMPLE), CDP_SOURCES_DIR=sources)
        line = stack.refused("load", "fault.away", CDP_SOURCES_DIR=sources)
        assert "the object store does not do it" in line
    finally:
        stack.cdp("up")
    assert f"{ROWS} rows loaded" in stack.cdp("load", "fault.away", CDP_SOURCES_DIR=sources)


def test_an_object_that_is_already_there_is_not_overwritten(stack: Stack) -> None:
    """What the ledger rests on: the store's conditional put."""
    found = stack.settings()
    s3 = objects.client(found)
    s3.put_object(Bucket=found.bucket, Key=f"test/{os.getpid()}", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=found.bucket, Key=f"test/{os.getpid()}", Body=b"2", IfNoneMatch="*")
