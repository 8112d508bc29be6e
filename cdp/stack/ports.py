"""Which process holds a port, in words for the person who has to free it."""

import socket

import psutil

from cdp.errors import CdpError
from cdp.settings import HOST
from cdp.stack.service import Service


def taken(port: int) -> bool:
    """Whether something on loopback, or on every address, listens at the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def holder(port: int) -> str:
    """The process that listens at the port, as `name (pid N)`; people see their own only."""
    try:
        for connection in psutil.net_connections("inet"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.laddr and connection.laddr[1] == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "a process of another user"


FIX = "stop that process, or choose other ports: CDP_PORT_OFFSET=100 cdp up"


def busy(services: list[Service]) -> str:
    """Each taken port, what wants it and what holds it; empty when all are free."""
    return "; ".join(
        f"port {port} ({service.name}, {purpose}) is taken by {holder(port)}"
        for service in services
        for purpose, port in service.ports.items()
        if taken(port)
    )


def check_free(services: list[Service]) -> None:
    """Raises CdpError that names what `busy` finds."""
    if found := busy(services):
        raise CdpError(found, FIX)
