"""The command line: one function a command, each usable alone."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from cdp.errors import CdpError
from cdp.settings import OPTIONAL_SERVICES, settings

if TYPE_CHECKING:
    from cdp.loading import loader

app = typer.Typer(
    help="The CDP lakehouse: land, load, build, check and query customer data on Apache Iceberg.",
    epilog="--debug, anywhere, shows the trace of a failure. Settings: .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
DEBUG = "--debug, anywhere, shows the trace of a failure."
console = Console(highlight=False)


def say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


@app.command(epilog=DEBUG)
def provision(
    verify: Annotated[bool, typer.Option("--verify", help="Hash every file again.")] = False,
    lock: Annotated[bool, typer.Option("--lock", help="Write artifacts/maven.lock anew.")] = False,
) -> None:
    """Download the jars, Trino and the Java runtimes into the per-user cache, by hash."""
    from cdp import provision as provisioning
    from cdp.provision import maven

    if lock:
        say(f"{maven.write_lock()} files locked")
    parts = provisioning.provision(settings(), rehash=verify)
    say(f"all parts are in {settings().cache_dir} ({len(parts.spark_jars)} Spark jars)")


@app.command(epilog=DEBUG)
def up(
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help=f"An optional service: {', '.join(OPTIONAL_SERVICES)}; "
            "repeatable; none for none. Kept for later commands.",
        ),
    ] = None,
) -> None:
    """Start the local services and wait until each answers a real query."""
    from cdp.stack import lifecycle

    if with_:
        names = tuple(n for n in with_ if n != "none")
        if unknown := set(names) - set(OPTIONAL_SERVICES):
            raise CdpError(
                f"there is no optional service {', '.join(sorted(unknown))}",
                f"choose from: {', '.join(OPTIONAL_SERVICES)}, none",
            )
        lifecycle.remember(settings(), names)
        settings.cache_clear()
        os.environ.update(settings().environment())
    lifecycle.up(settings(), say)


@app.command(epilog=DEBUG)
def down() -> None:
    """End the local services. Data stays."""
    from cdp.stack import lifecycle

    orphans = lifecycle.down(settings())
    say("the services are down" + (f"; {orphans} orphaned processes were ended" if orphans else ""))


@app.command(epilog=DEBUG)
def status(
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the health, versions, ports, memory and data size of the services.

    Exit code 1 when one of them is not healthy.
    """
    from cdp.stack import report

    found = report.status(settings())
    say(json.dumps(found, indent=2)) if json_ else report.show(found, console)
    if not found["healthy"]:
        raise typer.Exit(1)


@app.command(epilog=DEBUG)
def logs(
    service: Annotated[str, typer.Argument(help="A service of `cdp status`, or supervisord.")],
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many, from the end.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
) -> None:
    """Show the log of a service."""
    from cdp.stack import report

    report.logs(settings(), service, lines, follow)


@app.command(epilog=DEBUG)
def doctor() -> None:
    """Check this machine and this checkout; say what to mend, and how. Exit code 1 if anything."""
    from cdp.stack import report

    if not report.doctor(settings(), console):
        raise typer.Exit(1)


@app.command(epilog=DEBUG)
def env() -> None:
    """Print the environment that dbt, Soda, Trino clients and the AWS tools need.

    Use it as: eval "$(cdp env)". It holds this checkout's credentials.
    """
    sys.stdout.write(settings().exports())


@app.command(epilog=DEBUG)
def land(
    source: Annotated[str, typer.Argument(help="A source of sources/, such as crm.customers.")],
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files.")],
    effective_at: Annotated[
        datetime | None,
        typer.Option(
            help="The moment (UTC) whose state the file tells, where its rows do not; "
            "by default when the file was last modified."
        ),
    ] = None,
) -> None:
    """Write files to the landing zone as Parquet. A file that was landed before is left out."""
    from cdp.landing import lander
    from cdp.landing.source import find

    found = find(source, settings().sources_dir)
    moment = effective_at.replace(tzinfo=UTC) if effective_at else None
    failures = []
    for path in files:
        try:
            landed = lander.land(path, found, settings(), moment)
        except CdpError as error:
            failures.append(error)
            if len(files) > 1:
                sys.stderr.write(f"error: {error.problem}\n  fix: {error.fix}\n")
            continue
        verb = "was landed before" if landed.already else "landed"
        bad = f", {landed.quarantined} lines in quarantine" if landed.quarantined else ""
        say(f"{path.name} {verb}: {landed.rows} rows{bad}, {landed.delivery.key}")
    if len(failures) == 1 == len(files):
        raise failures[0]
    if failures:
        raise CdpError(f"{len(failures)} of {len(files)} files were not landed", failures[0].fix)


@app.command(epilog=DEBUG)
def load(
    source: Annotated[
        str | None, typer.Argument(help="A source, such as crm.customers; all by default.")
    ] = None,
) -> None:
    """Append what has landed to the raw tables, each row exactly once."""
    from cdp.landing.source import find, read_all
    from cdp.loading import loader

    folder = settings().sources_dir
    if source:
        _say_loaded(loader.load(find(source, folder), settings()))
        return
    idle = []
    sources = read_all(folder).values()
    for each in sources:
        try:
            _say_loaded(loader.load(each, settings()))
        except loader.NothingLandedError as error:
            idle.append(error)
            say(error.problem)
    if idle and len(idle) == len(sources):
        raise CdpError("no source has anything to load", idle[0].fix)


def _say_loaded(done: "loader.Loaded") -> None:
    say(f"{done.table}: {done.rows} rows loaded, {done.total} in all")


@app.command(
    epilog="Arguments are dbt's own: cdp build --select marts. After a lone -- they may be any, "
    "--debug and --help too. " + DEBUG,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def build(context: typer.Context) -> None:
    """Run `dbt build`: seeds, models, snapshots and tests, in order. Arguments go to dbt."""
    from cdp import transform

    transform.build([a for a in context.args if a != "--"], settings())


@app.command(epilog=DEBUG)
def check(
    table: Annotated[
        str | None, typer.Argument(help="A table, such as marts.dim_customers; all by default.")
    ] = None,
) -> None:
    """Verify the tables against their Soda contracts. Exit code 1 when a check fails."""
    from cdp.quality import contracts

    contracts.check(table, settings(), console)


@app.command(epilog=DEBUG)
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement, in Trino's dialect.")],
    format_: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="How rows are printed.")
    ] = "table",
) -> None:
    """Ask Trino. Tables without a schema are those of marts."""
    from cdp import show
    from cdp.trino import query as ask

    show.answer(ask(sql, settings()), format_, console)


@app.command(epilog=DEBUG)
def demo() -> None:
    """From the real sample to an answer in Trino: up, land, load, build, check, query."""
    from cdp import demo as job

    job.run(settings(), console)
