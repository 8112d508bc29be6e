"""Make `.venv` from the hash-locked requirements, with nothing but a Python on the machine.

Run by make as `python3 -I cdp/bootstrap.py [runtime|models|dev|airflow]`; the last makes
`.venv-airflow`, which has nothing of the others. Standard library only, and plain enough
to be parsed by an old Python, which gets one line that says what it lacks.
A run with nothing to do costs a few milliseconds: the installed state is a hash of the lock files.
"""

import hashlib
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 13)
DISK_GB = 6
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Each has what those before it have.
LEVELS = ["", "runtime", "models", "dev"]
AIRFLOW = "airflow"
VENV = os.path.join(ROOT, ".venv-airflow" if AIRFLOW in sys.argv[1:] else ".venv")
STAMP = os.path.join(VENV, ".cdp-installed")


def stop(problem, fix):
    sys.stderr.write("error: {}\n  fix: {}\n".format(problem, fix))
    sys.exit(1)


def requirements(name):
    return os.path.join(ROOT, "requirements", name + ".txt")


def cache_dir():
    """The per-user cache, as `cdp.settings` has it: CDP_CACHE_DIR, else under XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    named = os.environ.get("CDP_CACHE_DIR") or os.path.join(base, "cdp-lakehouse")
    return os.path.expanduser(named)


def supported(version):
    return OLDEST <= tuple(version[:2]) <= NEWEST


def find_python():
    """This interpreter if it will do, else another on PATH. Re-run by make's own shell."""
    if supported(sys.version_info):
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = "python3.{}".format(minor)
        path = shutil.which(name)
        # A version manager's shim may stand on PATH for a Python that is not active.
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return path
    return stop(
        "Python {}.{} is here, and 3.{} to 3.{} is needed".format(
            sys.version_info[0], sys.version_info[1], OLDEST[1], NEWEST[1]
        ),
        "apt-get install python3.11 python3.11-venv, or: make PYTHON=/path/to/python3.11",
    )


def check_disk(path):
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        stop(
            "{} cannot be made: {}".format(path, error.strerror),
            "set CDP_CACHE_DIR to a directory that you may write",
        )
    free = shutil.disk_usage(path).free / 1e9
    if free < DISK_GB:
        stop(
            "{:.1f} GB free at {}, and {} GB is needed".format(free, path, DISK_GB),
            "free some space, or set CDP_CACHE_DIR to a larger disk",
        )


def run(command, problem, fix):
    if subprocess.call(command) != 0:
        stop(problem, fix)


def find_uv(python, cache):
    """Install uv, at its locked hash, once a user. Returns the path of its binary."""
    with open(requirements("bootstrap"), "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()[:12]
    home = os.path.join(cache, "bootstrap", "uv-" + digest)
    binary = os.path.join(home, "bin", "uv")
    if os.path.exists(binary):
        return binary
    partial = home + ".partial-{}".format(os.getpid())
    pip = [python, "-m", "pip"]
    if subprocess.call([*pip, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        scratch = partial + "-venv"
        run(
            [python, "-m", "venv", scratch],
            "this Python has neither pip nor venv",
            "apt-get install python3-venv, or: make PYTHON=/path/to/another/python3",
        )
        pip = [os.path.join(scratch, "bin", "python"), "-m", "pip"]
    print("installing uv into {}".format(home))
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--target", partial]
    run(
        [*pip, "install", *options, "-r", requirements("bootstrap")],
        "uv could not be installed",
        "check that pip reaches its package index: pip download --no-deps uv",
    )
    try:
        os.rename(partial, home)
    except OSError:  # another bootstrap was quicker
        shutil.rmtree(partial)
    shutil.rmtree(partial + "-venv", ignore_errors=True)
    return binary


def wanted_stamp(level):
    digest = hashlib.sha256(VENV.encode())
    for path in [requirements(level), os.path.join(ROOT, "pyproject.toml")]:
        with open(path, "rb") as f:
            digest.update(f.read())
    return level + " " + digest.hexdigest()


def installed_stamp():
    try:
        with open(STAMP) as f:
            return f.read()
    except OSError:
        return ""


def main():
    level = sys.argv[1] if len(sys.argv) > 1 else "runtime"
    installed = installed_stamp()
    # A larger set serves for a smaller one: never shrink an environment under its user.
    before = installed.partition(" ")[0]
    if {level, before} <= set(LEVELS):
        level = max(level, before, key=LEVELS.index)
    stamp = wanted_stamp(level)
    venv_python = os.path.join(VENV, "bin", "python")
    if installed == stamp and os.path.exists(venv_python):
        return
    python = find_python()
    cache = cache_dir()
    check_disk(cache)
    os.environ.setdefault("UV_CACHE_DIR", os.path.join(cache, "uv"))
    os.environ.setdefault("UV_NO_PROGRESS", "0" if sys.stderr.isatty() else "1")
    uv = find_uv(python, cache)
    if not os.path.exists(venv_python):
        run(
            [uv, "venv", "--quiet", "--clear", "--python", python, VENV],
            ".venv could not be made with {}".format(python),
            "rm -rf .venv, or: make PYTHON=/path/to/another/python3",
        )
    with open(STAMP, "w") as f:
        f.write(level + " unfinished")
    where = os.path.basename(VENV)
    print("installing the {} requirements into {}".format(level, where), flush=True)
    sync = [uv, "pip", "sync", "--python", venv_python, "--require-hashes", requirements(level)]
    # Compiled once here, and not at every start where Python may not write: it is 1.5 s a command.
    sync.append("--compile-bytecode")
    # From the cache alone first: a second clone asks the network nothing.
    if subprocess.call([*sync, "--offline", "--quiet"], stderr=subprocess.DEVNULL) != 0:
        run(
            sync if sys.stderr.isatty() else [*sync, "--quiet"],
            "the Python packages could not be installed",
            "run it again (what was downloaded is kept); if it stays, check the package index",
        )
    if level != AIRFLOW:
        install_command(uv, venv_python)
    with open(STAMP, "w") as f:
        f.write(stamp)


def install_command(uv, venv_python):
    editable = ["--no-deps", "--no-build-isolation", "--offline", "--quiet", "--editable", ROOT]
    run(
        [uv, "pip", "install", "--python", venv_python, *editable],
        "the cdp command could not be installed into .venv",
        "rm -rf .venv, then run it again",
    )


if __name__ == "__main__":
    main()
