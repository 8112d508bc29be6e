"""Becomes a part of the platform: `python docker/enter.py PROGRAM ARGUMENT…`.

What the part reads is derived from the settings as for the local services, secrets from the files
of CDP_SECRETS_DIR. Health checks do not come through here: they read the settings themselves.
"""

import os
import sys

from cdp.settings import settings


def main() -> None:
    """Replace this process. Ends with a line when the keys of the store are missing."""
    told = settings()
    if not (told.s3_access_key and told.s3_secret_key.get_secret_value()):
        # Without them the store would ask nobody for any.
        sys.exit(f"error: no keys of the store in {told.secrets_dir}\n  fix: docker/README.md")
    environment = os.environ | told.environment()
    # Were it set, spark-submit would start a client of that server.
    environment.pop("SPARK_REMOTE")
    os.execvpe(sys.argv[1], sys.argv[1:], environment)  # noqa: S606 - the image's own command


if __name__ == "__main__":
    main()
