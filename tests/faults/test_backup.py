"""A store or a catalog that was lost comes back from a backup, with what it answered before."""

import dataclasses
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from cdp.backup import manifest
from cdp.backup.manifest import Manifest
from cdp.backup.tables import Tables
from cdp.errors import CdpError
from cdp.stack.supervisor import Supervisor
from tests.support.lost_catalog import answers
from tests.support.stack import CDP, Stack
from tests.support.waiting import wait_for


def lose_store(stack: Stack, aside: Path) -> None:
    """The disk of the store is gone, and somebody has started an empty one."""
    folder = stack.state_dir / "store"
    Supervisor(stack.state_dir).call("stopProcess", "store")
    folder.rename(aside)
    folder.mkdir()
    stack.cdp("up")


def test_a_lost_store_comes_back_with_its_catalog(stack: Stack, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    # Killed in the middle, with the store standing still.
    killed = subprocess.Popen([CDP, "backup", str(backup)], env=stack.environment())
    wait_for((backup / manifest.STORE).exists)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert "interrupted" in stack.refused("restore", str(backup))
    stack.cdp("up")
    before, tables = answers(stack), Tables(stack.settings()).all()
    assert f"{len(tables)} tables" in stack.cdp("backup", str(backup))
    assert "nothing is lost" in stack.refused("restore", str(backup))
    other = dataclasses.replace(tables["marts.dim_customers"], uuid="another")
    found = Manifest("", {}, list((tables | {other.name: other}).values()))
    with pytest.raises(CdpError, match="dim_customers stands, and is not the table of the backup"):
        Tables(stack.settings()).register(found, print)
    assert Tables(stack.settings()).all() == tables

    aside = stack.state_dir / "store.lost"
    try:
        lose_store(stack, aside)
        assert Tables(stack.settings()).all() == {}
        assert_damage_is_told(stack, backup, tmp_path / "damaged")
        assert Tables(stack.settings()).all() == {}
        assert f"{len(tables)} tables are back" in stack.cdp("restore", str(backup))
    except BaseException:
        # The tests that follow have the store as it was.
        Supervisor(stack.state_dir).call("stopProcess", "store")
        shutil.rmtree(stack.state_dir / "store", ignore_errors=True)
        aside.rename(stack.state_dir / "store")
        stack.cdp("up")
        raise
    shutil.rmtree(aside)
    assert Tables(stack.settings()).all() == tables
    assert answers(stack) == before
    assert "0 rows loaded" in stack.cdp("load", "crm.customers")
    stack.cdp("build", "--select", "canonical_values")


def assert_damage_is_told(stack: Stack, backup: Path, damaged: Path) -> None:
    shutil.copytree(backup, damaged)
    (volume, *_) = (damaged / manifest.STORE).glob("*.dat")
    with volume.open("r+b") as file:
        file.write(b"?")
    assert f"{volume.name} is not what was written" in stack.refused("restore", str(damaged))
    volume.unlink()
    assert f"{volume.name} is missing" in stack.refused("restore", str(damaged))
