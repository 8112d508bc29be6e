"""The commands by themselves: their help, and what they say where nothing runs."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from cdp.cli import app
from tests.support.stack import CDP, Stack

COMMANDS = ["provision", "up", "down", "status", "logs", "doctor", "env", "land", "load", "build"]
COMMANDS += ["check", "query", "demo", "capture", "generate", "state", "publish", "runs", "diff"]
COMMANDS += ["discard", "rollback"]


@pytest.fixture
def absent(make_stack: Callable[..., Stack]) -> Stack:
    return make_stack("absent")


def test_every_command_is_in_the_help(absent: Stack) -> None:
    shown = absent.cdp("--help")
    for command in COMMANDS:
        assert f"  {command} " in shown
    assert "Usage: cdp up" in absent.cdp("up", "--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_complete_help(command: str) -> None:
    """In this process: the command line does it above."""
    text = CliRunner().invoke(app, [command, "--help"], prog_name="cdp").output
    assert "Usage: cdp " + command in text
    assert "--debug" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "select 1"],
        ["build"],
        ["check"],
        ["load", "crm.customers"],
        ["land", "crm.customers", "data/telco/telco_customer_churn.csv"],
    ],
    ids=" ".join,
)
def test_without_a_stack_each_command_says_how_to_start_it(
    absent: Stack, arguments: list[str]
) -> None:
    done = absent.run(CDP, *arguments, ok=False)
    assert "cdp up" in done.stderr.splitlines()[-1], done.stderr
