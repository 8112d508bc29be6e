"""A checkout of the project that a test may change, run against the shared stack."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdp.settings import ROOT
from tests.support.reading import heads
from tests.support.stack import CDP, Stack

PARTS = ["cdp", "contracts", "macros", "models", "seeds", "snapshots", "sources", "tests/data"]
PARTS += ["dbt_project.yml", "profiles.yml", ".dbtignore"]
# What dbt has read of the project: it reads what a test edits, and nothing else.
PARSED = "partial_parse.msgpack"


@dataclass
class Checkout:
    """A copy of what builds are made of."""

    stack: Stack
    folder: Path

    def __post_init__(self) -> None:
        for part in PARTS:
            target = self.folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, target)
            else:
                shutil.copy(ROOT / part, target)
        (self.folder / ".venv").symlink_to(Path(CDP).parent.parent)
        self.target.mkdir()
        if (self.stack.target / PARSED).exists():
            shutil.copy(self.stack.target / PARSED, self.target)

    @property
    def target(self) -> Path:
        """The folder that dbt writes to."""
        return self.folder / "target"

    @property
    def _own(self) -> dict[str, str]:
        """What makes a command use this code, and write to its folder."""
        return {"PYTHONPATH": str(self.folder), "DBT_TARGET_PATH": str(self.target)}

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        return self.stack.environment(**self._own, **more)

    def run(self, *command: str, ok: bool = True, **more: str) -> str:
        """Run a command in it; what it printed."""
        done = self.stack.run(*command, ok=ok, cwd=self.folder, **self._own, **more)
        return done.stdout + done.stderr

    def results(self, *kinds: str) -> dict[str, str]:
        """How the nodes of these kinds ended in the last build, by their names."""
        told = json.loads((self.target / "run_results.json").read_text())
        found = {tuple(r["unique_id"].split(".")): r["status"] for r in told["results"]}
        # The name of a generic test is followed by a hash, that of a unit test by its model.
        return {i[3 if i[0] == "unit_test" else 2]: s for i, s in found.items() if i[0] in kinds}


@contextmanager
def taken_back(stack: Stack, folder: Path) -> Iterator[Checkout]:
    """A checkout. What a test has published of its own making is taken back in the end."""
    made = Checkout(stack, folder)
    before = heads(stack)
    yield made
    if heads(stack) != before:
        stack.cdp("rollback")
    assert heads(stack) == before
