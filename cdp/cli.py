"""The command line: one function a command, each usable alone."""

import json
import os
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cdp import OPTIONAL_SERVICES
from cdp.errors import CdpError

if TYPE_CHECKING:
    from rich.console import Console

    from cdp.settings import Settings

if TYPE_CHECKING:
    from cdp.publish.run import Build

app = typer.Typer(
    help="The CDP lakehouse: land, load, build, check and query customer data on Apache Iceberg.",
    epilog="--debug, anywhere, shows the trace of a failure. Settings: .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
EVERY = "Do it again after so long, such as 30s or 5m, until it is ended; a failure is told."
DEBUG = "--debug, anywhere, shows the trace of a failure."


# What help does not need is imported by those who do: it is most of the time that help takes.
def settings() -> "Settings":
    """The settings of this checkout."""
    from cdp.settings import settings as found

    return found()


@cache
def console() -> "Console":
    """The terminal, as people read it."""
    from rich.console import Console

    return Console(highlight=False)


def say(line: str, **fields: object) -> None:
    """Tell people; or programs, with the fields."""
    if settings().log_format == "json":
        from cdp import log

        sys.stdout.write(log.line(line, **fields) + "\n")
        sys.stdout.flush()
    else:
        console().print(line, markup=False, soft_wrap=True)


@app.command(epilog=DEBUG)
def provision(
    verify: Annotated[bool, typer.Option("--verify", help="Hash every file again.")] = False,
    lock: Annotated[bool, typer.Option("--lock", help="Write artifacts/maven.lock anew.")] = False,
) -> None:
    """Download the jars, Trino and the Java runtimes into the per-user cache, by hash."""
    from cdp import provision as provisioning
    from cdp.provision import maven
    from cdp.stack import training

    if lock:
        say(f"{maven.write_lock()} files locked")
    parts = provisioning.provision(settings(), rehash=verify)
    training.ensure(settings(), parts, say, again=True)
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
    from cdp.settings import settings as read
    from cdp.stack import lifecycle

    if with_:
        names = tuple(n for n in with_ if n != "none")
        if unknown := set(names) - set(OPTIONAL_SERVICES):
            raise CdpError(
                f"there is no optional service {', '.join(sorted(unknown))}",
                f"choose from: {', '.join(OPTIONAL_SERVICES)}, none",
            )
        lifecycle.remember(settings(), names)
        read.cache_clear()
        os.environ.update(settings().environment())
    lifecycle.up(settings(), say)


@app.command(epilog=DEBUG)
def down(
    data: Annotated[
        bool, typer.Option("--data", help="Delete all that the local services keep, too.")
    ] = False,
) -> None:
    """End the local services. Data stays."""
    from cdp.stack import lifecycle

    orphans = lifecycle.down(settings(), data)
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
    say(json.dumps(found, indent=2)) if json_ else report.show(found, console())
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

    if not report.doctor(settings(), console()):
        raise typer.Exit(1)


@app.command(epilog=DEBUG)
def env() -> None:
    """Print the environment that dbt, Soda, Trino clients and the AWS tools need.

    Use it as: eval "$(cdp env)". It holds this checkout's credentials.
    """
    sys.stdout.write(settings().exports())


@app.command(epilog=DEBUG)
def land(
    source: Annotated[
        str | None,
        typer.Argument(help="A source of sources/, such as crm.customers, or a system, as usage."),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="CSV, Parquet or JSON lines files, plain or gzipped. None: the inbox."),
    ] = None,
    effective_at: Annotated[
        datetime | None,
        typer.Option(
            help="The moment (UTC) whose state a file tells, where its rows do not; "
            "by default when it was last modified."
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Land a file that landed before, in place of a lost object."),
    ] = False,
    every: Annotated[str | None, typer.Option(help=EVERY)] = None,
) -> None:
    """Write to the landing zone, as Parquet, what is new: files, or the objects of the inbox.

    What was landed before, under this name or another, is left out.
    """
    from cdp.landing import intake, lander
    from cdp.landing.source import find, select
    from cdp.repeat import repeat

    folder = settings().sources_dir
    if files and source:
        found = find(source, folder)
        moment = effective_at.replace(tzinfo=UTC) if effective_at else None
        intake.files(files, lambda p: lander.land(p, found, settings(), moment, again=again), say)
        return
    if again:
        raise CdpError("--again needs a file", "cdp land --again SOURCE FILE")
    chosen = select(source, folder)
    repeat(every, lambda: intake.inboxes(chosen, settings(), say), say)


@app.command(epilog=DEBUG)
def capture(
    source: Annotated[
        str | None,
        typer.Argument(help="A source whose format is postgres, or a system; all by default."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when all that was committed by now has landed.")
    ] = False,
    resnapshot: Annotated[
        bool,
        typer.Option("--resnapshot", help="Drop the slot, and begin with the table as it is now."),
    ] = False,
    flush: Annotated[str, typer.Option(help="How long changes are gathered for.")] = "5s",
    patience: Annotated[
        str, typer.Option(help="How long Postgres or the store may be away.")
    ] = "5m",
) -> None:
    """Land the changes of Postgres tables as they are committed, each exactly once.

    The first time the table is landed as it is. Runs until SIGTERM or Ctrl-C.
    """
    from cdp.capture import runner
    from cdp.capture.gather import Options
    from cdp.landing.source import select
    from cdp.repeat import seconds

    chosen = runner.choose(select(source, settings().sources_dir), source)
    options = Options(once, resnapshot, seconds(flush), seconds(patience))
    runner.capture(chosen, settings(), options, say)


@app.command(epilog=DEBUG)
def load(
    source: Annotated[
        str | None,
        typer.Argument(help="A source, such as crm.customers, or a system; all by default."),
    ] = None,
    every: Annotated[str | None, typer.Option(help=EVERY)] = None,
) -> None:
    """Append what has landed to the raw tables, each row exactly once."""
    from cdp.landing.source import select
    from cdp.loading import loader
    from cdp.repeat import repeat

    chosen = select(source, settings().sources_dir)
    repeat(every, lambda: loader.load_all(chosen, settings(), say), say)


@app.command(
    epilog="Arguments are dbt's own: cdp build --select marts. After a lone -- they may be any, "
    "--debug and --help too. " + DEBUG,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def build(  # noqa: PLR0913, PLR0917 - its options
    context: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Compute this day again, and on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The last such day; --from by default."),
    ] = None,
    hold: Annotated[
        bool, typer.Option("--hold", help="Audit it, and leave it for `cdp publish`.")
    ] = False,
    unaudited: Annotated[
        bool, typer.Option("--unaudited", help="Write it, and leave it for `cdp audit`.")
    ] = False,
    wait: Annotated[
        str | None, typer.Option(help="How long another run may take to end, such as 1h.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would run and why, and run nothing.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="The plan as JSON.")] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="Build every table, whether it has something new or not.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print a line for each table and test.")
    ] = False,
) -> None:
    """Build on a branch what is new, audit it there, and publish it: all of it or none.

    This is `dbt build`, seeds, models, snapshots and tests, and the contracts. Arguments go to dbt.
    Only what is new is taken in; --from and --to compute the partitions of these days again.
    When anything fails readers see nothing of it, and the branch is kept to be looked at.
    """
    from cdp import transform
    from cdp.progress import Progress
    from cdp.publish import run
    from cdp.repeat import seconds

    days = transform.dates(since and since.date(), until and until.date())
    arguments = [*days, *(a for a in context.args if a != "--")]
    patience = seconds(wait) if wait else 0
    stop: run.Until = "written" if unaudited else "audited" if hold else "published"
    is_long = verbose or settings().log_format == "json"
    progress = Progress(say, console(), "nodes" if is_long else "one")
    made = run.Build(arguments, settings(), say, progress, stop, patience, all_)
    made.run() if not plan else _plan(made, json_)


def _plan(build: "Build", json_: bool) -> None:
    from cdp.plan import show
    from cdp.plan.plan import Plan

    found = build.plan()
    if found.plan is None:
        as_asked = show.command(Plan(), build.arguments)
        say(json.dumps({"command": as_asked}) if json_ else f"as it is asked: {as_asked}")
    elif json_:
        say(json.dumps(show.as_json(found.plan, build.arguments), indent=2))
    elif found.is_nothing:
        say(show.nothing(found.known))
    else:
        show.reasons(found.plan, build.arguments, console())


@app.command(epilog=DEBUG)
def audit(
    run_id: Annotated[str, typer.Argument(help="A run that was built with --unaudited.")],
) -> None:
    """Verify the contracts of what a run has written, and leave it for `cdp publish`."""
    from cdp.publish import run

    run.audit(run_id, settings(), say)


@app.command(epilog=DEBUG)
def publish(
    run_id: Annotated[str, typer.Argument(help="A run that was built with --hold.")],
) -> None:
    """Publish a run that is audited and held."""
    from cdp.publish import run

    run.publish(run_id, settings(), say)


@app.command(epilog=DEBUG)
def runs(
    last: Annotated[int, typer.Option(help="How many, the last ones.")] = 20,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List runs: what they came to, and why."""
    from cdp.publish import show
    from cdp.publish.publisher import Publisher

    found = Publisher(settings()).journal.runs()[-last:]
    say(json.dumps([show.as_json(r) for r in found], indent=2)) if json_ else show.runs(
        found, console()
    )


@app.command(epilog=DEBUG)
def diff(run_id: Annotated[str, typer.Argument(help="A run that is not published.")]) -> None:
    """Show how many rows of each table a run adds, changes and removes."""
    from cdp import transform
    from cdp.publish import diff as differences
    from cdp.publish import show

    project = transform.parse([], settings())
    show.differences(differences.diff(run_id, project, settings()), console())


@app.command(epilog=DEBUG)
def discard(run_id: Annotated[str, typer.Argument(help="A run that is not published.")]) -> None:
    """Remove what a run has written and that was not published."""
    from cdp.publish import run

    run.discard(run_id, settings(), say)


@app.command(epilog=DEBUG)
def rollback(
    to: Annotated[
        int | None, typer.Option(help="The number of a publish; the one before the last, if none.")
    ] = None,
) -> None:
    """Bring every table back to how a publish left it. This is a publish, too.

    The next build takes in again what came after.
    """
    from cdp.publish import run

    run.rollback(to, settings(), say)


@app.command(epilog=DEBUG)
def state(
    to: Annotated[Path, typer.Option(help="The folder that manifest.json is written to.")] = Path(
        ".state"
    ),
) -> None:
    """Fetch the manifest of the last whole build that succeeded, for dbt's --state and --defer."""
    from cdp import transform

    say(f"{transform.fetch_state(settings(), to)} is written")


@app.command(epilog=DEBUG)
def check(
    table: Annotated[
        str | None, typer.Argument(help="A table, such as marts.dim_customers; all by default.")
    ] = None,
) -> None:
    """Verify what is published against the Soda contracts. Exit code 1 when a check fails."""
    from cdp.quality import contracts

    contracts.check(table, settings(), console())


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

    show.answer(ask(sql, settings()), format_, console())


@app.command(epilog=DEBUG)
def maintain(
    tables: Annotated[
        list[str] | None,
        typer.Argument(help="Tables, such as marts.fct_usage_daily; all by default."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how tables are, and their rules; do nothing.")
    ] = False,
    wait: Annotated[str, typer.Option(help="How long a run may take to end.")] = "1h",
) -> None:
    """Compact files, expire snapshots and remove orphans, by the rules of each table's meta.

    Beside loads and readers. Runs are waited for, table by table, and wait themselves.
    """
    from cdp.repeat import seconds
    from cdp.upkeep import show
    from cdp.upkeep.maintain import Upkeep

    upkeep = Upkeep(tables or [], settings(), say, seconds(wait))
    if dry_run:
        show.measured(upkeep.measure(), console())
        return
    upkeep.run()


@app.command(epilog=DEBUG)
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; it is made.")],
    wait: Annotated[str, typer.Option(help="How long a run may take to end.")] = "1h",
) -> None:
    """Back up what the catalog says of each table, and the local store whole, to a new folder.

    The local store stands still for as long as it is copied; another's store keeps its own backup.
    """
    from cdp.backup import work
    from cdp.repeat import seconds

    work.backup(folder, settings(), say, seconds(wait))


@app.command(epilog=DEBUG)
def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `cdp backup` has written.")],
) -> None:
    """Bring back a catalog that was lost, and the local store with it if that has nothing.

    Tables that stand are left as they are. Interrupted, it is done again.
    """
    from cdp.backup import work

    work.restore(folder, settings(), say)


@app.command(
    epilog="cdp airflow dags test hourly; cdp airflow tasks list daily. " + DEBUG,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def airflow(context: typer.Context) -> None:
    """Run a command of the local Airflow; with none, say where it is."""
    from cdp.stack import airflow as local

    if context.args:
        os.execve(  # noqa: S606 - its own settings, in place of this process
            local.EXECUTABLE,
            [str(local.EXECUTABLE), *context.args],
            os.environ | local.environment(settings()),
        )
    where, secret = local.address(settings()), local.passwords(settings())
    say(f"{where}, user {local.USER}; its password is in {secret}")


@app.command(epilog=DEBUG)
def alert(
    name: Annotated[str, typer.Argument(help="What failed, in the same words each time.")],
    problem: Annotated[str, typer.Argument(help="Why; what people read.")] = "",
    resolved: Annotated[
        bool,
        typer.Option("--resolved", help="It is over, and so is what begins with NAME and a dot."),
    ] = False,
) -> None:
    """Tell people of a failure, by the channels of the settings: once until it is resolved."""
    from cdp.alerts import tell

    if resolved:
        tell.recovered(name, settings(), say)
    else:
        tell.failure(name, problem or "it failed", settings(), say)


@app.command(epilog=DEBUG)
def metrics(
    once: Annotated[
        bool, typer.Option("--once", help="Print them, in Prometheus' text format, and end.")
    ] = False,
) -> None:
    """Serve metrics to Prometheus on loopback: rows, lag, runs, checks, publish age, files."""
    from cdp.metrics import exporter

    if once:
        sys.stdout.write(exporter.once(settings(), lambda line: typer.echo(line, err=True)))
        return
    exporter.serve(settings(), say)


quarantine = typer.Typer(
    help="Rows that landed and that staging could not use: list, show, or land them again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(quarantine, name="quarantine")
SOURCE = "A source, such as crm.customers, or a system; all by default."
REASON = "A reason of reject_reasons, such as region_unmapped."


@quarantine.command("list", epilog=DEBUG)
def list_(source: Annotated[str | None, typer.Argument(help=SOURCE)] = None) -> None:
    """Count the rows that wait, by source, batch and reason."""
    from cdp.landing.source import select
    from cdp.quality import quarantine as rows
    from cdp.quality.show import counted

    found = select(source, settings().sources_dir)
    counted([r for s in found for r in rows.Quarantine(s, settings()).listed()], console())


@quarantine.command(epilog=DEBUG)
def show(
    source: Annotated[str, typer.Argument(help="A source, such as crm.customers.")],
    batch: Annotated[int | None, typer.Option(help="Of this batch; of all by default.")] = None,
    reason: Annotated[str | None, typer.Option(help=REASON)] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 20,
) -> None:
    """Show such rows as they were delivered, with the reasons."""
    from cdp.landing.source import find
    from cdp.quality import quarantine as rows
    from cdp.quality.show import delivered

    found = rows.Quarantine(find(source, settings().sources_dir), settings())
    delivered(found, rows.Wanted(batch, reason), limit, console())


@quarantine.command(epilog=DEBUG)
def replay(
    source: Annotated[str, typer.Argument(help="A source, such as crm.customers.")],
    batch: Annotated[int | None, typer.Option(help="Of this batch; of all by default.")] = None,
    reason: Annotated[str | None, typer.Option(help=REASON)] = None,
) -> None:
    """Land them again, each once, and load them: the next build takes them in.

    Mend what rejected them before: a line of seeds/canonical_values.csv, or the model.
    """
    from cdp.landing.source import find
    from cdp.loading import loader
    from cdp.quality import quarantine as rows

    chosen = find(source, settings().sources_dir)
    count = rows.Quarantine(chosen, settings()).replay(rows.Wanted(batch, reason))
    if count:
        loader.load(chosen, settings())
    say(f"{count} rows are replayed" + ("; cdp build takes them in" if count else ""))


@app.command(
    epilog="It writes inbox/*/*/NAME/ and generated/NAME/: docs/generate.md. The SQL goes into a "
    "Postgres with: zcat DIR/*.sql.gz | psql. " + DEBUG
)
def generate(  # noqa: PLR0913, PLR0917 - its options
    customers: Annotated[int, typer.Option(help="How many customers, 1 to 50,000,000.")],
    days: Annotated[int, typer.Option(help="How many days of their lives.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes, anywhere.")],
    dirt: Annotated[
        float, typer.Option(help="The share of log rows that are dirty, 0 to 0.5.")
    ] = 0.02,
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The period ends as this day begins.")
    ] = datetime(2024, 12, 31),  # noqa: DTZ001 - only its date is used
    name: Annotated[str, typer.Option(help="What it is called; s and the seed by default.")] = "",
    events_per_day: Annotated[
        float, typer.Option(help="Usage events of a customer and day, on average.")
    ] = 2.0,
    objects_per_day: Annotated[
        int,
        typer.Option(help="Usage objects a day; the smaller logs have an eighth. 0: by size."),
    ] = 0,
    sql_to: Annotated[
        Path | None, typer.Option(help="Also copy the SQL for Postgres to this directory.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Write it again though it is there: the same bytes.")
    ] = False,
) -> None:
    """Make customers, their logs with dirt, and the truth, in the object store.

    What was interrupted goes on where it stopped. What is there is left as it is.
    """
    from cdp.generate import job
    from cdp.generate.parameters import Parameters

    asked = Parameters(
        customers, days, seed, dirt, until.date(), name, events_per_day, objects_per_day
    )
    job.run(asked, settings(), say, again)
    if sql_to:
        say(f"{job.download(asked, settings(), sql_to)} files of SQL are in {sql_to}")


@app.command(epilog=DEBUG)
def report(
    to: Annotated[Path, typer.Option(help="The file that is written.")] = Path("report.html"),
) -> None:
    """Write one self-contained HTML page: flow, health, drift, failed checks, files, churn."""
    from cdp.report import page

    page.write(to, settings())
    say(f"{to} is written")


@app.command(epilog=DEBUG)
def demo(
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print a line for each table and test.")
    ] = False,
) -> None:
    """From the real sample to an answer in Trino: up, land, load, build, check, query."""
    from cdp import demo as job

    job.run(settings(), console(), "nodes" if verbose else "one")
