"""Whatever happens on the way, a table is the one that a clean run gives: each row exactly once.

Each schedule is a source of its own. In rounds, new and old files are delivered to it, shuffled,
renamed and repeated, while `cdp land` and `cdp load` over all of them are killed at random moments,
run twice at once, or lose Spark under their hands. In the end the same distinct files are delivered
to a clean twin, once each, and the tables are compared by a hash of their rows.
"""

import gzip
import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cdp import objects
from tests.support.chaos import RECONCILE, source
from tests.support.stack import CDP, Stack

SCHEDULES, FEW = 24, 1
SEED = int(os.environ.get("CDP_TEST_SEED", "20241231"))
# What is done to landing and loading in a round; by day not the last one, which is the first again.
ROUNDS = ["kill load", "kill land", "kill Spark", "two at once", "kill load"]

# Not its tests: other tests leave batches behind that are not reconciled, as they should be.

HASH = """
    select
        schedule,
        count(*) as row_total,
        to_hex(checksum(row(event_id, payload, _extra, _source_row))) as content
    from ({tables})
    group by schedule
    order by schedule
"""


@dataclass
class Schedule:
    """What one source is given: the distinct files so far, and what was done with them."""

    number: int
    dice: random.Random
    files: list[bytes] = field(default_factory=list)
    delivered: list[tuple[str, bytes]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def new_file(self) -> bytes:
        """Some lines, a few of them broken; whole files differ, rows may be equal."""
        lines = []
        for _ in range(self.dice.randrange(1, 60)):
            row = {
                "schedule": self.number,
                "event_id": str(self.dice.randrange(10**6)),
                "payload": self.dice.choice(["", "x", "ü", None, 1, 2.5, True]),
            }
            if self.dice.random() < 0.1:
                row["surplus"] = self.dice.randrange(3)
            line = json.dumps(row)
            lines.append(line[:-1] if self.dice.random() < 0.05 else line)
        lines.append(json.dumps({"schedule": self.number, "event_id": f"f{len(self.files)}"}))
        text = "\n".join(lines).encode()
        return gzip.compress(text) if self.dice.random() < 0.5 else text

    def deliveries(self) -> list[tuple[str, bytes]]:
        """Keys and bodies of a round: some new, some again under the same or another name."""
        chosen = []
        for _ in range(self.dice.randrange(1, 4)):
            self.files.append(self.new_file())
            chosen.append((self._name(), self.files[-1]))
        for _ in range(self.dice.randrange(3)):
            name, again = self.dice.choice(self.delivered + chosen)
            # Another file under an old name would take back what may not have landed yet.
            chosen.append((name if self.dice.random() < 0.5 else self._name(), again))
            self.done.append("delivered again")
        self.delivered += chosen
        self.dice.shuffle(chosen)
        return [(f"inbox/chaos/t{self.number}/{name}", body) for name, body in chosen]

    def _name(self) -> str:
        """Names are in no order of time."""
        return f"{self.dice.randrange(16**8):08x}.jsonl"


def test_any_schedule_of_faults_gives_the_table_of_a_clean_run(
    stack: Stack, tmp_path: Path, full: bool
) -> None:
    number = SCHEDULES if full else FEW
    dice = random.Random(SEED)  # noqa: S311
    schedules = [Schedule(n, random.Random(f"{SEED} {n}")) for n in range(number)]  # noqa: S311
    for each in schedules:
        source(tmp_path, f"t{each.number}")
    sources = str(tmp_path)
    found = stack.settings()
    s3 = objects.client(found)

    for fault in ROUNDS if full else ROUNDS[:-1]:
        for each in schedules:
            for key, body in each.deliveries():
                s3.put_object(Bucket=found.bucket, Key=key, Body=body)
            each.done.append(fault)
        _round(stack, fault, dice, sources)
    stack.cdp("up")
    stack.cdp("land", "chaos", CDP_SOURCES_DIR=sources)
    stack.cdp("load", "chaos", CDP_SOURCES_DIR=sources)
    # The same once more: a replay of everything adds nothing.
    assert "0 objects landed" in stack.cdp("land", "chaos", CDP_SOURCES_DIR=sources)
    assert "t0: 0 rows loaded" in stack.cdp("load", "chaos", CDP_SOURCES_DIR=sources)

    clean = tmp_path / "clean"
    clean.mkdir()
    source(clean, "clean")
    for each in schedules:
        for n, body in enumerate(each.files):
            key = f"inbox/chaos/clean/{each.number}-{n}.jsonl"
            s3.put_object(Bucket=found.bucket, Key=key, Body=body)
    stack.cdp("land", "chaos", CDP_SOURCES_DIR=str(clean))
    stack.cdp("load", "chaos", CDP_SOURCES_DIR=str(clean))

    tables = " union all ".join(f"select * from raw.chaos_t{n.number}" for n in schedules)  # noqa: S608
    expected = stack.query(HASH.format(tables="select * from raw.chaos_clean"))
    assert len(expected) == number
    actual = stack.query(HASH.format(tables=tables))
    for each, got, want in zip(schedules, actual, expected, strict=True):
        assert got == want, f"seed {SEED}, schedule {each.number}: {each.done}"
    _reconciled(stack, number)


def _reconciled(stack: Stack, number: int) -> None:
    """The query that people have agrees, and would not if a row were missing."""
    stack.cdp("build", *RECONCILE)
    counts = (
        "select count(*) as n, count_if(is_reconciled) as good, sum(landed) as landed, "
        "sum(loaded) as loaded from monitoring.mon_reconciliation where source_name like 'chaos.t%'"
    )
    (row,) = stack.query(counts)
    assert row["n"] >= number
    assert row["good"] == row["n"]
    assert row["landed"] == row["loaded"]


def _round(stack: Stack, fault: str, dice: random.Random, sources: str) -> None:
    """Land and load all schedules while something happens to it."""
    land = [CDP, "land", "chaos"]
    load = [CDP, "load", "chaos"]
    environment = stack.environment(CDP_SOURCES_DIR=sources)
    if fault == "kill land":
        for _ in range(3):
            _killed_after(land, environment, dice.uniform(1.0, 3.0))
        return
    if fault == "two at once":
        runs = [_start(land, environment) for _ in range(2)]
        assert [run.wait(timeout=120) for run in runs] == [0, 0]
        _killed_after(load, environment, dice.uniform(3.0, 8.0))
        return
    assert _start(land, environment).wait(timeout=120) == 0
    if fault == "kill load":
        for _ in range(2):
            _killed_after(load, environment, dice.uniform(2.5, 8.0))
        return
    loading = _start(load, environment)
    _wait(loading, dice.uniform(3.0, 8.0))
    psutil.Process(stack.pid("spark")).kill()
    loading.wait(timeout=180)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _wait(run: subprocess.Popen[bytes], seconds: float) -> None:
    """Let it run for so long: the moment of a fault is chance, not a condition to wait for."""
    end = time.monotonic() + seconds
    while run.poll() is None and time.monotonic() < end:
        time.sleep(0.02)


def _killed_after(command: list[str], environment: dict[str, str], seconds: float) -> None:
    run = _start(command, environment)
    _wait(run, seconds)
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=60)
