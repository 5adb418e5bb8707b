"""Refuses a region that nobody knows, unless the user says that it is right (--new-region)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cli.options import Login
from cli.printing.output import say
from cli.reading import ledger_of

if TYPE_CHECKING:
    from ledger.account.questions import Account
    from ledger.messages import Command


def check_region(ask: Login, request: Command, *, is_new: bool) -> None:
    """Raises InvalidInput for a region that neither the catalogue nor the account knows.

    `is_new`: the user says that it is right; then a note says what is recorded.
    """
    from authledger import regions
    from ledger.catalogue import load_catalogue

    catalogue = load_catalogue(ask.settings.catalogue)
    if not is_new:
        regions.check_region(request, catalogue, lambda: _account(ask, request), "--new-region")
        return
    region = getattr(request, "region", None)
    if region is not None and not catalogue.knows_region(request.provider, region):
        say(
            f"The catalogue has no region {region!r} of {request.provider}; it is recorded as given."
        )


def _account(ask: Login, request: Command) -> Account | None:
    from ledger.errors import NotFound

    with suppress(NotFound), ledger_of(ask) as ledger:
        return ledger.account(request.provider, request.account)
    return None
