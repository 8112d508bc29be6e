"""supervisord, which starts the services, restarts what dies, and ends them all.

Its control socket stands in a private folder under the system's temporary directory, because the
path of a socket may have 107 characters and a checkout's may be longer. Secrets reach the services
through the inherited environment, so no file here holds one but the rendered Spark properties,
which their owner alone can read.
"""

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from cdp.errors import CdpError
from cdp.stack.service import Service

MARK = "CDP_SUPERVISED"


class Supervisor:
    """The supervisord of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.logs = state_dir / "logs"
        self.config = state_dir / "supervisord.conf"
        name = hashlib.sha256(str(state_dir).encode()).hexdigest()[:12]
        self._sockets = Path(tempfile.gettempdir()) / f"cdp-{os.getuid()}-{name}"

    def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - as XML-RPC has it
        """A supervisor XML-RPC call. Raises OSError when supervisord is away, Fault when it says
        no."""
        transport = SupervisorTransport(None, None, f"unix://{self._sockets}/control")
        proxy = ServerProxy("http://127.0.0.1", transport=transport)
        try:
            result: Any = getattr(proxy.supervisor, method)(*arguments)
        except HTTPException as error:
            raise OSError(str(error)) from error
        return result

    def running(self) -> bool:
        try:
            self.call("getState")
        except OSError:
            return False
        return True

    def processes(self) -> dict[str, dict[str, Any]]:
        """Each service's state, as supervisor reports it, by name. Empty when it is away."""
        try:
            return {p["name"]: p for p in self.call("getAllProcessInfo")}
        except OSError:
            return {}

    def render(self, services: list[Service]) -> str:
        sections = [
            "[supervisord]",
            f"logfile={self.logs}/supervisord.log",
            "logfile_maxbytes=5MB",
            f"pidfile={self.state_dir}/supervisord.pid",
            f"childlogdir={self.logs}",
            "[unix_http_server]",
            f"file={self._sockets}/control",
            "chmod=0700",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        if os.getuid() == 0:
            sections.insert(1, "user=root")  # say so, or it warns at every start
        for service in services:
            environment = ",".join(f'{k}="{v}"' for k, v in service.environment.items())
            sections += [
                f"[program:{service.name}]",
                f"command={shlex.join(service.command)}",
                f"directory={service.directory}",
                f"environment={environment}",
                f"stdout_logfile={self.logs}/{service.name}.log",
                "stdout_logfile_maxbytes=20MB",
                "stdout_logfile_backups=2",
                "redirect_stderr=true",
                "autorestart=true",
                "startsecs=4",
                "startretries=3",
                f"stopsignal={service.stop_signal}",
                f"stopwaitsecs={service.stop_seconds}",
                "stopasgroup=true",
                "killasgroup=true",
            ]
            if service.user:
                sections.append(f"user={service.user}")
        # A percent sign is supervisor's own marker for expansion.
        return "\n".join(line.replace("%", "%%") for line in sections) + "\n"

    def start(self, services: list[Service], environment: Mapping[str, str]) -> None:
        """Start supervisord with the services. `stop` comes first, to end what was left behind."""
        for directory in [self.logs, *(s.directory for s in services)]:
            directory.mkdir(parents=True, exist_ok=True)
        self._sockets.mkdir(mode=0o700)
        self.config.write_text(self.render(services))
        self.config.chmod(0o600)
        inherited = dict(os.environ) | dict(environment) | {MARK: str(self.state_dir)}
        # spark-submit refuses to start a server with the first; no service needs the others.
        for name in ("SPARK_REMOTE", "PGPASSWORD", "CDP_POSTGRES_PASSWORD", "CDP_POSTGRES_URL"):
            inherited.pop(name, None)
        started = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "supervisor.supervisord",
                "-c",
                str(self.config),
            ],
            env=inherited,
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode != 0:
            raise CdpError(
                f"supervisord did not start: {started.stderr.strip()}",
                f"read {self.logs}/supervisord.log",
            )

    def ensure_started(self) -> None:
        """Start what supervisor gave up on."""
        for name, process in self.processes().items():
            if process["statename"] in {"STOPPED", "EXITED", "FATAL"}:
                try:
                    self.call("startProcess", name, False)
                except Fault as error:
                    raise CdpError(
                        f"{name} does not start: {error.faultString}", f"cdp logs {name}"
                    ) from error

    def stop(self) -> int:
        """End supervisord and every service. Returns how many processes had to be swept."""
        if self.running():
            daemon = psutil.Process(self.call("getPID"))
            self.call("shutdown")
            try:
                daemon.wait(timeout=90)
            except psutil.TimeoutExpired:
                daemon.kill()
        swept = self.sweep()
        shutil.rmtree(self._sockets, ignore_errors=True)
        return swept

    def survivors(self) -> list[psutil.Process]:
        """Processes that this state directory's supervisord started, itself included."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.state_dir):
                    found.append(process)
            except psutil.Error:
                continue
        return [p for p in found if p.pid != os.getpid()]

    def sweep(self) -> int:
        """End what a killed supervisord left running: politely, then not."""
        processes = self.survivors()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                # On SIGTERM Postgres waits until its last client has gone.
                politely = signal.SIGINT if process.name() == "postgres" else signal.SIGTERM
                process.send_signal(politely)
        _, stubborn = psutil.wait_procs(processes, timeout=20)
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=10)
        return len(processes)
