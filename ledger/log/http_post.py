"""One HTTP POST to a witness or timestamp authority, bounded in time and in the answer's size."""

from __future__ import annotations

from http.client import HTTPException
from typing import Final, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ledger.errors import StoreUnavailable

ANSWER_S_MAX: Final = 30
ANSWER_BYTES_MAX: Final = 65_536


class Answer(NamedTuple):
    """The answer of a service, whatever its status."""

    status: int
    body: bytes


class _NoRedirect(HTTPRedirectHandler):
    """Redirects are not followed: only the address that the user gave is asked."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def post(url: str, body: bytes, content_type: str) -> Answer:
    """Send a body and return the answer.

    Raises StoreUnavailable if there is no answer, or one of more than ANSWER_BYTES_MAX bytes.
    """
    if not url.startswith(("https://", "http://")):
        raise StoreUnavailable(
            f"{url} is not valid: an address must begin with https:// or http://."
        )
    request = Request(url, body, {"Content-Type": content_type})  # noqa: S310
    try:
        with build_opener(_NoRedirect).open(request, timeout=ANSWER_S_MAX) as response:
            return Answer(response.status, _bounded(url, response.read(ANSWER_BYTES_MAX + 1)))
    except HTTPError as error:
        with error:
            return Answer(error.code, _bounded(url, error.read(ANSWER_BYTES_MAX + 1)))
    except (OSError, HTTPException, ValueError) as error:
        raise StoreUnavailable(f"{url} cannot be reached: {error}") from error


def _bounded(url: str, body: bytes) -> bytes:
    if len(body) > ANSWER_BYTES_MAX:
        raise StoreUnavailable(f"{url} answered more than {ANSWER_BYTES_MAX} bytes")
    return body
