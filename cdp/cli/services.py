"""Commands for the services of this machine, and for those who watch them."""

import json
import os
import sys
from typing import Annotated

import typer

from cdp import OPTIONAL_SERVICES
from cdp.cli.base import DEBUG, app, console, say, settings
from cdp.errors import CdpError


@app.command(epilog=DEBUG)
def provision(
    verify: Annotated[bool, typer.Option("--verify", help="Hash every file again.")] = False,
    lock: Annotated[bool, typer.Option("--lock", help="Write artifacts/maven.lock anew.")] = False,
) -> None:
    """Download the jars, Trino and the Java runtimes into the per-user cache, by hash."""
    from cdp import provision as provisioning
    from cdp.provision import maven
    from cdp.stack import archiving

    if lock:
        say(f"{maven.write_lock()} files locked")
    parts = provisioning.provision(settings(), rehash=verify)
    archiving.ensure(settings(), parts, say, again=True)
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


@app.command(epilog=DEBUG)
def alert(
    name: Annotated[str, typer.Argument(help="What failed, in the same words each time.")],
    problem: Annotated[str, typer.Argument(help="Why; what people read.")] = "",
    resolved: Annotated[
        bool,
        typer.Option("--resolved", help="It is over, and so is what begins with NAME and a dot."),
    ] = False,
) -> None:
    """Send an alert by the channels of the settings, once until it is resolved."""
    from cdp.alerts import tell

    if resolved:
        tell.recovered(name, settings(), say)
    else:
        tell.failure(name, problem or "it failed", settings(), say)


@app.command(epilog=DEBUG)
def demo(
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print a line for each table and test.")
    ] = False,
) -> None:
    """From the real sample to an answer in Trino: up, land, load, build, check, query."""
    from cdp import demo as job

    job.run(settings(), console(), "nodes" if verbose else "one")
