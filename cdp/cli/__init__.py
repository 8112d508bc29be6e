"""The command line: one function a command, each usable alone."""

from cdp.cli import services, ingest, runs, tables, training, models  # noqa: F401, I001 - their order is that of the help
from cdp.cli.base import app

__all__ = ["app"]
