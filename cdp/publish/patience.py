"""The catalog or the store may be away for a while: what a publish asks of them it asks again."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError
from requests import HTTPError, RequestException

from cdp.errors import CdpError

Result = TypeVar("Result")
# Seconds: longer than a restart takes, shorter than people wait without a word.
PATIENCE, LONGEST_WAIT = 120.0, 5.0
SERVER_ERROR = 500


def patiently(act: Callable[[], Result]) -> Result:
    """Do it, again and again while the catalog or the store is away.

    act: what may be done twice, since an answer can be lost on its way.
    Raises CdpError when they stay away, or refuse.
    """
    from pyiceberg.exceptions import RESTError
    from tenacity import (
        Retrying,
        retry_if_exception,
        stop_after_delay,
        wait_exponential,
    )

    again = Retrying(
        retry=retry_if_exception(_is_away),
        stop=stop_after_delay(PATIENCE),
        wait=wait_exponential(0.25, max=LONGEST_WAIT),
        reraise=True,
    )
    try:
        return again(act)
    except (RequestException, RESTError, BotoCoreError, OSError) as error:
        text = str(error).splitlines()
        raise CdpError(
            f"the catalog or the store does not do it: {text[0] if text else repr(error)}",
            "cdp status; cdp up; the next command completes what was interrupted",
        ) from error


def _is_away(error: BaseException) -> bool:
    """Whether it is worth to ask again: it does not answer, or says that it is not well."""
    from pyiceberg.exceptions import ServerError

    if isinstance(error, HTTPError):
        return error.response.status_code >= SERVER_ERROR
    # Arrow's file system raises OSError for whatever goes wrong at the store.
    return isinstance(error, RequestException | ServerError | BotoCoreError | OSError)
