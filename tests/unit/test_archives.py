"""Archives of classes: what they are named by, and what happens when one cannot be made."""

from dataclasses import replace
from pathlib import Path

import pytest

from cdp.errors import CdpError
from cdp.provision import archives, locate
from cdp.provision.archives import Archive
from cdp.settings import Settings
from cdp.stack import archiving
from cdp.stack.services import services


def settings(cache: Path, **more: object) -> Settings:
    return Settings.model_validate({"cache_dir": cache, "state_dir": cache / "state"} | more)


def test_archive_is_named_by_jars_runtime_and_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = archives.named("spark", tmp_path, "java-1", "a.jar 12")
    assert one == archives.named("spark", tmp_path, "java-1", "a.jar 12")
    others = {
        archives.named("trino", tmp_path, "java-1", "a.jar 12"),
        archives.named("spark", tmp_path, "java-2", "a.jar 12"),
        archives.named("spark", tmp_path, "java-1", "a.jar 13"),
    }
    exercise = tmp_path / "exercise.sql"
    exercise.write_text("select 1;\n")
    monkeypatch.setattr(archives, "EXERCISE", exercise)
    others.add(archives.named("spark", tmp_path, "java-1", "a.jar 12"))
    assert len(others | {one}) == 5


def test_all_checkouts_of_a_user_share_archives(tmp_path: Path) -> None:
    first = locate(settings(tmp_path, state_dir=tmp_path / "one", port_offset=100))
    second = locate(settings(tmp_path, state_dir=tmp_path / "two", lineage=str(tmp_path)))
    assert first.spark_archive == second.spark_archive
    assert first.trino_archive == second.trino_archive
    assert first.spark_archive.directory.parent == tmp_path / "archives"


def test_class_path_is_the_same_in_every_state_directory_but_for_what_lineage_adds_at_its_end(
    tmp_path: Path,
) -> None:
    def class_path(found: Settings) -> str:
        command = next(s for s in services(found, locate(found)) if s.name == "spark").command
        return command[command.index("-cp") + 1]

    plain = class_path(settings(tmp_path, state_dir=tmp_path / "one"))
    assert plain == class_path(settings(tmp_path, state_dir=tmp_path / "two"))
    assert class_path(settings(tmp_path, lineage=str(tmp_path))).startswith(plain + ":")


@pytest.mark.parametrize(
    "more", [{"class_archives": False}, {"java_home_spark": "/jdk", "java_home_trino": "/jdk"}]
)
def test_without_archives_nothing_of_them_is_made_or_used(
    tmp_path: Path, more: dict[str, object]
) -> None:
    found = settings(tmp_path, **more)
    parts = locate(found)
    for archive in (parts.spark_archive, parts.trino_archive):
        assert not archive.missing
        assert archive.options == ()
    commands = [" ".join(s.command) for s in services(found, parts)]
    assert not any("Archive" in c or "AOTCache" in c for c in commands)


def test_options_are_the_same_whether_the_archive_is_there_or_not(tmp_path: Path) -> None:
    archive = archives.spark(tmp_path / "spark-1")
    assert archive.missing
    options = archive.options
    archive.directory.mkdir()
    for name in archive.files:
        (archive.directory / name).touch()
    assert archive.missing
    assert archive.base
    archive.base.touch()
    assert not archive.missing
    assert archive.options == options
    assert str(archive.partial) in " ".join(archive.writing().options)


def test_jars_of_spark_are_linked_into_the_cache_once(tmp_path: Path) -> None:
    source, target = tmp_path / "jars", tmp_path / "cache" / "jars"
    source.mkdir()
    (source / "a.jar").write_text("a")
    (source / "slf4j-api-2.0.jar").touch()
    (source / "readme").touch()
    archives.link_spark_jars(target, source)
    assert [p.name for p in target.rglob("*.jar")] == ["a.jar", "slf4j-api-2.0.jar"]
    assert (target / "first" / "slf4j-api-2.0.jar").exists()
    assert (target / "a.jar").samefile(source / "a.jar")
    (source / "b.jar").touch()
    archives.link_spark_jars(target, source)
    assert not (target / "b.jar").exists()
    with pytest.raises(CdpError, match="no jars"):
        archives.link_spark_jars(tmp_path / "other", tmp_path / "nowhere")


class Attempts:
    """Trainings in place of real ones: each writes the files of the engines named here."""

    def __init__(self, makes: dict[str, Archive]) -> None:
        self.makes = makes
        self.asked: list[list[str]] = []

    def __call__(self, _: Settings, engines: list[str]) -> str:
        self.asked.append(engines)
        for name in set(engines) & set(self.makes):
            for file in self.makes[name].files:
                (self.makes[name].partial / file).write_text("classes")
            if base := self.makes[name].base:
                base.write_text("the JDK's")
        return "no port was free"


def test_archive_that_cannot_be_made_is_reported_once_and_tried_again_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings(tmp_path)
    parts = locate(found)
    attempts = Attempts({"trino": parts.trino_archive})
    monkeypatch.setattr(archiving, "_apart", attempts)
    lines: list[str] = []
    archiving.ensure(found, parts, lines.append)
    assert not parts.trino_archive.missing
    assert parts.spark_archive.missing
    assert [line for line in lines if "could not be made" in line and "no port was free" in line]
    assert not any("\n" in line for line in lines)

    lines.clear()
    archiving.ensure(found, parts, lines.append)
    assert lines == []
    assert attempts.asked == [["spark", "trino"]]

    attempts.makes = {"spark": parts.spark_archive}
    archiving.ensure(found, parts, lines.append, again=True)
    assert attempts.asked == [["spark", "trino"], ["spark"]]
    assert not parts.spark_archive.missing
    left = set(parts.spark_archive.directory.parent.iterdir())
    made = {parts.spark_archive.directory, parts.trino_archive.directory}
    assert left == made | {parts.spark_archive.base}


def test_what_an_interrupted_training_left_is_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings(tmp_path)
    parts = locate(found)
    half = replace(parts.spark_archive, directory=parts.spark_archive.partial)
    half.directory.mkdir(parents=True)
    for file in half.files:
        (half.directory / file).write_text("half")
    monkeypatch.setattr(archiving, "_apart", Attempts({}))
    archiving.ensure(found, parts, lambda _: None)
    assert parts.spark_archive.missing
    assert not half.directory.exists()
