"""`cdp status`, `cdp logs` and `cdp doctor`: what runs, what it says, what is wrong."""

import platform
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from cdp.capture import slots
from cdp.errors import CdpError
from cdp.provision import download, locate, maven
from cdp.publish import show as runs
from cdp.settings import Settings
from cdp.stack import lifecycle, ports
from cdp.stack.probes import PROBES
from cdp.stack.service import Service
from cdp.stack.services import services
from cdp.stack.supervisor import Supervisor

GB = 1e9
LAST_RUNS = 5
NEEDED_MEMORY_GB = 6
NEEDED_DISK_GB = 6


def status(settings: Settings) -> dict[str, Any]:
    """Health, detail, process, memory and ports of each part, and the data's size; for JSON too."""
    parts = locate(settings)
    running = Supervisor(settings.state_dir).processes()
    by_name = {s.name: s for s in services(settings, parts)}
    names = lifecycle.expected(settings)
    with ThreadPoolExecutor(len(names)) as pool:
        answers = dict(zip(names, pool.map(lambda n: _ask(n, settings), names), strict=True))
    names += [name for name in by_name if name not in names]
    rows = [_row(n, answers.get(n), running.get(n, {}), by_name.get(n)) for n in names]
    # A Postgres that does not answer is reported as one, not by its slots.
    answering = answers.get("postgres", (False, ""))[0]
    found = slots.slots(settings) if answering else []
    return {
        "healthy": all(ok for ok, _ in answers.values()),
        "services": rows,
        "slots": [asdict(slot) for slot in found],
        "warnings": slots.warnings(found, settings) if answering else [],
        "runs": _runs(settings, answers),
        "memory_bytes": sum(r["memory_bytes"] or 0 for r in rows),
        "data_bytes": _size(settings.state_dir / "store"),
        "disk_free_bytes": shutil.disk_usage(settings.state_dir).free,
    }


def _runs(settings: Settings, answers: dict[str, tuple[bool, str]]) -> list[dict[str, Any]]:
    """The last runs, as `cdp runs --json` has them; none when those who keep them are away."""
    from cdp.publish.journal import Journal

    if not all(answers.get(part, (True, ""))[0] for part in ("store", "catalog")):
        return []
    return [runs.as_json(run) for run in Journal(settings).last(LAST_RUNS)]


def _ask(name: str, settings: Settings) -> tuple[bool, str]:
    try:
        return True, PROBES[name](settings)
    except Exception as error:  # noqa: BLE001 - any failure is the answer
        text = str(error).strip().splitlines()
        return False, text[0][:80] if text else type(error).__name__


def _row(
    name: str,
    answer: tuple[bool, str] | None,
    process: dict[str, Any],
    service: Service | None,
) -> dict[str, Any]:
    """One line of the status. Without a probe of its own, a part is as healthy as its process."""
    running = process.get("statename") == "RUNNING"
    healthy, detail = answer or (running, process.get("statename", "not started").lower())
    return {
        "name": name,
        "healthy": healthy,
        "detail": detail,
        "pid": process.get("pid") or None,
        "uptime_seconds": int(process["now"] - process["start"]) if running else None,
        "memory_bytes": _memory(process["pid"]) if process.get("pid") else None,
        "ports": dict(service.ports) if service else {},
    }


def _memory(pid: int) -> int:
    """Resident bytes of a process and its children."""
    try:
        process = psutil.Process(pid)
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
    except psutil.Error:
        return 0


def _size(folder: Path) -> int:
    """Bytes on disk below a folder, as allocated: the store's volume files are sparse."""
    return sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file())


def show(found: dict[str, Any], console: Console) -> None:
    """Print a status."""
    table = Table("service", "health", "says", "pid", "up", "memory", "ports", box=None)
    for row in found["services"]:
        up = "" if row["uptime_seconds"] is None else f"{row['uptime_seconds'] // 60} min"
        memory = "" if not row["memory_bytes"] else f"{row['memory_bytes'] / GB:.2f} GB"
        listed = ", ".join(
            f"{purpose} {port}" for purpose, port in row["ports"].items() if "gRPC" not in purpose
        )
        health = "[green]healthy[/]" if row["healthy"] else "[red]down[/]"
        table.add_row(row["name"], health, row["detail"], str(row["pid"] or ""), up, memory, listed)
    console.print(table)
    if found["slots"]:
        console.print(_slots(found["slots"]))
    if found["runs"]:
        runs.runs([runs.of_json(run) for run in found["runs"]], console)
    console.print(
        f"memory {found['memory_bytes'] / GB:.2f} GB, "
        f"data {found['data_bytes'] / 1e6:.1f} MB, "
        f"disk free {found['disk_free_bytes'] / GB:.0f} GB"
    )
    for line in found["warnings"]:
        console.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)


def _slots(found: list[dict[str, Any]]) -> Table:
    table = Table("slot", "reader", "behind", "for", "log kept", "state", "more allowed", box=None)
    for slot in found:
        seconds = slot["lag_seconds"]
        table.add_row(
            slot["name"],
            "active" if slot["active"] else "none",
            _megabytes(slot["lag_bytes"]),
            "" if seconds is None else f"{seconds:.1f} s",
            _megabytes(slot["retained_bytes"]),
            slot["wal_status"] or "",
            _megabytes(slot["safe_wal_size"]),
        )
    return table


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f} MB"


def logs(settings: Settings, service: str, lines: int, follow: bool) -> None:
    """Print the end of a service's log, and go on with it while it grows when asked to."""
    folder = settings.state_dir / "logs"
    path = folder / f"{service}.log"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.log"))) or "none yet: cdp up"
        raise CdpError(f"there is no log of {service}", f"the logs are: {known}")
    with path.open(errors="replace") as f:
        sys.stdout.writelines(f.readlines()[-lines:] if lines else [])
        while follow:
            sys.stdout.write(f.read())
            sys.stdout.flush()
            time.sleep(0.5)


def doctor(settings: Settings, console: Console) -> bool:
    """Check the machine and the checkout; print a line for each thing. Returns whether all hold."""
    findings = [*_machine(settings), *_files(settings), *_ports(settings)]
    for good, line, fix in findings:
        mark = "[green]ok  [/]" if good else "[red]fix [/]"
        console.print(mark, end="")
        console.print(
            line + (f"\n      {fix}" if fix and not good else ""), markup=False, soft_wrap=True
        )
    return all(good for good, _, _ in findings)


Finding = tuple[bool, str, str]


def _machine(settings: Settings) -> list[Finding]:
    memory = psutil.virtual_memory().available / GB
    disk = shutil.disk_usage(settings.state_dir).free / GB
    system = f"{platform.system()} {platform.machine()}"
    return [
        (True, f"Python {platform.python_version()}", ""),
        (platform.system() in {"Linux", "Darwin"}, system, "run it on Linux or macOS"),
        (
            memory > NEEDED_MEMORY_GB or Supervisor(settings.state_dir).running(),
            f"{memory:.1f} GB of memory available, {NEEDED_MEMORY_GB} wanted",
            "end other programs, or lower CDP_SPARK_DRIVER_MEMORY and CDP_TRINO_MEMORY",
        ),
        (
            disk > NEEDED_DISK_GB,
            f"{disk:.0f} GB of disk free, {NEEDED_DISK_GB} wanted",
            "free some space, or set CDP_STATE_DIR to a larger disk",
        ),
    ]


def _files(settings: Settings) -> list[Finding]:
    wrong = []
    for artifact in maven.read_lock(["spark", "trino"]):
        path = settings.artifacts_dir / artifact.path
        if not path.exists() or download.sha256_of(path) != artifact.sha256:
            wrong.append(artifact.filename)
    private = (settings.state_dir / "credentials.env").stat().st_mode & 0o077 == 0
    return [
        (
            not wrong,
            f"jars and servers match their hashes{': not ' + ', '.join(wrong) if wrong else ''}",
            "cdp provision",
        ),
        (
            private,
            "credentials are readable by their owner only",
            f"chmod 600 {settings.state_dir}/credentials.env",
        ),
    ]


def _ports(settings: Settings) -> list[Finding]:
    supervisor = Supervisor(settings.state_dir)
    if supervisor.running():
        healthy = status(settings)["healthy"]
        return [(healthy, "the services are up and answer", "cdp status; cdp up")]
    orphans = supervisor.survivors()
    if orphans:
        pids = ", ".join(str(p.pid) for p in orphans)
        return [(False, f"services without a supervisor are running: pid {pids}", "cdp down")]
    found = ports.busy(services(settings, locate(settings)))
    return [(not found, found or "the services' ports are free", ports.FIX)]
