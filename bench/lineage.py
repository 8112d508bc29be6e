"""What lineage costs: the sample built anew with `CDP_LINEAGE` set, beside without.

    python -m bench.lineage

Spark starts anew for each block, since its listener is loaded at its start. The sample is small, so
what each statement costs weighs most. Fails when it costs more than the project promises.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from bench.page import ratios, write
from bench.startup import alone, cdp, timed

LIMIT = 1.25
BLOCKS, ROUNDS = 3, 2
# Of the ports of a stack of its own, apart from those of tests.
OFFSET = 6000


def build(environment: dict[str, str]) -> float:
    """Seconds to build and publish all tables anew."""
    return timed(lambda: cdp("build", "--full-refresh", environment=environment))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
        folder = Path(state) / "lineage"
        environment = alone(state, OFFSET)
        kinds = {"without": environment, "with lineage": environment | {"CDP_LINEAGE": str(folder)}}
        seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
        try:
            cdp("demo", environment=environment)
            for _ in range(BLOCKS):
                for kind, given in kinds.items():
                    cdp("up", environment=given)
                    # The first build warms up, and is not counted.
                    build(given)
                    for _ in range(ROUNDS):
                        seconds[kind].append(build(given))
                        print(f"  {kind}: {seconds[kind][-1]:.1f} s", flush=True)
            told = {path.stem: path.read_text().count("\n") for path in folder.glob("*.jsonl")}
        finally:
            cdp("down", "--data", environment=environment)
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    base, ours = medians.values()
    builds = BLOCKS * (ROUNDS + 1)
    events = " and ".join(f"{count / builds:,.0f} by {who}" for who, count in sorted(told.items()))
    write(
        "lineage",
        ratios("all tables anew", medians),
        f"Medians of {BLOCKS * ROUNDS} builds of the sample each, in {BLOCKS} turns; a build tells "
        f"{events} events, into files. Promised: {LIMIT}.",
    )
    if ours / base > LIMIT:
        sys.exit(f"a build with lineage takes {ours / base:.2f} of one without, limit {LIMIT}")


if __name__ == "__main__":
    main()
