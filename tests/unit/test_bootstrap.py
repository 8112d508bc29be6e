"""The bootstrap, run as make runs it, in a checkout of the test's own. Nothing is installed."""

import ast
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from cdp.settings import ROOT, Settings

SCRIPT = ROOT / "cdp" / "bootstrap.py"
OLDER_MINORS = range(6, 11)


@dataclass
class Checkout:
    """A copy of what the bootstrap reads, and the bare environment that it runs in."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def script(self) -> Path:
        return self.root / "cdp" / "bootstrap.py"

    @property
    def cache(self) -> Path:
        return Path(self.env["CDP_CACHE_DIR"])

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)

    def load(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("bootstrap_of_a_test", self.script)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def install(self, level: str) -> None:
        """Leave what a finished run leaves, as far as the bootstrap looks at it."""
        binaries = self.root / ".venv" / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").symlink_to(sys.executable)
        module = self.load()
        Path(module.STAMP).write_text(module.wanted_stamp(level))

    def files(self) -> list[str]:
        # Of a compiled script that some other step left, nothing is to be concluded.
        found = (p for p in self.root.rglob("*") if "__pycache__" not in p.parts)
        return sorted(str(p) for p in found)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    (root / "cdp").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "cdp")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(ROOT / "requirements", root / "requirements")
    (tmp_path / "empty").mkdir()
    cache = str(tmp_path / "cache")
    env = {"PATH": str(tmp_path / "empty"), "HOME": str(tmp_path), "CDP_CACHE_DIR": cache}
    return Checkout(root, env)


def as_version(version: tuple[int, ...], script: Path) -> list[str]:
    """The command that runs the script in this Python, which claims to be of another version."""
    code = (
        "import runpy, sys; sys.version_info = {!r}; sys.argv = [{!r}]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return [sys.executable, "-I", "-c", code.format(version, str(script))]


def older_pythons() -> list[str]:
    """The Pythons before 3.11 that this machine has, on PATH or at pyenv; perhaps none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found: list[str] = []
    for minor in OLDER_MINORS:
        candidates = [str(p) for p in pyenv.glob(f"3.{minor}.*/bin/python")]
        named = shutil.which(f"python3.{minor}")
        candidates += [named] if named else []
        # A version manager's shim may name a Python that is not active.
        works = (c for c in candidates if is_python(c))
        found += [first for first in [next(works, None)] if first]
    return found


def is_python(path: str) -> bool:
    return subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0


def assert_refused(done: subprocess.CompletedProcess[str], version: str) -> None:
    problem, fix = done.stderr.splitlines()
    assert problem == f"error: Python {version} is here, and 3.11 to 3.13 is needed"
    assert fix.startswith("  fix: ")
    assert "make PYTHON=" in fix
    assert done.stdout == ""
    assert done.returncode == 1


# The interpreter.


def test_script_parses_in_python_3_6() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_script_imports_the_standard_library_alone() -> None:
    imports = [n for n in ast.walk(ast.parse(SCRIPT.read_text())) if isinstance(n, ast.Import)]
    names = {alias.name.split(".")[0] for node in imports for alias in node.names}
    assert names
    assert names <= sys.stdlib_module_names
    assert not [n for n in ast.walk(ast.parse(SCRIPT.read_text())) if isinstance(n, ast.ImportFrom)]


def test_older_pythons_of_this_machine_are_refused_in_one_line(checkout: Checkout) -> None:
    # Where there is none, the next test tells the same; it needs none.
    for python in older_pythons():
        asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        version = subprocess.check_output(asked, text=True).strip()
        before = checkout.files()
        assert_refused(checkout.run([python, "-I", str(checkout.script)]), version)
        assert checkout.files() == before
        assert not checkout.cache.exists()


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 8, 18), (3, 10, 13), (3, 14, 0)])
def test_unsupported_version_is_refused_in_one_line(
    checkout: Checkout, version: tuple[int, ...]
) -> None:
    before = checkout.files()
    done = checkout.run(as_version(version, checkout.script))
    assert_refused(done, f"{version[0]}.{version[1]}")
    assert checkout.files() == before
    assert not checkout.cache.exists()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((2, 7, 18), False),
        ((3, 10, 13), False),
        ((3, 11, 0), True),
        ((3, 12, 1), True),
        ((3, 13, 9), True),
        ((3, 14, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_supported_versions(checkout: Checkout, version: tuple[int, ...], expected: bool) -> None:
    assert checkout.load().supported(version) is expected


def test_versions_are_those_of_the_package(checkout: Checkout) -> None:
    module = checkout.load()
    wanted = f">={'.'.join(map(str, module.OLDEST))},<3.{module.NEWEST[1] + 1}"
    assert f'requires-python = "{wanted}"' in (ROOT / "pyproject.toml").read_text()


def claim(module: ModuleType, version: tuple[int, ...]) -> None:
    """Have the module believe that it runs in another version."""
    vars(module)["sys"] = SimpleNamespace(
        version_info=version, executable=sys.executable, stderr=sys.stderr, exit=sys.exit
    )


def test_this_python_is_used_when_it_will_do(checkout: Checkout) -> None:
    assert checkout.load().find_python() == sys.executable


def test_another_python_on_path_is_used_and_dead_shims_are_passed_over(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    shim = folder / "python3.13"
    shim.write_text("#!/bin/sh\necho 'python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    (folder / "python3.12").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(folder))
    module = checkout.load()
    claim(module, (3, 8, 18))
    assert module.find_python() == str(folder / "python3.12")


# The disk.


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(total=10**12, used=10**12, free=1_234_567_890)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


@pytest.mark.usefixtures("full_disk")
def test_too_little_disk_is_one_line_with_a_fix(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        checkout.load().check_disk(str(checkout.cache))
    assert ended.value.code == 1
    problem, fix = capsys.readouterr().err.splitlines()
    assert problem == f"error: 1.2 GB free at {checkout.cache}, and 6 GB is needed"
    assert "CDP_CACHE_DIR" in fix


def test_enough_disk_is_no_news(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7e9))
    checkout.load().check_disk(str(checkout.cache))
    assert capsys.readouterr() == ("", "")


def test_cache_that_cannot_be_made_is_one_line_with_a_fix(
    checkout: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    checkout.env["CDP_CACHE_DIR"] = str(tmp_path / "file" / "cache")
    done = checkout.run([sys.executable, "-I", str(checkout.script)])
    problem, fix = done.stderr.splitlines()
    assert problem.startswith(f"error: {checkout.cache} cannot be made")
    assert "CDP_CACHE_DIR" in fix
    assert done.returncode == 1


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"XDG_CACHE_HOME": "{}/xdg"},
        {"CDP_CACHE_DIR": "{}/named", "XDG_CACHE_HOME": "{}/xdg"},
        {"CDP_CACHE_DIR": "~/named"},
        {"CDP_CACHE_DIR": "", "XDG_CACHE_HOME": ""},
    ],
    ids=["default", "XDG", "named", "tilde", "empty"],
)
def test_cache_is_the_one_of_the_settings(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    for name in ("CDP_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert Path(checkout.load().cache_dir()).resolve() == Settings.model_validate({}).cache_dir


# The stamp.


@pytest.mark.parametrize("level", ["runtime", "dev"])
def test_installed_checkout_is_left_alone_at_once(checkout: Checkout, level: str) -> None:
    checkout.install(level)
    before = checkout.files()
    started = time.perf_counter()
    done = checkout.run([sys.executable, "-I", str(checkout.script), level])
    took = time.perf_counter() - started
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert checkout.files() == before
    assert not checkout.cache.exists()
    assert took < 2


@pytest.fixture
def begins(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, full_disk: None
) -> Callable[[str], bool]:
    """Whether a run has something to install: it then ends at the full disk."""
    monkeypatch.setenv("CDP_CACHE_DIR", checkout.env["CDP_CACHE_DIR"])

    def run(level: str) -> bool:
        monkeypatch.setattr(sys, "argv", ["bootstrap.py", level])
        try:
            checkout.load().main()
        except SystemExit:
            return True
        return False

    return run


def test_fresh_checkout_is_installed(begins: Callable[[str], bool]) -> None:
    assert begins("runtime")


def test_larger_set_serves_the_smaller_and_not_the_reverse(
    checkout: Checkout, begins: Callable[[str], bool]
) -> None:
    checkout.install("dev")
    assert not begins("runtime")
    shutil.rmtree(checkout.root / ".venv")
    checkout.install("runtime")
    assert not begins("runtime")
    assert begins("dev")


@pytest.mark.parametrize("name", ["requirements/runtime.txt", "pyproject.toml"])
def test_changed_lock_is_installed(
    checkout: Checkout, begins: Callable[[str], bool], name: str
) -> None:
    checkout.install("runtime")
    with (checkout.root / name).open("a") as f:
        f.write("# changed\n")
    assert begins("runtime")


def test_changed_larger_lock_is_installed_where_the_larger_set_is(
    checkout: Checkout, begins: Callable[[str], bool]
) -> None:
    checkout.install("dev")
    with (checkout.root / "requirements" / "dev.txt").open("a") as f:
        f.write("# changed\n")
    assert begins("runtime")


def test_moved_checkout_is_installed_anew(
    checkout: Checkout, begins: Callable[[str], bool]
) -> None:
    checkout.install("runtime")
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert begins("runtime")


def test_environment_whose_python_is_gone_is_installed_anew(
    checkout: Checkout, begins: Callable[[str], bool]
) -> None:
    checkout.install("runtime")
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nothing/python3")
    assert begins("runtime")


# The installation, with a uv that only notes how it was called.


@dataclass
class FakeUv:
    """Stands where the bootstrap looks for its uv. Fails when told to."""

    checkout: Checkout
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        digest = hashlib.sha256((self.checkout.root / "requirements/bootstrap.txt").read_bytes())
        folder = self.checkout.cache / "bootstrap" / f"uv-{digest.hexdigest()[:12]}" / "bin"
        folder.mkdir(parents=True)
        self.log = folder / "calls"
        self.fails = folder / "fails"
        binary = folder / "uv"
        binary.write_text(
            f"#!/bin/sh\necho \"$*\" >> '{self.log}'\n"
            f"case \"$*\" in 'pip sync'*) [ ! -e '{self.fails}' ];; esac\n"
        )
        binary.chmod(0o755)

    def bootstrap(self, level: str) -> list[str]:
        """Run it. Returns the calls of uv since the last time, each by its first words."""
        self.log.write_text("")
        self.monkeypatch.setattr(sys, "argv", ["bootstrap.py", level])
        self.checkout.load().main()
        return self.calls()

    def calls(self) -> list[str]:
        offline = [
            " offline" if "--offline" in c else "" for c in self.log.read_text().splitlines()
        ]
        words = [" ".join(c.split()[:2]) for c in self.log.read_text().splitlines()]
        return [w + o for w, o in zip(words, offline, strict=True)]


@pytest.fixture
def uv(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7e9))
    for name in ("UV_CACHE_DIR", "UV_NO_PROGRESS"):
        monkeypatch.setenv(name, "")  # the bootstrap sets them for its process
        monkeypatch.delenv(name)
    monkeypatch.setenv("CDP_CACHE_DIR", checkout.env["CDP_CACHE_DIR"])
    checkout.install("dev")
    return FakeUv(checkout, monkeypatch)


def test_installed_packages_come_from_the_cache_when_they_are_there(uv: FakeUv) -> None:
    (uv.checkout.root / ".venv" / ".cdp-installed").unlink()
    assert uv.bootstrap("runtime") == ["pip sync offline", "pip install offline"]
    assert uv.bootstrap("runtime") == []
    assert uv.bootstrap("dev") == ["pip sync offline", "pip install offline"]


def test_failed_installation_is_one_line_with_a_fix(
    uv: FakeUv, capfd: pytest.CaptureFixture[str]
) -> None:
    (uv.checkout.root / ".venv" / ".cdp-installed").unlink()
    uv.fails.touch()
    with pytest.raises(SystemExit) as ended:
        uv.bootstrap("runtime")
    assert ended.value.code == 1
    problem, fix = capfd.readouterr().err.splitlines()
    assert problem == "error: the Python packages could not be installed"
    assert fix.startswith("  fix: ")
    assert uv.calls() == ["pip sync offline", "pip sync"]
    uv.fails.unlink()
    assert uv.bootstrap("runtime") == ["pip sync offline", "pip install offline"]


def test_failed_change_is_not_taken_for_installed_when_it_is_taken_back(uv: FakeUv) -> None:
    assert uv.bootstrap("dev") == []
    lock = uv.checkout.root / "requirements" / "dev.txt"
    before = lock.read_text()
    lock.write_text(before + "# changed\n")
    uv.fails.touch()
    with pytest.raises(SystemExit):
        uv.bootstrap("dev")
    uv.fails.unlink()
    lock.write_text(before)
    assert uv.bootstrap("runtime") == ["pip sync offline", "pip install offline"]
    level = (uv.checkout.root / ".venv" / ".cdp-installed").read_text().split()[0]
    assert level == "dev", "the larger set stays"
