"""The ledger of cloud delegations, for Python programs: open it, execute commands, ask, prove.

    import authledger

    with authledger.open("audit.db", create=True) as ledger:
        ledger.execute(
            authledger.RequestConsoleLogin(
                account="0a1b2c3d4e5f", service="asm", region="cn-north-4"
            ),
            actor="alice",
        )
        for row in ledger.trail():
            print(row.position, row.type, row.effective_at)

The names in `__all__` are the stable surface; `authledger docs python` shows them at work. Each is
imported when it is first used, so that `import authledger` costs next to nothing.

May import: `projections` and `ledger`; `cli` only where the command is started (`__main__`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authledger import rows
    from authledger.answer import Answer
    from authledger.explaining import DiffRow, WhyRow
    from authledger.facts import event
    from authledger.instants import When
    from authledger.kinds import Kind
    from authledger.ledger import Ledger, open  # noqa: A004  As gzip.open is.
    from authledger.proof import Evidence, verify_evidence
    from authledger.traces import Imported
    from ledger.account.agency import AttemptAgencyDeletion, CreateAgency
    from ledger.account.authorization import (
        DeclineAuthorization,
        GrantAuthorization,
        RevokeAuthorization,
    )
    from ledger.account.console import RequestConsoleLogin
    from ledger.account.policy import AttemptPolicyDeletion
    from ledger.account.questions import Account
    from ledger.account.usage import IssueCredential, UseFeature
    from ledger.application import Actor, Observed, Outcome, Request
    from ledger.errors import (
        ClockDisagrees,
        CommandIdReused,
        ConditionNotMet,
        Conflict,
        CorruptEntry,
        DoneInPart,
        InvalidInput,
        KeyUnusable,
        LedgerError,
        LedgerReplaced,
        LogForked,
        NewerFormat,
        NotALedger,
        NotFound,
        OutcomeUnknown,
        QueryTimedOut,
        Refused,
        SchemaAltered,
        StoreForbidden,
        StoreFull,
        StoreLocked,
        StoreReadOnly,
        StoreUnavailable,
        StreamChanged,
        UnknownTopic,
        VerificationFailed,
        WrongThread,
    )
    from ledger.messages import Command, DomainEvent, Observation, Provenance, Recorded
    from ledger.sources import ImportReport
    from ledger.verification.verdict import Verdict
    from projections.audit.replay import Replayed

__all__ = [
    "Account",
    "Actor",
    "Answer",
    "AttemptAgencyDeletion",
    "AttemptPolicyDeletion",
    "ClockDisagrees",
    "Command",
    "CommandIdReused",
    "ConditionNotMet",
    "Conflict",
    "CorruptEntry",
    "CreateAgency",
    "DeclineAuthorization",
    "DiffRow",
    "DomainEvent",
    "DoneInPart",
    "Evidence",
    "GrantAuthorization",
    "ImportReport",
    "Imported",
    "InvalidInput",
    "IssueCredential",
    "KeyUnusable",
    "Kind",
    "Ledger",
    "LedgerError",
    "LedgerReplaced",
    "LogForked",
    "NewerFormat",
    "NotALedger",
    "NotFound",
    "Observation",
    "Observed",
    "Outcome",
    "OutcomeUnknown",
    "Provenance",
    "QueryTimedOut",
    "Recorded",
    "Refused",
    "Replayed",
    "Request",
    "RequestConsoleLogin",
    "RevokeAuthorization",
    "SchemaAltered",
    "StoreForbidden",
    "StoreFull",
    "StoreLocked",
    "StoreReadOnly",
    "StoreUnavailable",
    "StreamChanged",
    "UnknownTopic",
    "UseFeature",
    "Verdict",
    "VerificationFailed",
    "When",
    "WhyRow",
    "WrongThread",
    "event",
    "open",
    "rows",
    "verify_evidence",
]

_MODULES = {
    "authledger.answer": ("Answer",),
    "authledger.explaining": ("DiffRow", "WhyRow"),
    "authledger.facts": ("event",),
    "authledger.instants": ("When",),
    "authledger.kinds": ("Kind",),
    "authledger.ledger": ("Ledger", "open"),
    "authledger.proof": ("Evidence", "verify_evidence"),
    "authledger.traces": ("Imported",),
    "ledger.account.agency": ("AttemptAgencyDeletion", "CreateAgency"),
    "ledger.account.authorization": (
        "DeclineAuthorization",
        "GrantAuthorization",
        "RevokeAuthorization",
    ),
    "ledger.account.console": ("RequestConsoleLogin",),
    "ledger.account.policy": ("AttemptPolicyDeletion",),
    "ledger.account.questions": ("Account",),
    "ledger.account.usage": ("IssueCredential", "UseFeature"),
    "ledger.application": ("Actor", "Observed", "Outcome", "Request"),
    "ledger.messages": ("Command", "DomainEvent", "Observation", "Provenance", "Recorded"),
    "ledger.sources": ("ImportReport",),
    "ledger.verification.verdict": ("Verdict",),
    "projections.audit.replay": ("Replayed",),
}
"""In which module each name is. The errors are not listed: all are in `ledger.errors`."""


if not TYPE_CHECKING:  # Or a type checker would take any name for one of this module's.

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used."""
        if name not in __all__:
            raise AttributeError(f"module 'authledger' has no attribute {name!r}")
        try:
            found = _imported(name)
        except ImportError as error:
            from authledger.installation import fault, fault_in_files

            if wrong := fault(("ledger", "projections")) or fault_in_files():
                raise ImportError(wrong) from error
            raise
        globals()[name] = found
        return found


def _imported(name: str) -> Any:
    if name == "rows":
        return import_module("authledger.rows")
    module = next((each for each, names in _MODULES.items() if name in names), "ledger.errors")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return __all__
