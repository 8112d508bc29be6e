"""Commands for runs: build, audit, publish, and what comes after."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cdp.cli.base import DEBUG, app, console, say, settings

if TYPE_CHECKING:
    from cdp.publish.run import Build


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
    """List runs with their state, and why they failed."""
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
