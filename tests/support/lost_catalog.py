"""A catalog that was lost comes back from a backup."""

import signal
import subprocess
from pathlib import Path
from typing import Any

from cdp.backup.tables import Tables
from cdp.stack.supervisor import Supervisor
from tests.support.answers import TOTALS
from tests.support.stack import CDP, Stack
from tests.support.waiting import wait_for

TAGGED = "select count(*) as n from dim_customers for version as of 'publish_000001'"


def answers(stack: Stack) -> list[dict[str, Any]]:
    """The customers as they are, and as the first publish left them."""
    return stack.query(TOTALS) + stack.query(TAGGED)


def assert_a_lost_catalog_comes_back(stack: Stack, folder: Path) -> None:
    """Of a stack whose catalog is a database of its own, beside the store."""
    stack.cdp("backup", str(folder))
    # What was committed after the backup is in the store, and comes back too.
    stack.cdp("build", "--select", "canonical_values")
    before, tables = answers(stack), Tables(stack.settings()).all()
    supervisor = Supervisor(stack.state_dir)
    supervisor.call("stopProcess", "rest-catalog")
    (stack.state_dir / "rest-catalog" / "catalog.db").unlink()
    stack.cdp("up")
    assert Tables(stack.settings()).all() == {}
    killed = subprocess.Popen([CDP, "restore", str(folder)], env=stack.environment())
    wait_for(lambda: len(Tables(stack.settings()).all()) > 1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert "tables are back" in stack.cdp("restore", str(folder))
    assert Tables(stack.settings()).all() == tables
    assert answers(stack) == before
    assert "0 rows loaded" in stack.cdp("load", "crm.customers")
    stack.cdp("build", "--select", "canonical_values")
