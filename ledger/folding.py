"""The fold of an account's facts, for the views, and the facts in entries.

The fold itself is `ledger/account/truth`. Views read it through this module, as they read what
events mean through `ledger.events` and what they change through `ledger.effects`.
"""

from typing import Final

from ledger.account.facts import FACT_TYPES, fact_of_entry
from ledger.account.truth.cells import Cells
from ledger.account.truth.changes import Change
from ledger.account.truth.closure import Closure, Thing, closure
from ledger.account.truth.content import Content
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.handles import Handle, Recall, handles_of
from ledger.account.truth.lines import ORDER_NOT_KNOWN
from ledger.account.truth.rules import Rules, rules_of
from ledger.account.truth.spans import EXPIRY_NOTE, Span

FOLD: Final = 5
"""The version of the fold: grows when the same facts come to other spans, so that views which an
older version made are made again."""

__all__ = [
    "EXPIRY_NOTE",
    "FACT_TYPES",
    "FOLD",
    "ORDER_NOT_KNOWN",
    "Cells",
    "Change",
    "Closure",
    "Content",
    "Fact",
    "Handle",
    "Recall",
    "Rules",
    "Span",
    "Thing",
    "closure",
    "derive",
    "fact_of_entry",
    "handles_of",
    "rules_of",
]
