"""The registry of models: a version appears whole or not at all, and there is one champion."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cdp import objects
from cdp.cli import app
from cdp.cli import models as commands
from cdp.errors import CdpError
from cdp.models import gate, mlflow_client
from cdp.models.registry import Registry
from cdp.models.version import FILES, Version
from cdp.publish.lease import Lease
from cdp.settings import ROOT, Settings
from tests.support.model_versions import blurred, truth, write
from tests.support.stack import Stack

UNREACHABLE = "http://127.0.0.1:9"
_, CHANCES = truth()
LESS = [blurred(CHANCES, 0.6)]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What MLflow is told stays in this process for the test alone."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


class Models:
    """The models of a problem of the test's own."""

    def __init__(self, stack: Stack, problem: str, folder: Path) -> None:
        self.settings = stack.settings()
        self.registry = Registry(self.settings)
        self.problem = problem
        self.name = f"churn_{problem}"
        self.folder = folder
        self.said: list[str] = []

    def id(self, number: int) -> str:
        return f"{self.problem}-20261130-220105-{number:04x}"

    def folder_of(self, number: int, **told: object) -> Path:
        """Write the n-th model. told: what it is like."""
        return write(self.folder / str(number), self.id(number), self.problem, **told)  # type: ignore[arg-type]

    def register(self, number: int, **told: object) -> int:
        return self.registry.register(self.problem, self.folder_of(number, **told))

    def promote(self, number: int, force: str = "") -> None:
        self.registry.promote(self.problem, number, self.said.append, force)

    def aliases(self) -> dict[int, tuple[str, ...]]:
        return {v.number: v.aliases for v in self.registry.versions(self.problem)}

    def objects(self) -> list[str]:
        s3 = objects.client(self.settings)
        return list(objects.keys(s3, self.settings.bucket, f"models/{self.name}/"))


@pytest.fixture
def models(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Models:
    problem = re.sub(r"\W+", "_", request.node.name.removeprefix("test_"))[:60].lower().strip("_")
    return Models(stack, problem, tmp_path)


# Registering.


def test_a_version_is_fetched_byte_for_byte_with_what_it_says_of_itself(
    models: Models, tmp_path: Path
) -> None:
    folder = models.folder_of(1)
    (folder / "beside.bin").write_bytes(b"\0" * 9_000_000)  # more than goes in one part
    assert models.registry.register(models.problem, folder) == 1
    version = models.registry.fetch(models.problem, "challenger", tmp_path / "fetched")
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {p.name: p.read_bytes() for p in (tmp_path / "fetched").iterdir()} == written
    assert models.objects() == sorted(f"models/{models.name}/{models.id(1)}/{n}" for n in written)
    assert (version.model_id, version.estimator, version.roc_auc) == (models.id(1), "lightgbm", 0.8)
    assert version.row_hash == "5e" * 32
    assert version.training_tag == "training_" + models.id(1).replace("-", "_")
    assert (
        version == models.registry.version(models.problem, 1) == models.registry.find(models.id(1))
    )
    assert models.problem in models.registry.problems()


def test_a_model_is_registered_once_and_its_id_is_its_own(models: Models) -> None:
    folder = models.folder_of(1)
    for _ in range(2):
        assert models.registry.register(models.problem, folder) == 1
    (folder / "model.onnx").write_bytes(b"another")
    with pytest.raises(CdpError, match="with other files"):
        models.registry.register(models.problem, folder)
    assert models.aliases() == {1: ("challenger",)}
    assert models.registry.find("nobody-20261130-220105-0001") is None
    assert models.registry.find("x' or name like '%") is None


def test_a_folder_that_is_not_whole_or_of_another_problem_is_refused(models: Models) -> None:
    folder = models.folder_of(1)
    with pytest.raises(CdpError, match="has no model of another"):
        models.registry.register("another", folder)
    (folder / "card.html").unlink()
    with pytest.raises(CdpError, match=r"lacks card\.html"):
        models.registry.register(models.problem, folder)
    assert models.objects() == []


def test_a_challenger_is_the_last_one_that_wants_to_be(models: Models) -> None:
    models.register(1)
    models.registry.register(models.problem, models.folder_of(2), challenger=False)
    assert models.aliases() == {1: ("challenger",), 2: ()}
    models.register(3)
    assert models.aliases() == {1: (), 2: (), 3: ("challenger",)}


@pytest.mark.parametrize("moment", [1, 4, "version"])
def test_who_is_killed_while_registering_leaves_no_version(
    models: Models, moment: int | str
) -> None:
    folder = models.folder_of(1)
    # The same file by another name, so that the child opens it anew.
    path = models.settings.registry_uri.removeprefix("sqlite:///")
    settings = models.settings.model_copy(update={"mlflow_uri": SecretStr(f"sqlite:////{path}")})
    pid = os.fork()
    if not pid:
        try:
            _register(models.problem, folder, settings, moment)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert models.registry.versions(models.problem) == []
    assert models.registry.find(models.id(1)) is None
    assert len(models.objects()) == (moment - 1 if isinstance(moment, int) else len(FILES))
    assert models.registry.register(models.problem, folder) == 1
    assert len(models.objects()) == len(FILES)


def _register(problem: str, folder: Path, settings: Settings, moment: int | str) -> None:
    """Register, and be killed at so many puts, or when the version is to appear."""
    objects._client.cache_clear()
    registry = Registry(settings)
    puts = itertools.count(1)

    def put(**_: object) -> None:
        if next(puts) == moment:
            _die()

    registry._s3.meta.events.register("before-call.s3.PutObject", put)
    if moment == "version":
        registry._client.create_model_version = _die
    registry.register(problem, folder)


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_registration_that_fails_at_its_last_step_leaves_no_version(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told that it failed releases the training set's tag."""
    client = models.registry._client
    create = client.create_model_version

    def lost(*given: object, **named: object) -> None:
        create(*given, **named)
        raise ConnectionError("the answer is lost")

    for name, act in (("create_model_version", lost), ("set_registered_model_alias", _interrupt)):
        with monkeypatch.context() as patch:
            patch.setattr(client, name, act)
            with pytest.raises((CdpError, KeyboardInterrupt)):
                models.registry.register(models.problem, models.folder_of(len(models.said)))
        models.said.append(name)
        assert models.aliases() == {}
    assert models.register(2) == 3
    assert models.aliases() == {3: ("challenger",)}


# Champions.


def test_a_challenger_becomes_champion_and_a_rollback_brings_the_one_before_back(
    models: Models,
) -> None:
    models.register(1, probabilities=LESS)
    models.promote(1)
    # The alias of the challenger is still there, and counts for nothing.
    assert models.aliases() == {1: ("champion",)}
    models.register(2)
    assert models.aliases() == {1: ("champion",), 2: ("challenger",)}
    models.promote(2)
    assert models.aliases() == {1: (), 2: ("champion",)}
    assert any(line.startswith("passed  not worse: on the same 1,500 rows") for line in models.said)
    assert models.said[-1] == f"version 2 of {models.name} is the champion in place of version 1"
    told = models.registry.version(models.problem, "champion")
    assert told.verdict
    assert (told.verdict["passed"], told.verdict["against"], told.previous) == (True, 1, 1)
    # A command that is tried again after its answer was lost has nothing to do.
    models.promote(2)
    assert models.said[-1].endswith("is the champion already")
    assert models.registry.rollback(models.problem).number == 1
    assert models.aliases() == {1: ("champion",), 2: ()}
    with pytest.raises(CdpError, match="has followed no champion"):
        models.registry.rollback(models.problem)
    models.promote(2)
    assert models.aliases() == {1: (), 2: ("champion",)}


def test_who_fails_is_not_promoted_unless_by_force_and_the_verdict_stays(models: Models) -> None:
    models.register(1)
    models.promote(1)
    models.register(2, probabilities=LESS)
    with pytest.raises(CdpError, match="is not promoted: it fails not worse") as error:
        models.promote(2)
    assert "--force REASON" in error.value.fix
    assert models.aliases() == {1: ("champion",), 2: ("challenger",)}
    kept = models.registry.version(models.problem, 2).verdict
    assert kept
    assert (kept["passed"], kept["forced"]) == (False, "")
    models.promote(2, force="the old one has a column that is gone")
    assert models.aliases() == {1: (), 2: ("champion",)}
    forced = models.registry.version(models.problem, 2).verdict
    assert forced
    assert forced["forced"] == "the old one has a column that is gone"
    assert forced["checks"] == kept["checks"]


def test_of_two_promotions_at_once_one_wins_and_the_other_says_so(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        models.register(number)
    models.promote(1)
    both, judge = threading.Barrier(2), Registry.judge

    def together(self: Registry, *versions: Version) -> gate.Verdict:
        verdict = judge(self, *versions)
        both.wait(60)
        return verdict

    monkeypatch.setattr(Registry, "judge", together)

    def promote(number: int) -> str:
        try:
            Registry(models.settings).promote(models.problem, number, lambda _: None)
        except CdpError as error:
            return error.problem
        return ""

    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(promote, (2, 3)))
    assert errors.count("") == 1
    winner = 2 if not errors[0] else 3
    assert re.search("another command (was faster|is at work)", "".join(errors))
    assert models.registry.version(models.problem, "champion").number == winner
    loser = models.registry.version(models.problem, 5 - winner)
    assert (loser.verdict, loser.previous) == (None, None)
    assert models.registry.rollback(models.problem).number == 1


def test_a_promotion_during_another_or_after_its_verdict_is_refused(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        models.register(number)
    other = Lease(models.settings, "promote another", f"leases/{models.name}.json")
    assert other.take() is None
    with pytest.raises(CdpError, match=r"at work on .*: promote another"):
        models.promote(1)
    other.give_back()
    assert models.aliases() == {1: (), 2: ("challenger",)}
    judge = models.registry.judge

    def late(*versions: Version) -> gate.Verdict:
        verdict = judge(*versions)
        Registry(models.settings).promote(models.problem, 2, lambda _: None)
        return verdict

    monkeypatch.setattr(models.registry, "judge", late)
    with pytest.raises(CdpError, match=r"another command was faster: the champion of .* version 2"):
        models.promote(1)
    assert models.aliases() == {1: (), 2: ("champion",)}
    assert models.registry.version(models.problem, 1).verdict is None


def test_a_promotion_that_is_killed_before_its_last_step_has_changed_no_champion(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        models.register(number)
    models.promote(1)
    monkeypatch.setattr(models.registry._client, "set_registered_model_alias", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        models.promote(2)
    monkeypatch.undo()
    assert models.aliases() == {1: ("champion",), 2: ("challenger",)}
    with pytest.raises(CdpError, match="has followed no champion"):
        models.registry.rollback(models.problem)
    models.promote(2)
    assert models.registry.rollback(models.problem).number == 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_damaged_version_is_neither_fetched_nor_promoted_even_by_force(models: Models) -> None:
    models.register(1)
    models.promote(1)
    models.register(2)
    s3, bucket = objects.client(models.settings), models.settings.bucket
    key = f"models/{models.name}/{models.id(2)}/model.onnx"
    s3.put_object(Bucket=bucket, Key=key, Body=b"damaged")
    with pytest.raises(CdpError, match=r"model\.onnx of version 2 .* not as it was registered"):
        models.registry.fetch(models.problem, 2, models.folder / "fetched")
    s3.delete_object(Bucket=bucket, Key=key)
    for force in ("", "at any price"):
        with pytest.raises(CdpError, match=r"model\.onnx of version 2 .* is gone"):
            models.promote(2, force)
    # But a champion whose files are lost can be replaced by force.
    models.register(3)
    s3.delete_object(Bucket=bucket, Key=f"models/{models.name}/{models.id(1)}/report.json")
    with pytest.raises(CdpError, match=r"report\.json of version 1 .* is gone"):
        models.promote(3)
    models.promote(3, "the files of the champion are lost")
    assert models.registry.version(models.problem, "champion").number == 3


def test_a_deleted_version_is_gone_with_its_files_and_its_number_is_not_given_again(
    models: Models,
) -> None:
    for number in (1, 2):
        models.register(number)
    models.promote(1)
    with pytest.raises(CdpError, match=r"version 1 .* is the champion"):
        models.registry.delete(models.problem, 1)
    tag = models.registry.delete(models.problem, 2)
    assert tag == "training_" + models.id(2).replace("-", "_")
    assert models.aliases() == {1: ("champion",)}
    assert {key.split("/")[2] for key in models.objects()} == {models.id(1)}
    with pytest.raises(CdpError, match="has no version 2"):
        models.registry.delete(models.problem, 2)
    models.register(3)
    assert models.aliases() == {1: ("champion",), 3: ("challenger",)}


# What is away.


def away(settings: Settings, **told: object) -> Settings:
    return settings.model_copy(update=told)


def one_line(act: Callable[[], object], *words: str) -> None:
    """The act fails with a line that has these words, and no secret: after seconds, not the minutes
    that MLflow would try again."""
    began = time.monotonic()
    with pytest.raises(CdpError) as error:
        act()
    assert time.monotonic() - began < 20
    for told in (error.value.problem, error.value.fix):
        assert "\n" not in told
        assert "hidden" not in told
        assert told
    assert all(word in error.value.problem for word in words), error.value.problem


def test_a_registry_that_is_away_is_one_line_without_its_password(models: Models) -> None:
    uri = SecretStr("http://ann:hid%40hidden@127.0.0.1:9/path")
    registry = Registry(away(models.settings, mlflow_uri=uri))
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "ann"
    one_line(
        lambda: registry.versions(models.problem), "at http://127.0.0.1:9/path does not answer"
    )


def test_a_file_that_is_no_registry_is_one_line(models: Models, tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"something else" * 1000)
    there = away(models.settings, mlflow_uri=SecretStr(f"sqlite:///{tmp_path}/other.db"))
    one_line(lambda: Registry(there), "other.db does not do it: file is not a database")
    (tmp_path / "empty.db").touch()
    there = away(models.settings, mlflow_uri=SecretStr(f"sqlite:///{tmp_path}/empty.db"))
    one_line(lambda: Registry(there), "no such table")


def test_first_commands_at_once_make_one_file_and_what_a_killed_one_left_is_no_hindrance(
    models: Models, tmp_path: Path
) -> None:
    path = tmp_path / "state" / "mlflow.db"
    path.parent.mkdir()
    path.with_name("mlflow.db.new").write_bytes(b"half made")
    there = away(models.settings, mlflow_uri=SecretStr(f"sqlite:///{path}"))
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: Registry(there).problems(), range(2))) == [[], []]
    assert path.stat().st_mode & 0o777 == 0o600
    assert {p.name for p in path.parent.iterdir()} == {"mlflow.db", "mlflow.db.lock"}


def test_with_the_store_away_nothing_is_registered_or_fetched(models: Models) -> None:
    models.register(1)
    registry = Registry(away(models.settings, s3_endpoint=UNREACHABLE))
    folder = models.folder_of(2)
    one_line(lambda: registry.register(models.problem, folder), "the object store")
    one_line(lambda: registry.promote(models.problem, 1, print), "the object store")
    assert models.aliases() == {1: ("challenger",)}


def test_without_the_libraries_a_command_says_how_to_install_them(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(CdpError, match="the libraries of models are not installed") as error:
        mlflow_client.connect(models.settings)
    assert error.value.fix == "make install-models"


# What nobody else is told.

CHILD = """
import json, sys
hosts, opened = [], []
def hook(event, arguments):
    if event == "socket.connect":
        hosts.append(str(arguments[1]))
    elif event == "socket.getaddrinfo":
        hosts.append(str(arguments[:2]))
sys.addaudithook(hook)
from pathlib import Path
from cdp.settings import settings
from cdp.models.registry import Registry
assert "mlflow" not in sys.modules
number = Registry(settings()).register(sys.argv[1], Path(sys.argv[2]))
from mlflow.telemetry.client import get_telemetry_client
from mlflow.telemetry.utils import is_telemetry_disabled
told = {"number": number, "hosts": hosts, "disabled": is_telemetry_disabled()}
print(json.dumps(told | {"client": get_telemetry_client() is not None}))
"""


def test_who_registers_asks_loopback_alone_and_leaves_nothing_where_it_stands(
    models: Models, stack: Stack, tmp_path: Path
) -> None:
    """In a process that has nothing of pytest in its environment, which MLflow would look for."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    kept = {k: v for k, v in stack.environment().items() if k in {"PATH", "LANG"} or "CDP" in k}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, models.problem, str(models.folder_of(1))],
        cwd=here,
        env=kept | {"HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    told = json.loads(done.stdout)
    assert told["number"] == 1
    assert told["disabled"]
    assert not told["client"]
    assert told["hosts"]
    assert {h for h in told["hosts"] if "127.0.0.1" not in h} == set()
    assert list(here.iterdir()) == []
    assert [p for p in home.rglob("*") if p.is_file()] == []
    # What this process has seen of the registry is the same.
    assert models.aliases() == {1: ("challenger",)}


# The commands.


def test_the_commands_from_the_first_version_to_a_deleted_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    models = Models(stack, "commands", tmp_path / "models")
    monkeypatch.setattr(commands, "settings", lambda: models.settings)

    def cdp(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=True)
        if done.exception:
            raise done.exception
        return done.output

    name = models.problem
    assert "no model is registered" in cdp("list", name)
    models.register(1, probabilities=LESS)
    cdp("promote", name, "1")
    models.register(2)
    judged = json.loads(cdp("compare", name, "champion", "challenger", "--json"))
    assert (judged["champion"], judged["challenger"], judged["passed"]) == (1, 2, True)
    shown = cdp("compare", name, "1", "2")
    assert "passed  not worse: on the same 1,500 rows ROC-AUC +0.0" in shown
    with pytest.raises(CdpError, match="is not promoted"):
        # The other way round it is worse.
        cdp("promote", name, str(models.register(3, probabilities=[blurred(CHANCES, 2.0)])))
    assert "version 2 of" in cdp("promote", name, "2")
    listed = json.loads(cdp("list", name, "--json"))
    assert [(v["number"], v["aliases"]) for v in listed] == [
        (1, []),
        (2, ["champion"]),
        (3, ["challenger"]),
    ]
    rows = [line.split()[:3] for line in cdp("list").splitlines()]
    expected = [[name, "3", "challenger"], [name, "2", "champion"], [name, "1", "lightgbm"]]
    assert [row for row in rows if row[0] == name] == expected
    card = tmp_path / "card.html"
    shown = cdp("show", name, "champion", "--card", str(card))
    assert models.id(2) in shown
    assert "against version 1" in shown
    assert card.read_text() == f"<title>{models.id(2)}</title>"
    assert json.loads(cdp("show", name, "3", "--json"))["report"]["estimator"] == "lightgbm"
    assert "version 1 of" in cdp("rollback", name)
    assert "version 2 of commands is deleted" in cdp("delete", name, "2")
    with pytest.raises(CdpError, match="has no version 2"):
        cdp("show", name, "2")
    with pytest.raises(CdpError, match="not the name of a problem"):
        cdp("list", "no problem")
