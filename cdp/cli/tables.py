"""Commands for tables that are published: check, query, report, maintain, back up, restore."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cdp.cli.base import DEBUG, app, console, say, settings


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
def report(
    to: Annotated[Path, typer.Option(help="The file that is written.")] = Path("report.html"),
) -> None:
    """Write one self-contained HTML page: flow, health, drift, failed checks, files, churn."""
    from cdp.report import page

    page.write(to, settings())
    say(f"{to} is written")


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
