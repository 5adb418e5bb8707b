"""One HTTP POST to a service that vouches for a log: where it was said to be, bounded in time and
length.
"""

from __future__ import annotations

from http.client import HTTPException
from typing import Final, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ledger.errors import StoreUnavailable

ANSWER_S_MAX: Final = 30
ANSWER_BYTES_MAX: Final = 65_536


class Answer(NamedTuple):
    """What the service answered, whatever it was."""

    status: int
    body: bytes


class _NoRedirect(HTTPRedirectHandler):
    """A service is where its user says, and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def post(url: str, body: bytes, content_type: str) -> Answer:
    """Raises StoreUnavailable where there is no answer, or one that is too long."""
    if not url.startswith(("https://", "http://")):
        raise StoreUnavailable(f"{url} is no address of a web server")
    request = Request(url, body, {"Content-Type": content_type})  # noqa: S310
    try:
        with build_opener(_NoRedirect).open(request, timeout=ANSWER_S_MAX) as response:
            return Answer(response.status, _bounded(response.read(ANSWER_BYTES_MAX + 1)))
    except HTTPError as error:
        with error:
            return Answer(error.code, _bounded(error.read(ANSWER_BYTES_MAX + 1)))
    except (OSError, HTTPException, ValueError) as error:
        raise StoreUnavailable(f"{url} cannot be reached: {error}") from error


def _bounded(body: bytes) -> bytes:
    if len(body) > ANSWER_BYTES_MAX:
        raise StoreUnavailable(f"it answered more than {ANSWER_BYTES_MAX} bytes")
    return body
