"""From a stopped stack to the answers: the main job twice, in a state directory of its own.

    python -m bench.startup

Fails when a run takes longer than the project promises on two cores, or the stack more memory.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.page import ROOT, table, write

CDP = str(Path(sys.executable).with_name("cdp"))
LIMITS = {"first run": 120, "second run": 60}
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


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
        environment = alone(state, 900)
        try:
            cdp("up", environment=environment)  # provisions
            cdp("down", environment=environment)
            runs = {name: timed_demo(environment) for name in LIMITS}
            memory = json.loads(cdp("status", "--json", environment=environment))["memory_bytes"]
        finally:
            cdp("down", environment=environment)
    rows = [[step, *(f"{run[step]:.1f}" for run in runs.values())] for step in (*STEPS, "all")]
    rows.append(["limit", *(str(limit) for limit in LIMITS.values())])
    ratio = runs["second run"]["all"] / runs["first run"]["all"]
    write(
        "startup",
        table(["step", *(f"{name}, s" for name in runs)], rows),
        f"Second run by first run: {ratio:.2f}. Memory of the stack: {memory / 1e9:.1f} GB, "
        "limit 5 GB.",
    )
    late = [name for name, limit in LIMITS.items() if runs[name]["all"] > limit]
    if late or memory > 5e9:
        sys.exit(f"over the limit: {', '.join(late) or 'memory'}")


if __name__ == "__main__":
    main()
