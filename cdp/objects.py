"""The object store, through boto3: one client configured as the settings say."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from cdp.errors import CdpError
from cdp.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What boto3 raises when the store is away, or refuses.
FAILURES = (Boto3Error, BotoCoreError, ClientError)


def client(settings: Settings) -> "S3Client":
    """An S3 client: path-style addresses, short timeouts, a few retries. Threads may share it."""
    secret = settings.s3_secret_key.get_secret_value()
    return _client(settings.store_url, settings.s3_region, settings.s3_access_key, secret)


@cache
def _client(endpoint: str, region: str, key: str, secret: str) -> "S3Client":
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )


def keys(s3: "S3Client", bucket: str, prefix: str) -> Iterator[str]:
    """The keys below a prefix, in order."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"]


@contextmanager
def explained() -> Iterator[None]:
    """Turns what boto3 raises into one line with the fix."""
    try:
        yield
    except FAILURES as error:
        raise CdpError(f"the object store does not do it: {error}", "cdp status; cdp up") from error


def is_error(error: Exception, *codes: str) -> bool:
    """Whether a boto3 error carries one of the S3 codes, as text ("404", "PreconditionFailed")."""
    response = getattr(error, "response", {})
    return response.get("Error", {}).get("Code") in codes
