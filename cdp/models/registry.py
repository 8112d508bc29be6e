"""The registry of model versions: MLflow keeps them, the object store keeps their files.

The files of a version are below `models/churn_<problem>/<model id>/` in the bucket, with a hash of
each in its tags. They are put there first; the version that names them appears last, by one call.
So what is killed in its middle leaves no version, but files that none names: they do no harm, are
overwritten when the same model is registered again, and are not removed, since the registry of
another checkout may name them. MLflow's runs are not used: a report has all figures.

What changes a model's versions is done under a lease of its own. The champion before is a tag of
the champion, so that a promotion is seen by one call that moves an alias.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cdp import objects
from cdp.errors import CdpError
from cdp.models import gate
from cdp.models import mlflow_client as mlflow
from cdp.models.gate import Check, Verdict
from cdp.models.version import MODEL_ID, PREFIX, PREVIOUS, Version, hashes, place_of, tags
from cdp.publish import lease
from cdp.settings import Settings

CHAMPION, CHALLENGER = "champion", "challenger"
PROBLEM = re.compile(r"[a-z][a-z0-9_]*")
# Seconds that a registration waits for another command.
PATIENCE = 60.0


class Registry:
    """The versions of every problem. Raises CdpError when MLflow is not installed or is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.bucket
        self._s3 = objects.client(settings)
        self._client = mlflow.connect(settings)

    def problems(self) -> list[str]:
        """Return the problems that have a registered model, in order."""
        with mlflow.explained(self._settings):
            found = mlflow.pages(self._client.search_registered_models)
        return sorted(m.name.removeprefix(PREFIX) for m in found if m.name.startswith(PREFIX))

    def versions(self, problem: str) -> list[Version]:
        """Return the versions of a problem, in order; none when nothing is registered."""
        name = _name(problem)
        with mlflow.explained(self._settings):
            model = mlflow.found(lambda: self._client.get_registered_model(name))
            if model is None:
                return []
            told = mlflow.pages(self._client.search_model_versions, f"name='{name}'")
        aliases = {alias: int(number) for alias, number in model.aliases.items()}
        if aliases.get(CHALLENGER) == aliases.get(CHAMPION):
            # A promotion moves one alias: who has become champion challenges nobody.
            aliases.pop(CHALLENGER, None)
        return sorted((Version.of(problem, t, aliases) for t in told), key=lambda v: v.number)

    def version(self, problem: str, which: int | str) -> Version:
        """Return a version by its number or an alias. Raises CdpError when there is none."""
        found = self._seek(problem, which)
        if found is None:
            raise CdpError(
                f"{_name(problem)} has no version {which}", f"cdp models list {problem} shows them"
            )
        return found

    def champion(self, problem: str) -> Version | None:
        """Return the champion of a problem, if it has one."""
        return self._seek(problem, CHAMPION)

    def _seek(self, problem: str, which: int | str) -> Version | None:
        wanted = str(which)
        found = self.versions(problem)
        return next((v for v in found if str(v.number) == wanted or wanted in v.aliases), None)

    def find(self, model_id: str) -> Version | None:
        """Return the version that a model is registered as, if it is."""
        if not MODEL_ID.fullmatch(model_id):
            return None
        with mlflow.explained(self._settings):
            told = mlflow.pages(
                self._client.search_model_versions, f"tags.`model_id` = '{model_id}'"
            )
        ours = [t for t in told if t.name.startswith(PREFIX)]
        return self._seek(ours[0].name.removeprefix(PREFIX), ours[0].version) if ours else None

    def register(self, problem: str, folder: Path, *, challenger: bool = True) -> int:
        """Register the model of a folder. Returns the number of its version.

        folder: has `version.FILES`. challenger: whether it becomes the challenger. A model that is
        registered is not again. Raises CdpError when a file is missing, or the store or the
        registry is away.
        """
        name = _name(problem)
        files = hashes(folder)
        told = tags(folder, problem) | {"files": json.dumps(files)}
        model_id = told["model_id"]
        place = place_of(problem, model_id)
        number = self._registered(model_id, files)
        if number is None:
            with objects.explained():
                for file in files:
                    self._s3.upload_file(str(folder / file), self._bucket, f"{place}/{file}")
        with self._alone(name, f"register {model_id}", PATIENCE), mlflow.explained(self._settings):
            number = number or self._registered(model_id, files)
            is_new = number is None
            try:
                number = number or self._create(name, f"s3://{self._bucket}/{place}", told)
                champion = self.champion(problem)
                if challenger and (champion is None or champion.number != number):
                    self._client.set_registered_model_alias(name, CHALLENGER, str(number))
            except BaseException:
                # The answer may be lost alone: who is told of a failure finds no version.
                with suppress(CdpError):
                    made = self.find(model_id) if is_new else None
                    if made:
                        self._client.delete_model_version(name, str(made.number))
                raise
        return number

    def _create(self, name: str, source: str, told: Mapping[str, str]) -> int:
        if mlflow.found(lambda: self._client.get_registered_model(name)) is None:
            self._client.create_registered_model(name)
        made = self._client.create_model_version(name, source, tags=told, await_creation_for=0)
        return int(made.version)

    def _registered(self, model_id: str, files: Mapping[str, str]) -> int | None:
        """The number that a model has already. Raises CdpError when that one has other files."""
        known = self.find(model_id)
        if known and known.files != files:
            raise CdpError(f"{known} is {model_id}, too, with other files", "cdp train again")
        return known.number if known else None

    def read(self, version: Version, file: str) -> bytes:
        """Return a file of a version. Raises CdpError when it is not as it was registered."""
        bucket, key = version.place(file)
        with objects.explained():
            try:
                found: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except objects.FAILURES as error:
                if objects.is_error(error, "NoSuchKey", "404"):
                    raise _damaged(version, file, "gone") from error
                raise
        if hashlib.sha256(found).hexdigest() != version.files.get(file):
            raise _damaged(version, file, "not as it was registered")
        return found

    def fetch(
        self, problem: str, which: int | str, folder: Path, files: Sequence[str] = ()
    ) -> Version:
        """Download a version, or some of its files, into a folder, which is made."""
        version = self.version(problem, which)
        self._download(version, folder, files or list(version.files))
        return version

    def _download(self, version: Version, folder: Path, files: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            # Whatever the registry has there, it is a name alone.
            (folder / Path(file).name).write_bytes(self.read(version, file))

    def judge(self, champion: Version | None, challenger: Version) -> Verdict:
        """Return what the gate says of a challenger."""
        with tempfile.TemporaryDirectory(prefix="cdp-models-") as scratch:
            old, new = Path(scratch, "champion"), Path(scratch, "challenger")
            if champion:
                self._download(champion, old, gate.FILES)
            self._download(challenger, new, gate.FILES)
            return gate.judge(old if champion else None, new)

    def promote(
        self, problem: str, number: int, say: Callable[[str], None], force: str = ""
    ) -> Verdict | None:
        """Make a version the champion if the gate lets it pass; None when it is that already.

        force: why it becomes champion though it fails. The verdict stays with the version, whatever
        it is. Raises CdpError when it fails, or when another promotion was faster.
        """
        name = _name(problem)
        champion, new = self.champion(problem), self.version(problem, number)
        if champion and champion.number == new.number:
            say(f"{new} is the champion already")
            return None
        verdict = self._verdict(champion, new, force)
        for check in verdict.checks:
            say(f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.words}")
        old = champion.number if champion else None
        with self._alone(name, f"promote {new}"), mlflow.explained(self._settings):
            now = self.champion(problem)
            if (now.number if now else None) != old:
                raise CdpError(
                    f"another command was faster: the champion of {name} is now "
                    f"{now or 'none'}, and {new} was not promoted",
                    f"cdp models promote {problem} {number} judges it against that one",
                )
            forced = force if not verdict.passed else ""
            told = verdict.as_json() | {"against": old, "at": _moment(), "forced": forced}
            self._client.set_model_version_tag(name, str(number), "verdict", json.dumps(told))
            if not verdict.passed and not force:
                raise CdpError(
                    f"{new} is not promoted: it fails {verdict.failures}",
                    f"train a better one, or cdp models promote {problem} {number} --force REASON",
                )
            self._client.set_model_version_tag(name, str(number), PREVIOUS, str(old or 0))
            self._client.set_registered_model_alias(name, CHAMPION, str(number))
        say(f"{new} is the champion" + (f" in place of version {old}" if old else ""))
        return verdict

    def _verdict(self, champion: Version | None, new: Version, force: str) -> Verdict:
        for file in new.files:
            # Each is as it was registered: by force, too, nothing damaged becomes champion.
            self.read(new, file)
        try:
            return self.judge(champion, new)
        except CdpError as error:
            if not force:
                raise
            # Else a champion whose files are lost could not be replaced.
            return Verdict((Check("compared", False, error.problem),))

    def rollback(self, problem: str) -> Version:
        """Make the champion before the champion again. Returns it.

        Raises CdpError when there was none, or it is deleted.
        """
        name = _name(problem)
        with self._alone(name, f"roll back {name}"), mlflow.explained(self._settings):
            champion = self.champion(problem)
            if champion is None or champion.previous is None:
                raise CdpError(
                    f"{champion or name} has followed no champion",
                    f"cdp models promote {problem} VERSION",
                )
            back = self.version(problem, champion.previous)
            # Its alias of before counts for nothing as long as it is champion, and must not after.
            model = self._client.get_registered_model(name)
            if str(model.aliases.get(CHALLENGER)) == str(champion.number):
                self._client.delete_registered_model_alias(name, CHALLENGER)
            self._client.set_registered_model_alias(name, CHAMPION, str(back.number))
            self._client.set_model_version_tag(name, str(champion.number), PREVIOUS, "0")
        return back

    def delete(self, problem: str, number: int) -> str:
        """Delete a version with its files. Returns the tag of its training set, for who releases
        it. Raises CdpError for the champion."""
        name = _name(problem)
        with self._alone(name, f"delete version {number}"), mlflow.explained(self._settings):
            found = self.version(problem, number)
            if CHAMPION in found.aliases:
                fix = f"cdp models promote {problem} another first, or cdp models rollback"
                raise CdpError(f"{found} is the champion", fix)
            self._client.delete_model_version(name, str(number))
        with objects.explained():
            for bucket, key in map(found.place, found.files):
                self._s3.delete_object(Bucket=bucket, Key=key)
        return found.training_tag

    def _alone(self, name: str, what: str, wait: float = 0) -> AbstractContextManager[lease.Lease]:
        """Nobody else changes this model. Raises CdpError as `lease.held` does."""
        return lease.held(self._settings, what, wait, key=f"leases/{name}.json")


def _name(problem: str) -> str:
    """The name that a problem's model is registered by."""
    if not PROBLEM.fullmatch(problem):
        raise CdpError(f"{problem!r} is not the name of a problem", "cdp models list shows them")
    return PREFIX + problem


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _damaged(version: Version, file: str, how: str) -> CdpError:
    return CdpError(f"{file} of {version} is {how}", "train again; cdp models delete removes it")
