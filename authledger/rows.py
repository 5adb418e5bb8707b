"""The rows of every view as named tuples: a field for each column, in the view's order.

Made from the views' declarations by `make docs`; changes here are overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from projections.definitions.declared import declared_name


class RegionsRow(NamedTuple):
    """The view `regions`. The permissions of every agency, region by region: granted or revoked,
    since when, by whom.
    """

    region: str
    """Region id; `*` stands for all regions; the project's id if its name was never told."""
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    agency_id: str
    """The immutable id of the agency; empty if none was told."""
    service: str
    """Code of the service that the agency may use; empty if by policy only."""
    policy: str
    """The policy that carries the permission, by its name, or by its id if that was never told;
    empty if none is known.
    """
    policy_id: str
    """The immutable id of the policy; empty if none was told."""
    status: str
    """`granted`, `revoked` or `not known`."""
    actor: str
    """Surrogate id of the person who brought the status about; empty if unknown."""
    origin: str
    """`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single
    event says it.
    """
    note: str
    """A remark on the status, e.g. `creation not seen`, `end not seen`, `expired`, `order within
    the second not known`; mostly empty.
    """
    document: str
    """SHA-256 of the document of an inline policy; empty for any other policy, and if no trace
    told it. The view `policies` has the documents of policies with a name of their own.
    """
    document_since: datetime | None
    """When the document changed last, also if the trace did not tell the new one; NULL if no trace
    told a document or a change.
    """
    document_position: int | None
    """Position of the event that brought the document; NULL if no single event did."""
    since: datetime | None
    """When it became so in the cloud; NULL if that is not known."""
    position: int | None
    """Position of the event that says so; NULL if no single event does."""


class AgenciesRow(NamedTuple):
    """The view `agencies`. The agencies of every account (at AWS: roles): whether each exists,
    since when, by whom. One that was created again under its name is another agency, with a row
    of its own.
    """

    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    agency_id: str
    """The immutable id of the agency; empty if none was told."""
    status: str
    """`exists`, `deletion asked for`, `deleted`, `expired` or `not known`."""
    actor: str
    """Surrogate id of the person who brought the status about; empty if unknown."""
    origin: str
    """`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single
    event says it.
    """
    note: str
    """A remark on the status, e.g. `creation not seen`, `end not seen`, `expired`, `order within
    the second not known`; mostly empty.
    """
    expires_at: datetime | None
    """When the agency ends by itself; the last instant of the year 9999: never. NULL if that is
    not known.
    """
    since: datetime | None
    """When it became so in the cloud; NULL if that is not known."""
    position: int | None
    """Position of the event that says so; NULL if no single event does."""


class TrusteesRow(NamedTuple):
    """The view `trustees`. The trustee of each agency: the service, account or identity provider
    that may act as it, and whether it still may.
    """

    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    agency_id: str
    """The immutable id of the agency; empty if none was told."""
    trustee: str
    """The trustee, e.g. `service:asm`; empty if unknown, or if nobody is trusted any more. An
    account has its id, as soon as any trace tells it beside the name.
    """
    status: str
    """`trusted`, `ended` (with the agency) or `not known`."""
    actor: str
    """Surrogate id of the person who brought the status about; empty if unknown."""
    origin: str
    """`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single
    event says it.
    """
    note: str
    """A remark on the status, e.g. `creation not seen`, `end not seen`, `expired`, `order within
    the second not known`; mostly empty.
    """
    document: str
    """SHA-256 of the trust policy, which has the conditions; empty if the trace did not tell it,
    or if there is none.
    """
    document_since: datetime | None
    """When the document changed last, also if the trace did not tell the new one; NULL if no trace
    told a document or a change.
    """
    document_position: int | None
    """Position of the event that brought the document; NULL if no single event did."""
    since: datetime | None
    """When it became so in the cloud; NULL if that is not known."""
    position: int | None
    """Position of the event that says so; NULL if no single event does."""


class BoundariesRow(NamedTuple):
    """The view `boundaries`. The permissions boundary of each agency that ever had one: the policy
    that limits what the agency may do, and whether it still does.
    """

    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    agency_id: str
    """The immutable id of the agency; empty if none was told."""
    boundary: str
    """The policy, by its name (at AWS: its ARN) or its id; empty if it is not known, or if nothing
    limits the agency any more.
    """
    status: str
    """`set`, `removed`, `ended` (with the agency) or `not known`."""
    actor: str
    """Surrogate id of the person who brought the status about; empty if unknown."""
    origin: str
    """`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single
    event says it.
    """
    note: str
    """A remark on the status, e.g. `creation not seen`, `end not seen`, `expired`, `order within
    the second not known`; mostly empty.
    """
    since: datetime | None
    """When it became so in the cloud; NULL if that is not known."""
    position: int | None
    """Position of the event that says so; NULL if no single event does."""


class PoliciesRow(NamedTuple):
    """The view `policies`. The policies of every account: whether each exists, since when, by
    whom, and which document is in force. One that was created again under its name is another
    policy, with a row of its own.
    """

    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    policy: str
    """Name of the policy (at AWS: its ARN); its id if the name was never told."""
    policy_id: str
    """The immutable id of the policy; empty if none was told."""
    status: str
    """`exists`, `deleted` or `not known`."""
    actor: str
    """Surrogate id of the person who brought the status about; empty if unknown."""
    origin: str
    """`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single
    event says it.
    """
    note: str
    """A remark on the status, e.g. `creation not seen`, `end not seen`, `expired`, `order within
    the second not known`; mostly empty.
    """
    document: str
    """SHA-256 of the document that it has; empty if no trace told one, or if a change did not tell
    it.
    """
    document_version: str
    """The version of the document, as the cloud calls it; empty if none was told."""
    document_since: datetime | None
    """When the document changed last, also if the trace did not tell the new one; NULL if no trace
    told a document or a change.
    """
    document_position: int | None
    """Position of the event that brought the document; NULL if no single event did."""
    since: datetime | None
    """When it became so in the cloud; NULL if that is not known."""
    position: int | None
    """Position of the event that says so; NULL if no single event does."""


class RecordedAuthorizationsRow(NamedTuple):
    """The view `recorded_authorizations`. Consent, as events of it say: the state of each
    service's authorization in each region.
    """

    region: str
    """Region id; `*` stands for all regions."""
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    service: str
    """Code of the service that asked."""
    status: str
    """`requested`, `granted`, `declined` or `revoked`."""
    actor: str
    """Surrogate id of the person who caused the latest change; empty if unknown."""
    origin: str
    """`commanded` through the ledger, or `observed` in the cloud's traces."""
    since: datetime
    """Effective time of the latest change: when it happened in the cloud."""
    position: int
    """Position of the event that made the latest change."""


class LoginsRow(NamedTuple):
    """The view `logins`. Logins to the console of each service, region by region."""

    region: str
    """Region id; `*` stands for all regions."""
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    service: str
    """Code of the service; `console`: any."""
    admitted: int
    """Logins that went straight in."""
    dialogs: int
    """Logins that opened the authorization dialog."""
    unknown: int
    """Logins of which it is not known whether a dialog opened."""
    refused: int
    """Logins that failed."""
    since: datetime
    """Effective time of the latest change: when it happened in the cloud."""
    position: int
    """Position of the event that made the latest change."""


class AuthorizationsRow(NamedTuple):
    """The view `authorizations`. Consent, region by region: the state of each service's
    authorization, since when, by whom. As recorded; or inferred, where every policy is granted
    that a baseline of the catalogue gives the service's agencies, where the account agreed in
    the service's console, or where it accepted a delegation request.
    """

    region: str
    """Region id; `*` stands for all regions; the project's id if its name was never told; empty if
    no trace told where.
    """
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    service: str
    """Code of the service that asked; of a delegation request `account:` and the account that
    asked, empty if that is not known.
    """
    status: str
    """`requested`, `granted`, `declined` or `revoked`; `not known`: it depends on permissions of
    which it is not known whether they are granted.
    """
    actor: str
    """Surrogate id of the person who caused the latest change. Of an inferred consent, the person
    who made the grant that completed it, or ended it. Empty if unknown.
    """
    origin: str
    """`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single
    event says it.
    """
    address: str
    """Surrogate id of the address from which an inferred consent was completed; empty if no trace
    told it.
    """
    rests_on: str
    """Positions of the events that it follows from, comma-separated."""
    since: datetime | None
    """When it became so in the cloud; NULL if that is not known."""
    position: int | None
    """Position of the latest of the events that it follows from; NULL if that is not known."""
    recorded: str
    """The status that the latest event of this consent says; empty if there is none. A dialog that
    was opened or declined does not hide an inferred consent.
    """
    inferred: str
    """The status that follows from other facts: `granted`, `revoked` or `not known`; empty if none
    does. The status is the one of these two that counts.
    """


class UsageRow(NamedTuple):
    """The view `usage`. How each agency was used: credentials issued and features used through it,
    the calls that it made in any service, the first and the last use, and who acted as it.
    """

    region: str
    """Region id; `*` stands for all regions."""
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    credentials_issued: int
    """Temporary credentials issued."""
    credentials_refused: int
    """Temporary credentials refused."""
    features_used: int
    """Features used."""
    features_refused: int
    """Features refused."""
    succeeded: int
    """Calls of the agency that succeeded."""
    refused: int
    """Calls that were refused: the agency may not make them."""
    failed: int
    """Calls that failed for any other reason."""
    at_least: str
    """`yes`: files overlap in time, and it is not known which calls they have in common, so that
    there were as many calls or more; `no`: the numbers are exact for the imported files.
    """
    services: str
    """Codes of the services in which calls of the agency succeeded, comma-separated."""
    switched_by: str
    """Surrogate ids of the people who began its sessions, comma-separated, at most the 10 latest;
    empty if none is known.
    """
    session_names: str
    """Names of the sessions, or surrogate ids that stand for them, comma-separated, at most the 10
    latest; empty if none is known.
    """
    source_identities: str
    """Surrogate ids of the people behind the sessions, as the callers' own systems named them,
    comma-separated, at most the 10 latest; empty if none is known.
    """
    more_sessions: str
    """`yes`: there were more sessions than those named here; `no`: no other is known."""
    first_used_at: datetime | None
    """The first use that succeeded: a credential, a feature or a call; NULL if none did."""
    last_used_at: datetime | None
    """The last one; NULL if none did."""
    since: datetime
    """Effective time of the latest change: when it happened in the cloud."""
    position: int
    """Position of the event that made the latest change."""


class ActivityRow(NamedTuple):
    """The view `activity`. The calls that each agency made, action by action and day by day, as
    the traces of all services show it. As of a time, a file's calls of a day count once the
    last of them was made.
    """

    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    region: str
    """Region id; empty if the traces name none."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    agency_id: str
    """The immutable id of the agency; empty if none was told."""
    service: str
    """Code of the service that was called."""
    action: str
    """Name of the call; `(other actions)`: of a file with too many names."""
    day: str
    """The day in UTC, e.g. 2026-03-01."""
    succeeded: int
    """Calls of the agency that succeeded."""
    refused: int
    """Calls that were refused: the agency may not make them."""
    failed: int
    """Calls that failed for any other reason."""
    at_least: str
    """`yes`: files overlap in time, and it is not known which calls they have in common, so that
    there were as many calls or more; `no`: the numbers are exact for the imported files.
    """
    switched_by: str
    """Surrogate ids of the people who began its sessions, comma-separated, at most the 10 latest;
    empty if none is known.
    """
    session_names: str
    """Names of the sessions, or surrogate ids that stand for them, comma-separated, at most the 10
    latest; empty if none is known.
    """
    source_identities: str
    """Surrogate ids of the people behind the sessions, as the callers' own systems named them,
    comma-separated, at most the 10 latest; empty if none is known.
    """
    more_sessions: str
    """`yes`: there were more sessions than those named here; `no`: no other is known."""
    first_at: datetime
    """When the first of the calls was made."""
    last_at: datetime
    """When the last of the calls was made."""
    position: int
    """Position of the latest entry that tells of them."""


class UnusedRow(NamedTuple):
    """The view `unused`. Each permission that an agency holds, and when the agency last used it:
    the later of the two times `granted_at` and `last_used_at` is the one since when it is not
    used, as far as the ledger knows. It knows uses only from `uses_known_since` on, and only
    those of the traces that were imported.
    """

    region: str
    """Region id; `*` stands for all regions."""
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """Name of the agency (at AWS: of the role); its id if the name was never told."""
    agency_id: str
    """The immutable id of the agency; empty if none was told."""
    service: str
    """Code of the service that the agency may use; empty if by policy only."""
    policy: str
    """The policy that carries the permission; empty if none is known."""
    granted_at: datetime | None
    """Since when it is granted; NULL if that is not known."""
    last_used_at: datetime | None
    """When a call of the agency to the service last succeeded there; if the permission names no
    service, a call to any. NULL if no such use is known.
    """
    uses_known_since: datetime | None
    """The first use of any agency of the account that the ledger knows. NULL if it knows none:
    then it is not known whether the permission is used.
    """


class AttemptsRow(NamedTuple):
    """The view `attempts`. How often somebody tried to delete an agency or a policy, and with what
    outcome.
    """

    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    agency: str
    """The agency that was to be deleted, by its name, or by its id if that is not known; empty if
    a policy was.
    """
    policy: str
    """The policy that was to be deleted, by its name, or by its id if that is not known; empty if
    an agency was.
    """
    refused: int
    """Attempts that were refused."""
    carried_out: int
    """Attempts that were carried out, and deletions that a trace shows."""
    since: datetime
    """Effective time of the latest change: when it happened in the cloud."""
    position: int
    """Position of the event that made the latest change."""


class CapabilitiesRow(NamedTuple):
    """The view `capabilities`. The features of each catalogued service in each region where it
    asked for authorization or its agency was permitted anything, and what is missing for those
    that are broken. One row of status `unknown` and without a feature for a service that asked,
    and of which the catalogue lists no features.
    """

    region: str
    """Region id; `*` stands for all regions."""
    provider: str
    """The cloud, e.g. huaweicloud or aws."""
    account: str
    """The account's id at the provider."""
    service: str
    """Code of the service whose feature it is."""
    feature: str
    """Name of the feature in the catalogue; empty if it lists none."""
    agency: str
    """The agency through which it works, or that lacks least; empty if the catalogue lists no
    features.
    """
    status: str
    """`works`; `broken`: nothing is granted that could permit what it needs; or `unknown`."""
    missing: str
    """Codes of the services that the agency may not use, comma-separated; if `unknown`, of those
    of which that is not known.
    """
    note: str
    """The parties that the agency trusts, if it does not trust the service, or may not: `trusts
    account:…`. Its permissions do not count then. Mostly empty.
    """


class AuditTrailRow(NamedTuple):
    """The view `audit_trail`. Every event: who did what, where, when, and how it ended. One row an
    event.
    """

    position: int
    """Place in the history, 1, 2, 3 …"""
    recorded_at: datetime
    """When the ledger learned it; never decreases along positions, but for ClockSetBack."""
    effective_at: datetime
    """When it happened in the cloud."""
    type: str
    """The event's name."""
    provider: str | None
    """The cloud."""
    account: str | None
    """The account's id at the provider."""
    region: str | None
    """Region id; `*` stands for all regions."""
    service: str | None
    """Code of the service that asks; for permissions and credentials, of the service used."""
    agency: str | None
    """Name of the agency."""
    policy: str | None
    """The policy that it is about."""
    feature: str | None
    """The feature that was used or refused."""
    outcome: str | None
    """`refused`, `failed`, `carried-out`, `admitted`, `dialog`, `unknown`; NULL for plain facts."""
    actor: str | None
    """Surrogate id of who did it."""
    actor_name: str | None
    """The name behind it; NULL once it was erased."""
    actor_established: str | None
    """How the actor is known: `claimed`, `os-user`, `database-user`, `ssh-key`, `session`,
    `trace`, `ledger`.
    """
    run_by: str | None
    """Surrogate id of the operating system's user and host that ran the process; NULL if an older
    version appended the entry.
    """
    run_by_name: str | None
    """`USER@HOST`, the name behind it; NULL once it was erased."""
    database_user: str | None
    """The session user of the PostgreSQL connection that appended it; NULL in a file."""
    origin: str
    """`commanded` or `observed`."""
    reason: str | None
    """The reason that was given."""
    command_id: str | None
    """The same for all events of one command, or of one trace."""
    source_file: str | None
    """Name of the file that it was read from; a surrogate id once the name was erased."""
    stream: str
    """The stream that the event belongs to."""
    version: int
    """Its place in that stream."""
    entry: str
    """The entry exactly as stored: one line of canonical JSON."""


ROWS: Final[Mapping[str, type[Any]]] = {
    "regions": RegionsRow,
    "agencies": AgenciesRow,
    "trustees": TrusteesRow,
    "boundaries": BoundariesRow,
    "policies": PoliciesRow,
    "recorded_authorizations": RecordedAuthorizationsRow,
    "logins": LoginsRow,
    "authorizations": AuthorizationsRow,
    "usage": UsageRow,
    "activity": ActivityRow,
    "unused": UnusedRow,
    "attempts": AttemptsRow,
    "capabilities": CapabilitiesRow,
    "audit_trail": AuditTrailRow,
}
"""The class of a view's rows, by the view's name."""


def name_of(view: type[Any] | str) -> str:
    """The view's name, of a name or of the class of its rows."""
    if isinstance(view, str):
        return declared_name(view)
    return next((name for name, row in ROWS.items() if row is view), view.__name__)
