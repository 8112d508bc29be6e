"""What each local service is: its command, its ports, what it needs of the environment.

A service whose endpoint a setting names is run by others, and is left out.
"""

import sys
from pathlib import Path

from cdp.provision import Provisioned
from cdp.settings import HOST, ROOT, Settings
from cdp.stack import airflow, metrics, postgres, spark
from cdp.stack.service import Service

TRINO_CONFIG = ROOT / "docker" / "trino"


def services(settings: Settings, parts: Provisioned) -> list[Service]:
    """The services that the settings ask for, in the order they are shown."""
    chosen = []
    if not settings.s3_endpoint:
        chosen.append(_store(settings))
    if settings.local_postgres:
        chosen.append(postgres.service(settings))
    if "rest-catalog" in settings.with_services:
        chosen.append(_rest_catalog(settings, parts))
    if "spark-cluster" in settings.with_services:
        chosen += spark.cluster(settings, parts)
    if not settings.spark_remote:
        chosen.append(spark.connect(settings, parts))
    if not settings.trino_url:
        chosen += _trino(settings, parts)
    if "airflow" in settings.with_services:
        chosen += airflow.services(settings)
    if "metrics" in settings.with_services:
        chosen.append(metrics.service(settings))
    return chosen


# The ports of SeaweedFS; gRPC's are 10,000 above them, and below those that the system gives to
# outgoing connections.
STORE_PORTS = {"s3": 8333, "master": 9333, "volume": 9340, "filer": 8888, "admin": 9646}


def store_sockets(settings: Settings) -> list[Path]:
    """The sockets that SeaweedFS makes in /tmp, named by port, and leaves there when it ends.

    Those of another user keep it from working: it tries them before its ports, and waits for ever.
    """
    names = [f"{name}-grpc-{settings.port(base) + 10_000}" for name, base in STORE_PORTS.items()]
    names += [f"filer-{settings.port(8888)}", f"s3-{settings.port(8333)}"]
    return [Path("/tmp") / f"seaweedfs-{name}.sock" for name in names]  # noqa: S108 - fixed in it


def _store(settings: Settings) -> Service:
    """SeaweedFS in one process: master, volume, filer, S3 and the Iceberg REST catalog.

    Every port is given, gRPC included: a port left out is remembered from the last start, and a
    busy one is silently replaced.
    """
    port = settings.port
    ports = {name: port(base) for name, base in STORE_PORTS.items()}
    ports["s3.port.iceberg"] = port(8181)
    grpc = {f"{name}.port.grpc": port(10_000) + base for name, base in STORE_PORTS.items()}
    flags = [
        f"-{name if '.' in name else name + '.port'}={number}"
        for name, number in (ports | grpc).items()
    ]
    directory = settings.state_dir / "store"
    return Service(
        "store",
        (
            str(Path(sys.executable).with_name("weed")),
            "-logtostderr=true",
            "mini",
            f"-dir={directory}",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            f"-bucket={settings.bucket}",
            "-tableBucket=warehouse",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-webdav=false",
            "-admin.ui=false",
            *flags,
        ),
        directory,
        {"S3": ports["s3"], "Iceberg REST": ports["s3.port.iceberg"]}
        | {name: ports[name] for name in ("master", "volume", "filer", "admin")}
        | {name.removesuffix(".port.grpc") + " gRPC": number for name, number in grpc.items()},
    )


def _rest_catalog(settings: Settings, parts: Provisioned) -> Service:
    """Iceberg's own REST catalog servlet on SQLite. It checks no credentials: for tests."""
    directory = settings.state_dir / "rest-catalog"
    return Service(
        "rest-catalog",
        (
            str(parts.java_spark / "bin" / "java"),
            "-Xmx256m",
            "-Duser.timezone=UTC",
            "-cp",
            ":".join(str(p) for p in parts.rest_catalog_jars),
            "org.eclipse.jetty.xml.XmlConfiguration",
            str(Path(__file__).with_name("rest_catalog.xml")),
        ),
        directory,
        {"Iceberg REST": settings.port(8182)},
        {
            "CATALOG_PORT": str(settings.port(8182)),
            "CATALOG_DATABASE": f"jdbc:sqlite:{directory}/catalog.db",
            "CATALOG_WAREHOUSE": f"s3://{settings.bucket}/warehouse",
        },
    )


def _trino(settings: Settings, parts: Provisioned) -> list[Service]:
    """Trino's coordinator, which works too, and the worker that is asked for.

    Security files are relative to a node's directory.
    """
    options = [line for line in (TRINO_CONFIG / "jvm.config").read_text().split() if line]

    def node(name: str, node_id: str, port: int, *role: str) -> Service:
        directory = settings.state_dir / name
        return Service(
            name,
            (
                str(parts.java_trino / "bin" / "java"),
                f"-Xmx{settings.trino_memory}",
                *options,
                *parts.trino_archive.options,
                f"-Dconfig={TRINO_CONFIG / 'config.properties'}",
                f"-Dlog.levels-file={TRINO_CONFIG / 'log.properties'}",
                f"-Dnode.id={node_id}",
                f"-Dnode.data-dir={directory}",
                f"-Dplugin.dir={parts.trino / 'plugin'}",
                f"-Dcatalog.config-dir={TRINO_CONFIG / 'catalog'}",
                *role,
                "-cp",
                f"{parts.trino}/lib/*",
                "io.trino.server.TrinoServer",
            ),
            directory,
            {"HTTP": port},
            {
                "CDP_TRINO_PORT": str(settings.port(8080)),
                "CDP_TRINO_HOST": HOST,
                "CDP_TRINO_BIND": HOST,
                "CDP_TRINO_QUERY_MEMORY": "256MB",
            },
        )

    nodes = [node("trino", "coordinator", settings.port(8080))]
    if "trino-worker" in settings.with_services:
        port = settings.port(8083)
        role = ("-Dcoordinator=false", f"-Dhttp-server.http.port={port}")
        nodes.append(node("trino-worker", "worker", port, *role))
    return nodes
