"""Makes the secrets of the containers, once each: `python3 docker/make_secrets.py [FOLDER]`.

The folder, docker/secrets by default, is closed to other users of this machine. The files in it can
be read by whoever is let in: containers run as users of their own.
"""

import base64
import json
import secrets
import sys
from pathlib import Path


def make(folder: Path) -> list[str]:
    """Write what is missing. Returns the names of the new files."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new: list[str] = []

    def once(name: str, text: str) -> str:
        path = folder / name
        if not path.exists():
            path.write_text(text)
            path.chmod(0o644)
            new.append(name)
        return path.read_text()

    once("cdp_s3_access_key", "cdp" + secrets.token_hex(8))
    once("cdp_s3_secret_key", secrets.token_hex(20))
    once("cdp_spark_token", secrets.token_hex(20))
    captured = once("postgres_password", secrets.token_hex(20))
    once("cdp_postgres_url", f"postgresql://cdp:{captured}@postgres:5432/crm")
    own = once("airflow_database_password", secrets.token_hex(20))
    once("airflow_database_url", f"postgresql+psycopg2://airflow:{own}@postgres:5432/airflow")
    once("airflow_fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    once("airflow_api_secret_key", secrets.token_hex(32))
    once("airflow_jwt_secret", secrets.token_hex(32))
    once("airflow_passwords", json.dumps({"admin": secrets.token_urlsafe(16)}))
    return new


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("secrets")
    made = make(where)
    print(f"{len(made)} secrets made in {where}" if made else f"all secrets are in {where}")
