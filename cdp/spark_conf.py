"""Renders `spark_conf/` into one properties file for spark-submit.

`python -m cdp.spark_conf PROFILE` prints it, filled from the environment; the containers use that.
"""

import os
import sys
from collections.abc import Mapping
from string import Template

from cdp.errors import CdpError
from cdp.settings import ROOT


def render(profile: str, environment: Mapping[str, str], *more: str) -> str:
    """The text of base.conf and the profile's file, `${NAME}` filled from `environment`.

    more: other files of spark_conf/, read last.

    Raises CdpError naming the variable that is missing.
    """
    folder = ROOT / "spark_conf"
    text = "\n".join((folder / f"{name}.conf").read_text() for name in ("base", profile, *more))
    settings = [line for line in text.splitlines() if line and not line.startswith("#")]
    try:
        return Template("\n".join(settings) + "\n").substitute(environment)
    except KeyError as missing:
        raise CdpError(
            f"spark_conf asks for {missing}, which is not set",
            "source the environment that `cdp env` prints",
        ) from None


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1], os.environ))
