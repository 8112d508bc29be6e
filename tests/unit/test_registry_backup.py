"""The registry of models in a backup: a copy as a transaction sees it, brought back when lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cdp.backup import manifest, registry
from cdp.errors import CdpError
from cdp.settings import Settings


def rows(path: Path) -> list[tuple[int]]:
    with closing(sqlite3.connect(path)) as opened:
        return list(opened.execute("select number from model_versions"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings.model_validate({"state_dir": tmp_path / "state"})
    path = found.registry_file
    assert path
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("create table model_versions (number int)")
        opened.execute("insert into model_versions values (1)")
        opened.commit()
    return found


def backed_up(settings: Settings, folder: Path) -> None:
    folder.mkdir()
    digest = registry.copy(settings, folder)
    assert digest
    manifest.Manifest(manifest.now(), {}, [], {}, digest).write(folder)


def test_a_lost_registry_comes_back(settings: Settings, tmp_path: Path) -> None:
    path = settings.registry_file
    assert path
    with closing(sqlite3.connect(path)) as writer:
        # What is not committed is not of the copy.
        writer.execute("insert into model_versions values (2)")
        backed_up(settings, tmp_path / "backup")
    manifest.read(tmp_path / "backup")
    assert not registry.bring_back(tmp_path / "backup", settings)
    path.unlink()
    assert registry.bring_back(tmp_path / "backup", settings)
    assert rows(path) == [(1,)]
    assert path.stat().st_mode & 0o077 == 0


def test_a_registry_that_was_only_looked_at_is_lost(settings: Settings, tmp_path: Path) -> None:
    path = settings.registry_file
    assert path
    backed_up(settings, tmp_path / "backup")
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("delete from model_versions")
        opened.commit()
    assert registry.bring_back(tmp_path / "backup", settings)
    assert rows(path) == [(1,)]


def test_a_damaged_copy_is_refused(settings: Settings, tmp_path: Path) -> None:
    backed_up(settings, tmp_path / "backup")
    with (tmp_path / "backup" / manifest.REGISTRY).open("r+b") as file:
        file.write(b"nonsense")
    with pytest.raises(CdpError, match=r"registry\.db is not what was written"):
        manifest.read(tmp_path / "backup")


def test_where_there_is_no_file_there_is_nothing_to_copy(tmp_path: Path) -> None:
    for uri in ("", "https://mlflow.example.org"):
        given = {"state_dir": tmp_path / "none"} | ({"mlflow_uri": uri} if uri else {})
        assert not registry.copy(Settings.model_validate(given), tmp_path)
