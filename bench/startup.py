"""From a stopped stack to the answers: the main job twice, in a state directory of its own.

    python -m bench.startup

Prints the table of docs/benchmarks.md and writes it there between its marks. The limits are those
that the project promises on two cores; the ratio of the second run to the first is what to compare
across machines.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
CDP = str(Path(sys.executable).with_name("cdp"))
LIMITS = {"first run": 120, "second run": 60}
STEPS = ("stack", "land", "load", "build", "check", "query")


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
    table = shown[shown.index("Where the time went") :]
    steps = {s: float(m[1]) for s in STEPS if (m := re.search(rf"\b{s}\s+([\d.]+)", table))}
    return steps | {"all": whole}


def page(runs: dict[str, dict[str, float]], memory: float) -> str:
    processor = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    system = f"{platform.system()} {platform.machine()}"
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {system}, {processor}, "  # noqa: ISC004
        f"Python {platform.python_version()}.",
        "",
        "| step | " + " | ".join(f"{name}, s" for name in runs) + " |",
        "| --- |" + " ---: |" * len(runs),
    ]
    for step in (*STEPS, "all"):
        lines.append(f"| {step} | " + " | ".join(f"{r[step]:.1f}" for r in runs.values()) + " |")
    lines.append("| limit | " + " | ".join(str(LIMITS[name]) for name in runs) + " |")
    ratio = runs["second run"]["all"] / runs["first run"]["all"]
    lines += [
        "",
        f"Second run by first run: {ratio:.2f}. Memory of the stack: {memory:.1f} GB, limit 5 GB.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CDP_")}
        environment |= {"CDP_STATE_DIR": state, "CDP_PORT_OFFSET": "900"}
        try:
            cdp("up", environment=environment)  # provisions, and makes the store's first files
            cdp("down", environment=environment)
            runs = {name: timed_demo(environment) for name in LIMITS}
            status = json.loads(cdp("status", "--json", environment=environment))
        finally:
            cdp("down", environment=environment)
    text = page(runs, status["memory_bytes"] / 1e9)
    sys.stdout.write(text)
    before, _, rest = PAGE.read_text().partition("<!-- startup -->\n")
    _, _, after = rest.partition("<!-- /startup -->\n")
    PAGE.write_text(f"{before}<!-- startup -->\n{text}<!-- /startup -->\n{after}")
    late = [name for name, limit in LIMITS.items() if runs[name]["all"] > limit]
    if late or status["memory_bytes"] > 5e9:
        sys.exit(f"over the limit: {', '.join(late) or 'memory'}")


if __name__ == "__main__":
    main()
