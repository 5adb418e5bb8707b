"""The descriptions of a new ledger's objects, and the rights of its writers.

A change of `schema` needs a change here: tests/ledger/persistence/test_postgres_schema.py fails and
prints the new text.
"""

from __future__ import annotations

from typing import Final

BRIEF: Final = "4c844b83de8b2e065b51a8c7370c7907b3a73db7f03db3c5f6e3e03ca0ad5f5a"
"""The digest of all relations together (`catalogs.BRIEF`)."""
MADE: Final[dict[str, str]] = {
    "constraint checkpoint_only_check on checkpoint": 'c; only; ("only" = 1)',
    "constraint checkpoint_pkey on checkpoint": "p; only",
    "constraint commands_pkey on commands": "p; command_id",
    "constraint documents_pkey on documents": "p; digest",
    "constraint events_pkey on events": "p; position",
    "constraint events_stream_version_key on events": "u; stream, version",
    "constraint format_only_check on format": 'c; only; ("only" = 1)',
    "constraint format_pkey on format": "p; only",
    "constraint snapshots_pkey on snapshots": "p; stream",
    "constraint subjects_kind_name_key on subjects": "u; kind, name",
    "constraint subjects_pkey on subjects": "p; subject",
    "constraint tiles_pkey on tiles": "p; level, tile",
    "function refuse()": "returns trigger; plpgsql; kind f; volatility v; sha256 af859d742e08633819b4f93bc2ecaba636fbcbf7c4b9534098dccacf7554cb7b",
    "index checkpoint_pkey": "on checkpoint; by 'only' int4_ops; btree; unique; primary",
    "index commands_pkey": "on commands; by 'command_id' C text_ops; btree; unique; primary",
    "index documents_pkey": "on documents; by 'digest' C text_ops; btree; unique; primary",
    "index events_pkey": "on events; by 'position' int8_ops; btree; unique; primary",
    "index events_stream_version_key": "on events; by 'stream' C text_ops, 'version' int8_ops; btree; unique",
    "index format_pkey": "on format; by 'only' int4_ops; btree; unique; primary",
    "index snapshots_pkey": "on snapshots; by 'stream' C text_ops; btree; unique; primary",
    "index subjects_kind_name_key": "on subjects; by 'kind' C text_ops, 'name' C text_ops; btree; unique",
    "index subjects_pkey": "on subjects; by 'subject' C text_ops; btree; unique; primary",
    "index tiles_pkey": "on tiles; by 'level' int4_ops, 'tile' int8_ops; btree; unique; primary",
    "table append_lock": "(); stored by heap",
    "table checkpoint": "('only' integer not null, 'note' text collation C not null); stored by heap",
    "table commands": "('command_id' text collation C not null, 'digest' text collation C, 'first_position' bigint not null, 'last_position' bigint not null); stored by heap",
    "table documents": "('digest' text collation C not null, 'size' bigint not null, 'text' text collation C not null); stored by heap",
    "table events": "('position' bigint not null, 'stream' text collation C not null, 'version' bigint not null, 'topic' text collation C not null, 'entry' text collation C not null); stored by heap",
    "table format": "('only' integer not null, 'application' text collation default not null, 'version' integer not null); stored by heap",
    "table snapshots": "('stream' text collation C not null, 'version' bigint not null, 'anchor' text collation C not null, 'state' text collation C not null); stored by heap",
    "table subjects": "('subject' text collation C not null, 'kind' text collation C not null, 'name' text collation C not null, 'salt' text collation C not null); stored by heap",
    "table tiles": "('level' integer not null, 'tile' bigint not null, 'data' bytea not null); stored by heap",
    "trigger events_are_never_changed on events": "function ledger.refuse, type 18, argument changed\\000, enabled A",
    "trigger events_are_never_deleted on events": "function ledger.refuse, type 42, argument deleted\\000, enabled A",
}
"""Each object: its kind and its name, and what the catalogs say of it (`catalogs.OBJECTS`)."""
WRITERS_MAY: Final[dict[str, tuple[str, ...]]] = {
    "events": ("INSERT",),
    "commands": ("INSERT",),
    "subjects": ("INSERT", "DELETE"),
    "documents": ("INSERT", "DELETE"),
    "snapshots": ("INSERT", "UPDATE"),
    "tiles": ("INSERT", "UPDATE"),
    "checkpoint": ("INSERT", "UPDATE"),
    "append_lock": ("UPDATE",),
}
"""The rights on tables, beside reading, that `roles` grants to a writer."""
