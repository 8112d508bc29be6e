"""From a stopped stack to the answers: starts, and the main job twice, in a state directory of
its own.

    python -m bench.startup           # both
    python -m bench.startup starts    # the starts alone

Fails when a run takes longer than the project promises on two cores, or the stack more memory.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

from bench.page import ROOT, table, write
from cdp.stack.supervisor import Supervisor

CDP = str(Path(sys.executable).with_name("cdp"))
LIMITS = {"first run": 60, "second run": 8, "build, nothing new": 3}
MEMORY = 4
# Java's own thresholds; options of the setting come after those of spark_conf/local.conf.
DEFAULTS = (
    "-XX:Tier4InvocationThreshold=5000 -XX:Tier4MinInvocationThreshold=600 "
    "-XX:Tier4CompileThreshold=15000 -XX:Tier4BackEdgeThreshold=40000"
)
# The kinds of start that are compared, each by its settings.
STARTS = {
    "no archives, Java's thresholds": {
        "CDP_CLASS_ARCHIVES": "false",
        "CDP_SPARK_JAVA_OPTIONS": DEFAULTS,
    },
    "no archives": {"CDP_CLASS_ARCHIVES": "false"},
    "archives": {},
}
ROUNDS = 3
GROUP_BY = "select id % 10 as k, count(*) as n, sum(id) as s from range(1000) group by 1"
ASK = f"""
import os
from cdp import spark
from cdp.settings import settings
os.environ.update(settings().environment())
assert len(spark.connect(settings()).sql("{GROUP_BY}").collect()) == 10
"""
STEPS = ("stack", "land", "load", "build", "query")


def alone(state: str, offset: int) -> dict[str, str]:
    """The environment of a stack of its own: a state directory, and how far its ports are off."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CDP_")}
    return kept | {"CDP_STATE_DIR": state, "CDP_PORT_OFFSET": str(offset)}


def timed(act: Callable[[], object]) -> float:
    """Seconds that it took."""
    started = time.monotonic()
    act()
    return time.monotonic() - started


def cdp(*arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [CDP, *arguments], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        sys.exit(f"cdp {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout


def timed_demo(environment: dict[str, str]) -> dict[str, float]:
    """The seconds of each step, as the job tells them, and of the whole command."""
    started = time.monotonic()
    shown = cdp("demo", environment=environment)
    whole = time.monotonic() - started
    told = shown[shown.index("Where the time went") :]
    steps = {s: float(m[1]) for s in STEPS if (m := re.search(rf"\b{s}\s+([\d.]+)", told))}
    return steps | {"all": whole}


def start(environment: dict[str, str]) -> dict[str, float]:
    """Start the stack and ask Spark once: seconds, CPU seconds of the servers, memory in GB."""
    seconds = timed(lambda: cdp("up", environment=environment))
    subprocess.run([sys.executable, "-c", ASK], env=environment, check=True, cwd=ROOT)
    found = Supervisor(Path(environment["CDP_STATE_DIR"])).processes()
    used = {name: psutil.Process(found[name]["pid"]).cpu_times() for name in ("spark", "trino")}
    memory = json.loads(cdp("status", "--json", environment=environment))["memory_bytes"]
    cdp("down", environment=environment)
    return {
        "`cdp up`, s": seconds,
        **{f"CPU of {name}, s": used[name].user + used[name].system for name in used},
        "memory, GB": memory / 1e9,
    }


def compare_starts() -> None:
    """Write the medians of starts of each kind, taken in turn."""
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
        plain = alone(state, 900)
        cdp("up", environment=plain)  # provisions
        cdp("down", environment=plain)
        taken: dict[str, list[dict[str, float]]] = {kind: [] for kind in STARTS}
        try:
            for _ in range(ROUNDS):
                for kind, own in STARTS.items():
                    taken[kind].append(start(plain | own))
        finally:
            cdp("down", environment=plain)
    rows = []
    for figure in taken["archives"][0]:
        medians = [statistics.median(one[figure] for one in taken[kind]) for kind in STARTS]
        rows.append([figure, *(f"{m:.1f}" for m in medians), f"{medians[-1] / medians[0]:.2f}"])
    write(
        "starts",
        table(["from stopped", *STARTS, "ratio"], rows),
        f"Medians of {ROUNDS}, taken in turn; the CPU of Spark is that until a first group-by is "
        "answered.",
    )


def demos() -> dict[str, list[dict[str, float]]]:
    """Run the main job, run it again, and build nothing new, each time from a new state directory.

    Seconds by step and round, and the memory of the stack in GB.
    """
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in LIMITS}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
            environment = alone(state, 900)
            try:
                taken["first run"].append(timed_demo(environment))
                taken["second run"].append(timed_demo(environment))
                build = timed(partial(cdp, "build", environment=environment))
                taken["build, nothing new"].append({"build": build, "all": build})
                status = json.loads(cdp("status", "--json", environment=environment))
                taken["first run"][-1]["memory"] = status["memory_bytes"] / 1e9
            finally:
                cdp("down", environment=environment)
    return taken


def main() -> None:
    compare_starts()
    if "starts" in sys.argv[1:]:
        return
    taken = demos()

    def median(run: str, step: str) -> float | None:
        found = [one[step] for one in taken[run] if step in one]
        return statistics.median(found) if found else None

    rows = []
    for step in (*STEPS, "all"):
        cells = [median(run, step) for run in LIMITS]
        rows.append([step, *("" if cell is None else f"{cell:.1f}" for cell in cells)])
    rows.append(["limit", *(str(limit) for limit in LIMITS.values())])
    memory = median("first run", "memory") or 0
    write(
        "startup",
        table(["step", *(f"{run}, s" for run in LIMITS)], rows),
        f"Medians of {ROUNDS}, each from a new state directory. "
        f"Memory of the stack: {memory:.1f} GB, limit {MEMORY} GB.",
    )
    late = [run for run, limit in LIMITS.items() if (median(run, "all") or 0) > limit]
    if late or memory > MEMORY:
        sys.exit(f"over the limit: {', '.join(late) or 'memory'}")


if __name__ == "__main__":
    main()
