"""Commands that bring rows in: land, capture, load, generate, and land rejected rows again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cdp.cli.base import DEBUG, EVERY, app, console, say, settings
from cdp.errors import CdpError


@app.command(epilog=DEBUG)
def land(
    source: Annotated[
        str | None,
        typer.Argument(help="A source of sources/, such as crm.customers, or a system, as usage."),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV, Parquet, .xlsx or JSON lines files, plain or gzipped. None: the inbox."
        ),
    ] = None,
    effective_at: Annotated[
        datetime | None,
        typer.Option(
            help="The moment (UTC) whose state a file holds, where its rows do not; "
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
def capture(  # noqa: PLR0913, PLR0917 - its options
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
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Compare the tables with what has landed of them, and end."),
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="With --verify: land the rows that differ.")
    ] = False,
    flush: Annotated[str, typer.Option(help="How long changes are gathered for.")] = "5s",
    patience: Annotated[
        str, typer.Option(help="How long Postgres or the store may be away.")
    ] = "5m",
) -> None:
    """Land the changes of Postgres tables as they are committed, each exactly once.

    The first time the table is landed as it is. Runs until SIGTERM or Ctrl-C. With --verify it
    catches up, loads, and names each key whose row is another at Postgres, as of one LSN.
    """
    from cdp.capture import runner
    from cdp.capture.gather import Options
    from cdp.landing.source import select
    from cdp.repeat import seconds

    chosen = runner.choose(select(source, settings().sources_dir), source)
    options = Options(once, resnapshot, seconds(flush), seconds(patience))
    if repair and not verify:
        raise CdpError("--repair needs --verify", "cdp capture SOURCE --verify --repair")
    if verify:
        runner.verify(chosen, settings(), options, say, repair=repair)
        return
    runner.capture(chosen, settings(), options, say)


@app.command(epilog=DEBUG)
def load(
    source: Annotated[
        str | None,
        typer.Argument(help="A source, such as crm.customers, or a system; all by default."),
    ] = None,
    every: Annotated[str | None, typer.Option(help=EVERY)] = None,
    without: Annotated[
        list[int] | None,
        typer.Option(help="Leave out a batch of the source, for good: its objects are lost."),
    ] = None,
) -> None:
    """Append what has landed to the raw tables, each row exactly once."""
    from cdp.landing.source import select
    from cdp.loading import loader
    from cdp.repeat import repeat

    chosen = select(source, settings().sources_dir)
    if without and len(chosen) != 1:
        raise CdpError("batches are numbered by source", "cdp load SOURCE --without BATCH")
    repeat(every, lambda: loader.load_all(chosen, settings(), say, without or ()), say)


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


quarantine = typer.Typer(
    help="Rows that landing or staging could not use: list them, show them, land them again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(quarantine, name="quarantine")
SOURCE = "A source, such as crm.customers, or a system; all by default."
REASON = "A reason as `list` has it, such as region_unmapped."


@quarantine.command("list", epilog=DEBUG)
def list_(source: Annotated[str | None, typer.Argument(help=SOURCE)] = None) -> None:
    """Count the rows that wait, by source, batch, stage and reason.

    At landing a line could not be parsed, or lacks its key: have it corrected and delivered again.
    Staging rejects a row with a value that it cannot use: mend that, and replay the row.
    """
    from cdp.landing.source import select
    from cdp.quality import quarantine as rows
    from cdp.quality.show import counted

    found = select(source, settings().sources_dir)
    counted([rows.Quarantine(each, settings()) for each in found], console())


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
    """Land rows that staging rejected again, each once, and load them for the next build.

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
