"""What Airflow adds: the hourly DAG by its scheduler, beside the same commands by hand.

    python -m bench.orchestration [--events 20000]

As many new events wait each time. Fails when the DAG takes longer than the project promises.
"""

import argparse
import gzip
import json
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

import requests

from bench.page import ratios, write
from bench.startup import alone, cdp
from cdp import objects
from cdp.settings import Settings
from cdp.stack import airflow

LIMIT = 2.0
ROUNDS = 3
DAG = "hourly"
SECONDS = 900
# Of the ports of a stack of its own, apart from those of tests.
OFFSET = 6000


def deliver(s: Settings, number: int, events: int) -> None:
    """An object of events in the inbox, of the hour with that number."""
    chance = random.Random(number)  # noqa: S311 - the same each time
    start = datetime(2024, 12, 30, tzinfo=UTC) + timedelta(hours=number)
    lines = [
        json.dumps(
            {
                "event_id": f"bench-{number}-{each}",
                "customer_id": f"{chance.randrange(7000):04d}-BENCH",
                "event_type": chance.choice(["voice", "sms", "data"]),
                "started_at": (start + timedelta(seconds=each % 3600)).isoformat(),
                "duration_seconds": chance.randrange(3600),
                "bytes": chance.randrange(10**9),
                "charge": round(chance.random(), 2),
                "roaming": False,
                "emitted_at": (start + timedelta(seconds=each % 3600 + 60)).isoformat(),
            }
        )
        for each in range(events)
    ]
    key = f"inbox/usage/events/bench/{number:06d}.json.gz"
    body = gzip.compress("\n".join(lines).encode(), 1)
    objects.client(s).put_object(Bucket=s.bucket, Key=key, Body=body)


def by_hand(environment: dict[str, str]) -> float:
    """Seconds of the commands of the DAG's tasks."""
    started = time.monotonic()
    cdp("land", environment=environment)
    cdp("load", environment=environment)
    # As lakehouse.flow has it.
    day = {"complete_until": "2024-12-29"}
    options = ("--unaudited", "--exclude", "tag:daily", "--vars", json.dumps(day))
    cdp("build", *options, environment=environment)
    (run,) = json.loads(cdp("runs", "--last", "1", "--json", environment=environment))
    cdp("audit", run["run_id"], environment=environment)
    cdp("publish", run["run_id"], environment=environment)
    return time.monotonic() - started


class Airflow:
    """The API of the local Airflow."""

    def __init__(self, s: Settings) -> None:
        self.address = airflow.address(s)
        password = json.loads(airflow.passwords(s).read_text())[airflow.USER]
        credentials = {"username": airflow.USER, "password": password}
        answer = requests.post(f"{self.address}/auth/token", json=credentials, timeout=30)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def ask(self, method: str, path: str, **body: object) -> dict[str, object]:
        url = f"{self.address}/api/v2/dags/{DAG}{path}"
        answer = self.session.request(method, url, json=body or None, timeout=30)
        answer.raise_for_status()
        found: dict[str, object] = answer.json()
        return found

    def wait(self, run: str) -> float:
        """Seconds of a run, from its start to its end."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            told = self.ask("GET", f"/dagRuns/{run}")
            if told["state"] == "success":
                moments = (str(told[name]) for name in ("start_date", "end_date"))
                began, ended = (datetime.fromisoformat(m) for m in moments)
                return (ended - began).total_seconds()
            if told["state"] == "failed":
                break
            time.sleep(1)
        return sys.exit(f"the run {run} of {DAG} did not succeed")

    def run(self) -> float:
        now = datetime.now(UTC).isoformat()
        return self.wait(str(self.ask("POST", "/dagRuns", logical_date=now)["dag_run_id"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
        environment = alone(state, OFFSET)
        try:
            cdp("demo", environment=environment)
            cdp("up", "--with", "airflow", environment=environment)
            files = [f"{state}/{name}" for name in ("credentials.env", "stack.env")]
            s = Settings(_env_file=files, state_dir=state, port_offset=OFFSET)  # type: ignore[call-arg,arg-type]
            driver = Airflow(s)
            # Its schedule makes the run of the hour that has passed.
            driver.ask("PATCH", "", is_paused=False)
            while not (runs := driver.ask("GET", "/dagRuns")["dag_runs"]):
                time.sleep(1)
            driver.wait(runs[0]["dag_run_id"])  # type: ignore[index]
            seconds: dict[str, list[float]] = {"by hand": [], "by Airflow": []}
            # The first round warms up, and is not counted.
            for at in range(ROUNDS + 1):
                for number, how in enumerate(seconds):
                    deliver(s, 2 * at + number, events)
                    took = by_hand(environment) if how == "by hand" else driver.run()
                    print(f"  {how}: {took:.1f} s", flush=True)
                    if at:
                        seconds[how].append(took)
        finally:
            cdp("down", "--data", environment=environment)
    medians = {how: statistics.median(values) for how, values in seconds.items()}
    ratio = medians["by Airflow"] / medians["by hand"]
    write(
        "orchestration",
        ratios("the hourly DAG", medians),
        f"{events:,} new events each time; medians of {ROUNDS} runs of each in turn. Promised: "
        f"{LIMIT:.0f}.",
    )
    if ratio > LIMIT:
        sys.exit(f"the DAG takes {ratio:.2f} of its commands, limit {LIMIT}")


if __name__ == "__main__":
    main()
