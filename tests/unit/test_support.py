"""What tests share keeps its own promises."""

import subprocess
import sys

import pytest

from cdp.settings import ROOT
from tests.support import commands


def test_what_commands_are_forks_of_has_imported_all_of_it_and_has_no_threads() -> None:
    """A module that is not there would be left out without a word."""
    code = (
        "import importlib, threading;"
        f"[importlib.import_module(name) for name in {commands.PRELOADED!r}];"
        "assert threading.active_count() == 1, threading.enumerate()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["land", "crm.nothing", "/no"]], ids=" ".join)
def test_a_command_in_a_fork_is_the_one_that_a_shell_starts(arguments: list[str]) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "CDP_STATE_DIR": "/nonexistent"}
    forked = commands.run(arguments, ROOT, environment, 60)
    started = subprocess.run(
        [sys.executable, "-m", "cdp", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (forked.returncode, forked.stderr) == (started.returncode, started.stderr)
    assert forked.stdout.split() == started.stdout.replace("python -m cdp", "cdp").split()
