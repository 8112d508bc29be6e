"""The local services: up, status, down, and what happens when a part is killed."""

import gc
import os
import socket
import subprocess
import weakref
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cdp import objects
from cdp.settings import ROOT
from tests.support.stack import CDP, Stack

SERVICES = ("store", "spark", "trino", "postgres")


def test_up_is_idempotent(stack: Stack) -> None:
    before = {name: stack.pid(name) for name in SERVICES}
    shown = stack.cdp("up")
    assert all(f"{part} answers after" in shown for part in (*SERVICES, "catalog"))
    assert {name: stack.pid(name) for name in SERVICES} == before


def test_status_tells_health_versions_ports_memory_and_data_size(stack: Stack) -> None:
    found = stack.status()
    parts = {s["name"]: s for s in found["services"]}
    assert found["healthy"]
    assert all(p["healthy"] for p in parts.values())
    assert parts["spark"]["detail"] == "Spark 4.1.4"
    assert parts["trino"]["detail"] == "Trino 476"
    assert parts["trino"]["ports"] == {"HTTP": 8080 + stack.offset}
    assert parts["postgres"]["detail"] == "Postgres 18.4"
    assert all(parts[name]["memory_bytes"] > 20e6 for name in SERVICES)
    assert found["data_bytes"] > 100e3
    text = stack.cdp("status")
    assert "healthy" in text
    assert "Spark 4.1.4" in text


def test_the_whole_stack_takes_at_most_5_gb(stack: Stack) -> None:
    assert stack.status()["memory_bytes"] < 5e9


def test_every_port_is_bound_to_loopback(stack: Stack) -> None:
    addresses = {
        connection.laddr.ip
        for process in stack.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert {a.removeprefix("::ffff:") for a in addresses} == {"127.0.0.1"}


def test_credentials_are_private_and_in_no_log(stack: Stack) -> None:
    path = stack.state_dir / "credentials.env"
    secrets = [line.split("=")[1] for line in path.read_text().split()]
    assert len(secrets) == 4
    private = [path, stack.state_dir / "env", stack.state_dir / "spark/conf/spark-defaults.conf"]
    assert [p.stat().st_mode & 0o077 for p in private] == [0, 0, 0]
    for log in (stack.state_dir / "logs").iterdir():
        text = log.read_text(errors="replace")
        # The access key is a name, not a secret: the store logs it when it makes the identity.
        assert not [s for s in secrets if s in text and not s.startswith("cdp")], log
    arguments = [" ".join(p.cmdline()) for p in stack.processes()]
    assert not [a for a in arguments if any(s in a for s in secrets)]
    ignored = subprocess.run(["git", "check-ignore", ".cdp/credentials.env"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_the_store_refuses_a_wrong_key(stack: Stack) -> None:
    found = stack.settings().model_copy(update={"s3_access_key": "cdpwrong"})
    with pytest.raises(Exception, match=r"InvalidAccessKeyId|does not exist|AccessDenied|403"):
        objects.client(found).list_objects_v2(Bucket=found.bucket)


@pytest.mark.parametrize("token", ["", "wrong"], ids=["no token", "a wrong token"])
def test_spark_refuses(stack: Stack, token: str) -> None:
    code = (
        "from cdp.settings import settings; import os;"
        "from pyspark.sql import SparkSession;"
        "url = settings().spark_url;"
        "SparkSession.builder.remote(url).getOrCreate().sql('select 1').collect()"
    )
    done = stack.run(
        str(Path(CDP).with_name("python")),
        "-c",
        code,
        ok=False,
        SPARK_CONNECT_AUTHENTICATE_TOKEN=token,
    )
    assert "UNAUTHENTICATED" in done.stderr or "authentication" in done.stderr.lower()


def test_a_session_that_has_ended_takes_nothing_from_the_next(stack: Stack) -> None:
    """PySpark closed the threads of the next one, and in a thread of gRPC it waited for itself."""
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator as Calls

    with stack.session() as ended:
        ended.sql("select 1").collect()
    with stack.session() as session:
        session.sql("select 1").collect()
        found = weakref.ref(ended)
        del ended
        gc.collect()
        assert found() is None
        assert Calls._release_thread_pool_instance is not None


def test_a_taken_port_is_told_with_its_holder(
    stack: Stack, make_stack: Callable[..., Stack]
) -> None:
    other = make_stack("other")
    other.offset = stack.offset
    line = other.refused("up")
    assert f"{8333 + stack.offset} (store, S3) is taken by weed (pid {stack.pid('store')})" in line
    assert other.processes() == []


def test_a_port_that_a_stranger_holds_is_told(make_stack: Callable[..., Stack]) -> None:
    other = make_stack("stranger")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 8080 + other.offset))
        taken.listen()
        line = other.refused("up")
    assert f"port {8080 + other.offset} (trino, HTTP) is taken by " in line
    assert f"(pid {os.getpid()})" in line


def test_doctor_finds_nothing_wrong(stack: Stack) -> None:
    shown = stack.cdp("doctor")
    assert "jars and servers match their hashes" in shown
    assert "the services are up and answer" in shown


def test_logs_show_the_end_of_a_service(stack: Stack) -> None:
    assert "Spark Connect server started" in stack.cdp("logs", "spark", "-n", "1000000")
    assert "SERVER STARTED" in stack.cdp("logs", "trino", "-n", "1000000")
