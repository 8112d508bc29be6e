"""`cdp generate`: chunk after chunk, then the SQL for Postgres, then what to expect of it all."""

import time
from pathlib import Path
from typing import Any

from cdp import objects
from cdp.errors import CdpError
from cdp.generate import counts, cutter
from cdp.generate.cutter import Written
from cdp.generate.parameters import Parameters
from cdp.generate.work import Job, Say
from cdp.settings import Settings


def run(asked: Parameters, settings: Settings, say: Say, again: bool = False) -> None:
    """`cdp generate`. Raises CdpError when the name is taken, or a service is away."""
    from grpc import RpcError

    from cdp.spark import connect

    try:
        with objects.explained():
            generate(Job(asked, settings, lambda: connect(settings)), say, again)
    except RpcError as error:
        raise CdpError(f"Spark does not answer at {settings.spark_url}", "cdp up") from error


def generate(job: Job, say: Say, again: bool = False) -> dict[str, Any]:
    """Generate all, and return what expected.json holds. What was finished before is left as is."""
    asked = job.asked
    stored = job.read_json("parameters.json")
    if stored is not None and stored != asked.as_stored():
        differing = {k for k, v in asked.as_stored().items() if stored.get(k) != v}
        raise CdpError(
            f"there is a generation {asked.name} with other parameters: "
            + ", ".join(f"{k} {stored.get(k)}" for k in sorted(differing)),
            "give this one another --name, or repeat those parameters",
        )
    expected = job.read_json("expected.json")
    if expected and not again:
        say(f"{asked.name} is there already; --again writes it again")
        return expected
    job.put_json("parameters.json", asked.as_stored())
    parts = []
    for number, first, last in asked.chunks:
        started = time.monotonic()
        name = f"chunks/c{number:04d}.json"
        part = job.read_json(name)
        if part is None:
            part = job.chunk(number, first, last)
            job.put_json(name, part)
        parts.append(part)
        say(
            f"customers {first + 1:,} to {last:,} of {asked.customers:,}: "
            f"{part['written']['inbox']['rows']:,} lines, {time.monotonic() - started:.1f} s"
        )
    for output in parts[0]["written"]:
        each = [part["written"][output] for part in parts]
        done = Written(*(sum(e[k] for e in each) for k in ("rows", "objects", "size")))
        say(_line(output, done, sum(e["seconds"] for e in each)))
    started = time.monotonic()
    done = job.postgres()
    say(_line("postgres", done, time.monotonic() - started))
    expected = counts.total(part["counts"] for part in parts)
    job.put_json("expected.json", expected)
    cutter.remove(job.settings, f"{job.home}chunks/")
    return expected


def _line(output: str, done: Written, seconds: float) -> str:
    return (
        f"{output:<24} {done.rows:>12,} rows {done.objects:>8,} objects "
        f"{done.size / 1e6:>9,.1f} MB {seconds:>8.1f} s"
    )


def download(asked: Parameters, settings: Settings, folder: Path) -> int:
    """Copy the SQL of a generation to a local directory; how many files."""
    s3 = objects.client(settings)
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"generated/{asked.name}/postgres/"
    found = list(objects.keys(s3, settings.bucket, prefix))
    for key in found:
        s3.download_file(settings.bucket, key, str(folder / key.removeprefix(prefix)))
    return len(found)
