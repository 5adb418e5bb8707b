"""Timestamps of a checkpoint's text by an authority (RFC 3161): it existed at that time.

The ledger's owner cannot backdate them. `openssl ts -verify` checks them as well. The package that
reads them is an extra: `pip install 'authledger[timestamps]'`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from cryptography.x509 import Certificate, load_pem_x509_certificates

from ledger.errors import InvalidInput, StoreUnavailable, VerificationFailed
from ledger.log.http_post import post

OK = 200


@dataclass(frozen=True, slots=True)
class Stamp:
    """The authority's answer, verbatim, and the time in it, which is aware."""

    data: bytes
    at: datetime


def roots_of(pem: bytes, about: str) -> list[Certificate]:
    """The root certificates in a PEM file, called `about` in errors. Raises InvalidInput."""
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InvalidInput(f"{about} is not a valid PEM file with certificates: {error}") from error


def request_stamp(text: str, url: str, roots: list[Certificate]) -> Stamp:
    """Ask an authority for a timestamp of the text, and verify the answer.

    Raises StoreUnavailable, VerificationFailed.
    """
    tsp = _library()
    request = (
        tsp.TimestampRequestBuilder()
        .data(text.encode())
        .hash_algorithm(tsp.HashAlgorithm.SHA256)
        .build()
    )
    answer = post(url, request.as_bytes(), "application/timestamp-query")
    if answer.status != OK:
        raise StoreUnavailable(
            f"The timestamp authority {url} answered with the HTTP status {answer.status}."
        )
    return Stamp(answer.body, _checked(text, answer.body, roots, request.nonce))


def verify_stamp(text: str, data: bytes, roots: list[Certificate]) -> datetime:
    """Verify a timestamp of the text under root certificates, and return its time.

    Raises VerificationFailed.
    """
    return _checked(text, data, roots, None)


def _checked(text: str, data: bytes, roots: list[Certificate], nonce: int | None) -> datetime:
    tsp = _library()
    try:
        response = tsp.decode_timestamp_response(data)
        builder = tsp.VerifierBuilder(roots=list(roots), nonce=nonce)
        builder.build().verify_message(response, text.encode())
        at = response.tst_info.gen_time
    except (ValueError, tsp.VerificationError) as error:
        raise VerificationFailed(
            f"The timestamp does not verify for this checkpoint under these root certificates: {error}"
        ) from error
    assert isinstance(at, datetime)
    return at


def _library() -> ModuleType:
    try:
        import rfc3161_client  # noqa: PLC0415  An extra.
    except ImportError as error:
        raise StoreUnavailable(
            "Timestamps need the package rfc3161-client, which is not installed.",
            remedy="pip install 'authledger[timestamps]'",
        ) from error
    return rfc3161_client
