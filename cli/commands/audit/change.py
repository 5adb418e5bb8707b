"""What an event changes: the account before it and after it, compared at the event's own key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.account.state import Account, Timeline
    from ledger.application import Ledger
    from ledger.messages import DomainEvent, Recorded

_ATTEMPTS = "on record only: nothing changes"


class Fold:
    """Folds a range of history, account by account, each from where the range begins."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._accounts: dict[str, Account] = {}

    def change(self, entry: Recorded) -> str:
        """What the event changes, in words; entries must come in the order of their positions."""
        if entry.event.STREAM != "account" or entry.provider is None or entry.account is None:
            return _USES.get(entry.type, _ATTEMPTS)
        from ledger.account.account import evolve

        account = self._account(entry)
        before = _state(account, entry.event)
        evolve(account, entry.event, entry.effective_at)
        after = _state(account, entry.event)
        if before is None or after is None:
            return _ATTEMPTS
        what, was, is_now = after[0], before[1], after[1]
        if was != is_now:
            return f"{what}: {was} → {is_now}"
        return f"{what}: stays {is_now}{_late(account, entry)}"

    def _account(self, entry: Recorded) -> Account:
        """The account as it was before the entry, replayed from its stream when first met."""
        if entry.stream not in self._accounts:
            from ledger.account.account import evolve
            from ledger.account.state import Account

            account = Account(entry.provider or "", entry.account or "")
            for earlier in self._ledger.stream(entry.stream):
                if earlier.version >= entry.version:
                    break
                evolve(account, earlier.event, earlier.effective_at)
            self._accounts[entry.stream] = account
        return self._accounts[entry.stream]


_USES = {
    "ConsoleLoginRequested": "counts as a login",
    "FeatureUsed": "counts as a use of the agency",
    "FeatureRefused": "counts as a refused use; nothing changes",
    "TemporaryCredentialIssued": "counts as a credential issued",
    "CredentialRefused": "counts as a credential refused; nothing changes",
    "SubjectRegistered": "the name is kept outside of the history, where it can be forgotten",
    "KeyRotated": "two keys sign the checkpoints until the older is retired",
    "KeyRetired": "one key signs the checkpoints",
    "SubjectErased": "the name is forgotten; the history stays",
}


def _late(account: Account, entry: Recorded) -> str:
    timeline = _timeline(account, entry.event)
    if timeline is not None and timeline.since and timeline.since > entry.effective_at:
        return " (news of an earlier time)"
    return ""


def _state(account: Account, event: DomainEvent) -> tuple[str, str] | None:
    """What the event is about, and how that stands; None for events that change no state."""
    e: Any = event
    name = type(event).__name__
    if name in _AUTHORIZATIONS:
        known = account.authorization(e.service, e.region)
        return (
            f"authorization of {e.service} in {e.region}",
            known.status if known else "never asked",
        )
    if name in ("AgencyCreated", "AgencyDeleted"):
        exists = account.agency_exists(e.agency)
        return f"agency {e.agency}", "exists" if exists else "does not exist"
    if name == "AgencyTrustChanged":
        timeline = account.trustees.get(e.agency)
        return f"agency {e.agency} trusts", str(timeline.now if timeline else "nobody")
    if name in ("PolicyCreated", "PolicyDeleted"):
        exists = account.policy_exists(e.policy)
        return f"policy {e.policy!r}", "exists" if exists else "does not exist"
    if name in ("PermissionGranted", "PermissionRevoked"):
        held = _timeline(account, event)
        what = " under ".join(filter(None, (e.service, repr(e.policy) if e.policy else "")))
        return (
            f"{e.agency} in {e.region}: {what}",
            "not granted" if held is None or not held.now else "granted",
        )
    return None


_AUTHORIZATIONS = (
    "AuthorizationRequested",
    "AuthorizationGranted",
    "AuthorizationDeclined",
    "AuthorizationRevoked",
)


def _timeline(account: Account, event: DomainEvent) -> Timeline[Any] | None:
    from ledger.account.state import PermissionKey

    e: Any = event
    name = type(event).__name__
    if name in _AUTHORIZATIONS:
        return account.authorizations.get((e.service, e.region))
    if name.startswith("Agency"):
        return account.agencies.get(e.agency)
    if name.startswith("Policy"):
        return account.policies.get(e.policy)
    key = PermissionKey(e.agency, e.region, e.service, e.policy)
    return account.permissions.get(e.agency, {}).get(key)
