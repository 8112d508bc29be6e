"""`cdp up` and `cdp down`: start, wait until every part answers, end."""

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cdp.errors import CdpError
from cdp.provision import Provisioned, provision
from cdp.settings import Settings, stack_file
from cdp.stack import airflow, archiving, postgres, spark
from cdp.stack.ports import check_free
from cdp.stack.probes import PROBES, UnfitError
from cdp.stack.service import Service
from cdp.stack.services import services, store_sockets
from cdp.stack.supervisor import Supervisor

POLL_SECONDS = 0.25


def expected(settings: Settings) -> list[str]:
    """The parts that must answer: every engine, ours or not, a local cluster's master and worker,
    and the Postgres that is captured, if there is one."""
    cluster = ["spark-master"] if "spark-cluster" in settings.with_services else []
    worker = ["trino-worker"] if "trino-worker" in settings.with_services else []
    captured = ["postgres"] if settings.has_postgres else []
    driver = ["airflow"] if "airflow" in settings.with_services else []
    exporter = ["metrics"] if "metrics" in settings.with_services else []
    return ["store", "catalog", *cluster, "spark", "trino", *worker, *captured, *driver, *exporter]


def up(settings: Settings, report: Callable[[str], None]) -> None:
    """Have every part running and answering. Idempotent; a changed configuration restarts.

    report: receives a line for each thing that happens.
    Raises CdpError that names the part which does not answer and why.
    """
    parts = provision(settings)
    archiving.ensure(settings, parts, report)
    chosen = services(settings, parts)
    supervisor = Supervisor(settings.state_dir)
    changed = configure(settings, parts)
    if settings.local_postgres:
        changed |= postgres.prepare(settings)
    if "airflow" in settings.with_services:
        airflow.prepare(settings, report)
    changed |= not supervisor.config.exists() or (
        supervisor.config.read_text() != supervisor.render(chosen)
    )
    if supervisor.running() and not changed:
        supervisor.ensure_started()
    else:
        if supervisor.running():
            report("the settings have changed: restarting the services")
        supervisor.stop()
        check_free(chosen)
        _remove_sockets(settings)
        if chosen:
            supervisor.start(chosen, settings.environment())
    wait(settings, supervisor, chosen, report)


def configure(settings: Settings, parts: Provisioned) -> bool:
    """Write Spark's properties and the environment file. Returns whether either is new."""
    (settings.state_dir / "spark" / "scratch").mkdir(parents=True, exist_ok=True)
    properties = settings.state_dir / "spark" / "conf" / "spark-defaults.conf"
    files = {
        properties: spark.properties(settings, parts),
        settings.state_dir / "env": settings.exports(),
    }
    changed = False
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.touch(mode=0o600)
            path.write_text(text)
            changed = True
    return changed


def wait(
    settings: Settings,
    supervisor: Supervisor,
    chosen: list[Service],
    report: Callable[[str], None],
) -> None:
    """Wait until every expected part answers its probe, all at once; report each as it does."""
    started = time.monotonic()
    ours = {s.name for s in chosen}
    failed = threading.Event()

    def one(name: str) -> None:
        service = {"airflow": "airflow-api"}.get(name, name)
        if name == "catalog":
            service = "rest-catalog" if "rest-catalog" in ours else "store"
        while not failed.is_set():
            try:
                detail = PROBES[name](settings)
            except UnfitError:
                failed.set()
                raise
            except Exception as error:
                state = supervisor.processes().get(service, {}).get("statename", "gone")
                late = time.monotonic() - started > settings.start_timeout
                if late or (service in ours and state in {"FATAL", "gone"}):
                    failed.set()
                    raise _absent(name, service, service in ours, error) from error
                time.sleep(POLL_SECONDS)
            else:
                report(f"{name} answers after {time.monotonic() - started:.1f} s: {detail}")
                return

    names = expected(settings)
    report("waiting for " + ", ".join(names))
    with ThreadPoolExecutor(len(names)) as pool:
        for future in [pool.submit(one, name) for name in names]:
            future.result()


def _absent(name: str, service: str, ours: bool, error: Exception) -> CdpError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    fix = f"cdp logs {service}" if ours else f"check the address of {name} in the settings"
    return CdpError(f"{name} does not answer: {reason}", fix)


def down(settings: Settings, data: bool = False) -> int:
    """End every local service. Returns how many orphans had to be ended.

    data: delete what they keep, too. Credentials and logs stay.
    """
    supervisor = Supervisor(settings.state_dir)
    ours = "store" in supervisor.processes()
    orphans = supervisor.stop()
    if ours or orphans:
        _remove_sockets(settings)
    if data:
        for name in (
            "store",
            "rest-catalog",
            "registry",
            "spark",
            "trino",
            "trino-worker",
            "airflow",
            "metrics",
        ):
            shutil.rmtree(settings.state_dir / name, ignore_errors=True)
        postgres.remove(settings)
    return orphans


def _remove_sockets(settings: Settings) -> None:
    """Remove what an ended store left in /tmp. Raises CdpError for what is another user's."""
    for path in store_sockets(settings):
        try:
            path.unlink(missing_ok=True)
        except PermissionError as error:
            raise CdpError(
                f"{path} is left over from the store of {path.owner()}",
                f"have {path.owner()} remove it, or choose other ports: CDP_PORT_OFFSET=100 cdp up",
            ) from error


def remember(settings: Settings, names: tuple[str, ...]) -> None:
    """Keep the choice of optional services for the commands that follow."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    stack_file(settings.state_dir).write_text(f"CDP_WITH_SERVICES={','.join(names)}\n")
