"""Examples of every event there is, made from the declared fields: chosen ones and random ones."""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

import ledger.events
from ledger import values
from ledger.messages import DomainEvent, Established, Provenance, Recorded

EVENTS: tuple[type[DomainEvent], ...] = tuple(
    sorted(ledger.events.EVENTS, key=lambda event: event.TOPIC)
)
"""Every event class of the program, by topic."""

ADDED: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "AgencyCreated": (
            "duration",
            "expires_at",
            "trusted_account_id",
            "trusted_account_name",
            "account_name",
        ),
        "AgencyTrustChanged": ("agency_id", "trusted_account_id", "trusted_account_name"),
        "AgencyDeletionAttempted": ("agency_id",),
        "AgencyDeletionRequested": ("task",),
        "AgencyDeletionFailed": ("task",),
        "AgencyDeleted": ("task",),
        "PermissionGranted": ("agency_id", "project_id", "policy_id"),
        "PermissionRevoked": ("agency_id", "project_id", "policy_id"),
        "PermissionsChanged": ("agency_id", "project_id", "policy_id"),
        "PermissionChangeRefused": ("agency_id", "project_id", "policy_id"),
        "PolicyChanged": ("policy_id",),
        "PolicyDeletionAttempted": ("policy_id",),
        "TemporaryCredentialIssued": ("agency_id", "account_name"),
        "CredentialRefused": ("agency_id",),
        "FeatureRefused": ("not_known",),
    },
    {
        "AgencyCreated": ("trust_document", "trust_document_bytes"),
        "AgencyTrustChanged": ("trust_document", "trust_document_bytes"),
        "PermissionGranted": ("document", "document_bytes"),
        "PolicyCreated": ("document", "document_bytes", "document_version", "in_force"),
        "PolicyChanged": ("document", "document_bytes", "document_version", "in_force"),
        "FeatureRefused": ("why",),
        "TemporaryCredentialIssued": (
            "session_name",
            "source_identity",
            "session_document",
            "session_document_bytes",
            "session_policies",
        ),
    },
    {
        "PermissionGranted": ("address",),
        "PermissionsChanged": ("address",),
    },
    {
        **dict.fromkeys(
            ("AgencyActed", "AgencyActionFailed"),
            ("session_name", "source_identity", "switched_by", "more_sessions"),
        ),
        "PolicyChanged": ("content",),
    },
    {
        "AgencyCreated": ("run_by", "database_user"),
        "SubjectErased": ("run_by",),
    },
)
"""By event, the optional fields that later versions added, one step a version that added any. An
entry without them is as before. Fields of the envelope are in the entries of all events: two of
them are examples."""

AT = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


def line(longest: int) -> st.SearchStrategy[str]:
    """Text in any script without control characters and line separators."""
    return st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=longest
    )


WORDS: dict[Any, tuple[object, st.SearchStrategy[Any]]] = {
    values.Provider: ("huaweicloud", st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)),
    values.AccountId: (
        "0a1b2c3d4e5f",
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    ),
    values.Region: (
        "cn-north-4",
        st.just("*")
        | st.text(
            st.characters(
                exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), exclude_characters=":*"
            ),
            min_size=1,
            max_size=128,
        ),
    ),
    values.ServiceCode: ("cce", st.from_regex(r"[a-z0-9][a-z0-9._-]{0,127}", fullmatch=True)),
    values.FeatureName: ("mesh", st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True)),
    values.AgencyName: ("asm_admin_trust", line(128)),
    values.PolicyName: ("asm admin trust policy", line(512)),
    values.Trustee: ("service:asm", line(2048)),
    values.Digest: ("0123456789abcdef" * 4, st.from_regex(r"[0-9a-f]{64}", fullmatch=True)),
    values.SubjectId: (
        "p-0123456789abcdef0123",
        st.from_regex(r"[a-z]{1,8}-[0-9a-f]{20}([0-9a-f]{20})?", fullmatch=True),
    ),
    values.Line: ('Straße »日本« \\ "7" 🛡️', line(1024)),
    values.Instant: (AT, st.datetimes(timezones=st.just(UTC))),
    str: ("0123456789abcdef", st.text(st.characters(exclude_categories=["Cs"]))),
    bool: (True, st.booleans()),
    int: (7, st.integers(-(2**53) + 1, 2**53 - 1)),
}
"""For each kind of field an example, and a strategy."""


def _of(kind: Any, leaf: Callable[[Any], Any], whole: Callable[[str, list[Any]], Any]) -> Any:
    """Walk a declared type down to its words."""
    if kind is type(None):
        return whole("none", [])
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return whole("either", [_of(each, leaf, whole) for each in get_args(kind)])
    if origin is Literal:
        return whole("literal", list(get_args(kind)))
    if origin is tuple:
        return whole("many", [_of(get_args(kind)[0], leaf, whole)])
    if origin is Annotated and kind not in WORDS:
        raise AssertionError(f"teach WORDS what a {kind} is")
    return leaf(kind)


def _strategy(kind: str, parts: list[Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "none":
            return st.none()
        case "either":
            return functools.reduce(operator.or_, parts)
        case "literal":
            return st.sampled_from(parts)
        case _:
            return st.lists(parts[0], max_size=4).map(tuple)


def _example(kind: str, parts: list[Any]) -> Any:
    match kind:
        case "none":
            return None
        case "either" | "literal":
            return parts[0]
        case _:
            return (parts[0],)


def fields_of(event: type[DomainEvent]) -> dict[str, Any]:
    hints = get_type_hints(event, include_extras=True)
    return {name: hints[name] for name in event.model_fields}


def any_event(event: type[DomainEvent]) -> st.SearchStrategy[DomainEvent]:
    """Every value that the event's fields admit."""
    parts = {
        name: _of(kind, lambda word: WORDS[word][1], _strategy)
        for name, kind in fields_of(event).items()
    }
    return st.fixed_dictionaries(parts).map(event.model_validate)


def example_event(event: type[DomainEvent], *, steps: int = 0) -> DomainEvent:
    """One event with every field filled; of those added later, the first so many steps."""
    left_out = {name for later in ADDED[steps:] for name in later.get(event.__name__, ())}
    return event.model_validate(
        {
            name: _of(kind, lambda word: WORDS[word][0], _example)
            for name, kind in fields_of(event).items()
            if name not in left_out
        }
    )


def example_entry(event: type[DomainEvent], *, steps: int = 0) -> Recorded:
    """One entry with every part of the envelope filled, and a source where it may be observed."""
    streams = {
        "subject": "subject:p-0123456789abcdef0123",
        "document": f"document:{'0123456789abcdef' * 4}",
    }
    of_account = event.STREAM not in streams
    added = {name for later in ADDED[:steps] for name in later.get(event.__name__, ())}
    last = {"console": ":asm", "usage": ":asm_admin_trust"}.get(event.STREAM, "")
    return Recorded(
        stream=streams.get(event.STREAM, f"{event.STREAM}:huaweicloud:0a1b2c3d4e5f{last}"),
        version=3,
        event=example_event(event, steps=steps),
        recorded_at=AT,
        effective_at=AT,
        origin="observed",
        actor="p-0123456789abcdef0123",
        actor_established="trace",
        command_id="huaweicloud/0a1b2c3d4e5f/trace-1",
        correlation_id="request-1",
        reason="quarterly review",
        catalogue="0123456789ab",
        source=Provenance(trace_id="trace-1", file="CTS/2026/03/01.json.gz", verified=True),
        provider="huaweicloud" if of_account else None,
        account="0a1b2c3d4e5f" if of_account else None,
        run_by=f"r-{'0123456789' * 4}" if "run_by" in added else None,
        database_user="ledger_writer" if "database_user" in added else None,
    )


instants = st.datetimes(timezones=st.just(UTC))
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
sources = st.builds(Provenance, trace_id=text, file=st.none() | text, verified=st.booleans())
runners: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict),
    st.fixed_dictionaries({"run_by": text, "database_user": st.none() | text}),
)
entries: st.SearchStrategy[Recorded] = st.builds(
    lambda runner, **fields: Recorded(**runner, **fields),
    runner=runners,
    stream=text,
    version=st.integers(1, 2**53 - 1),
    event=st.sampled_from(EVENTS).flatmap(any_event),
    recorded_at=instants,
    effective_at=instants,
    origin=st.sampled_from(("commanded", "observed")),
    actor=st.none() | text,
    actor_established=st.sampled_from(get_args(Established)),
    command_id=st.none() | text,
    correlation_id=st.none() | text,
    reason=st.none() | text,
    catalogue=st.none() | text,
    source=st.none() | sources,
    provider=st.none() | text,
    account=st.none() | text,
)
"""Every entry that can be encoded, some of them too long to be kept."""
