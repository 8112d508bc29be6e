"""What all commands share: the application, the settings, and how people are addressed."""

import sys
from functools import cache
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from cdp.settings import Settings

app = typer.Typer(
    help="The CDP lakehouse: land, load, build, check and query customer data on Apache Iceberg.",
    epilog="--debug, anywhere, shows the trace of a failure. Settings: .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
EVERY = "Do it again after so long, such as 30s or 5m, until stopped; a failure sends an alert."
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
