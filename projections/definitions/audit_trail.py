"""The audit trail: the entries with their typed columns, and the names behind surrogate ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, get_args

from ledger.errors import InvalidInput
from ledger.events import BY_NAME
from ledger.messages import Established
from ledger.near_words import check_choice
from ledger.values import check_storable, instant_text
from projections.dialect import Dialect
from projections.projection import Column, DerivedView
from projections.term import Term

ESTABLISHED: Final[tuple[str, ...]] = get_args(Established)
"""The words for how an actor is known."""


def _select(dialect: Dialect) -> str:
    reason, file = (dialect.member.format("e.entry", name) for name in ("reason", "source_file"))
    return f"""
        SELECT e.position, e.recorded_at, e.effective_at, e.type, e.provider, e.account, e.region,
               e.service, e.agency, e.policy, e.feature, e.outcome, e.actor,
               s.name AS actor_name, e.actor_established, e.run_by, r.name AS run_by_name,
               e.database_user, e.origin, {reason} AS reason, e.command_id,
               COALESCE(f.name, {file}) AS source_file, e.stream, e.version, e.entry
        FROM events e
        LEFT JOIN subjects s ON s.subject = e.actor
        LEFT JOIN subjects r ON r.subject = e.run_by
        LEFT JOIN subjects f ON f.subject = {file}
    """


AUDIT_TRAIL = DerivedView(
    name="audit_trail",
    doc="Every event: who did what, where, when, and how it ended. One row an event.",
    columns=(
        Column("position", "Place in the history, 1, 2, 3 …", "INTEGER"),
        Column(
            "recorded_at",
            "When the ledger learned it; never decreases along positions, but for ClockSetBack.",
            is_time=True,
        ),
        Column("effective_at", "When it happened in the cloud.", is_time=True),
        Column("type", "The event's name."),
        Column("provider", "The cloud."),
        Column("account", "The account's id at the provider."),
        Column("region", "Region id; `*` stands for all regions."),
        Column(
            "service",
            "Code of the service that asks; for permissions and credentials, of the service used.",
        ),
        Column("agency", "Name of the agency."),
        Column("policy", "The policy that it is about."),
        Column("feature", "The feature that was used or refused."),
        Column(
            "outcome",
            "`refused`, `failed`, `carried-out`, `admitted`, `dialog`, `unknown`; NULL for plain facts.",
            choices=("refused", "failed", "carried-out", "admitted", "dialog", "unknown"),
        ),
        Column("actor", "Surrogate id of who did it."),
        Column("actor_name", "The name behind it; NULL once it was erased."),
        Column(
            "actor_established",
            f"How the actor is known: {', '.join(f'`{word}`' for word in ESTABLISHED)}.",
            choices=ESTABLISHED,
        ),
        Column(
            "run_by",
            "Surrogate id of the operating system's user and host that ran the process; NULL if an "
            "older version appended the entry.",
        ),
        Column("run_by_name", "`USER@HOST`, the name behind it; NULL once it was erased."),
        Column(
            "database_user",
            "The session user of the PostgreSQL connection that appended it; NULL in a file.",
        ),
        Column("origin", "`commanded` or `observed`.", choices=("commanded", "observed")),
        Column("reason", "The reason that was given."),
        Column("command_id", "The same for all events of one command, or of one trace."),
        Column(
            "source_file",
            "Name of the file that it was read from; a surrogate id once the name was erased.",
        ),
        Column("stream", "The stream that the event belongs to."),
        Column("version", "Its place in that stream.", "INTEGER"),
        Column("entry", "The entry exactly as stored: one line of canonical JSON."),
    ),
    over={"events": ()},
    select=_select,
)


USES: Final = tuple(name for name, meaning in BY_NAME.items() if meaning.service_is_used)
"""The events whose `service` is the service that an agency uses. In all others it is the service
that asks for authorization.
"""
_BY_RARITY: Final = (
    "account", "agency", "policy", "actor", "region", "service", "type", "outcome", "run_by",
    "actor_established", "origin", "provider",
)  # fmt: skip
"""The columns of a filter, sorted by how few events share a value: the rarest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which entries of the trail; None means any.

    `since` and `until` are effective times, the first included and the second not. `actor` is a
    surrogate id or a name. `established` is how the actor is known. `run_by` is who ran the
    process: `USER`, `USER@HOST` or a surrogate id. `agency`, `policy` and `region` are names or
    ids; `region` also matches what is in all regions (`*`), and `*` matches only that. `service` is
    the service that asks for authorization, such as asm; `uses` is a service that an agency uses,
    such as elb. Raises InvalidInput.
    """

    provider: str | None = None
    account: str | None = None
    region: str | None = None
    service: str | None = None
    uses: str | None = None
    agency: str | None = None
    policy: str | None = None
    event: str | None = None
    outcome: str | None = None
    origin: str | None = None
    actor: str | None = None
    established: str | None = None
    run_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                check_storable(f"The condition on {field.name}", value)

    def check(self) -> None:
        """Raises InvalidInput for a word that no entry can have, and for `service` with `uses`."""
        if self.service is not None and self.uses is not None:
            raise InvalidInput(
                "An entry has one service: the one that asks, or one that an agency uses.",
                remedy="Give --service (asks) or --uses (is used), not both.",
            )
        closed = {column.name: column.choices for column in AUDIT_TRAIL.columns}
        check_choice("event", self.event, sorted(BY_NAME))
        check_choice("outcome", self.outcome, closed["outcome"])
        check_choice("origin", self.origin, closed["origin"])
        check_choice("established", self.established, ESTABLISHED)

    def terms(self, subjects: Mapping[str, Sequence[str]]) -> list[Term]:
        """The conditions on words. `subjects` has the surrogate ids that `actor` and `run_by` stand
        for; all other words are taken as they are.
        """
        asked = {
            "type": self.event,
            "service": self.service or self.uses,
            "actor_established": self.established,
        }
        found = []
        for column in _BY_RARITY:
            value = asked[column] if column in asked else getattr(self, column)
            if value is not None:
                found.append(Term(column, tuple(subjects.get(column, (value,)))))
        if self.service is not None or self.uses is not None:
            found.append(Term("type", USES, is_not=self.uses is None))
        return found

    def in_time(self) -> tuple[list[str], list[object]]:
        """The conditions on the effective time, in SQL over `audit_trail`, and their parameters."""
        bounds = ((self.since, ">="), (self.until, "<"))
        asked = [(instant_text(at), comparison) for at, comparison in bounds if at is not None]
        return [f"effective_at {each} ?" for _, each in asked], [at for at, _ in asked]
