"""Describes the objects in a schema by PostgreSQL's catalogs, in words that all versions share.

An index, a constraint or a column is told by its parts and not by the server's own text of its
definition, which each version formats in another way.
"""

from __future__ import annotations

from typing import Final


def _named(catalog: str, name: str, namespace: str, oid: str) -> str:
    """The name of an object, with its schema unless it is the server's own."""
    return (
        f"(SELECT concat_ws('.', nullif(nspname, 'pg_catalog'), {name}) FROM {catalog} o "
        f"JOIN pg_namespace n ON n.oid = {namespace} WHERE o.oid = {oid})"
    )


def _collation(oid: str) -> str:
    return _named("pg_collation", "collname", "collnamespace", oid)


_COLUMNS: Final = f"""
    SELECT string_agg(concat_ws(' ', quote_literal(a.attname), format_type(a.atttypid, a.atttypmod),
        'collation ' || {_collation("a.attcollation")},
        CASE WHEN a.attnotnull THEN 'not null' END,
        CASE WHEN a.atthasdef THEN 'default ' || (SELECT pg_get_expr(adbin, adrelid)
            FROM pg_attrdef WHERE adrelid = a.attrelid AND adnum = a.attnum) END,
        'identity ' || nullif(a.attidentity::text, ''),
        'generated ' || nullif(a.attgenerated::text, '')), ', ' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND NOT (r.relname = 'events' AND a.attname = ANY (%(former)s))
"""
_KEY: Final = f"""
    SELECT string_agg(concat_ws(' ', coalesce(quote_literal(a.attname), 'expression'),
        {_collation("x.indcollation[k.number - 1]")},
        {_named("pg_opclass", "opcname", "opcnamespace", "x.indclass[k.number - 1]")},
        nullif(x.indoption[k.number - 1], 0)::text), ', ' ORDER BY k.number)
    FROM unnest(x.indkey) WITH ORDINALITY AS k (attnum, number)
    LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
"""
_OF_FORMER: Final = """
    (SELECT bool_and(a.attname = ANY (%(former)s)) FROM pg_attribute a
     WHERE a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)) AND t.relname = 'events'
"""
KINDS: Final = """
    CASE r.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
    WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table'
    WHEN 'c' THEN 'type' ELSE 'relation' END || ' ' || r.relname
"""
_RELATIONS: Final = f"""
    SELECT {KINDS}, concat_ws('; ', coalesce('(' || ({_COLUMNS}) || ')', '()'),
        'stored by ' || (SELECT amname FROM pg_am WHERE oid = r.relam),
        CASE r.relkind WHEN 'v' THEN pg_get_viewdef(r.oid) END,
        CASE r.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
        CASE WHEN r.relrowsecurity THEN 'row security' END,
        CASE WHEN r.relforcerowsecurity THEN 'forced row security' END,
        CASE WHEN EXISTS (SELECT 1 FROM pg_inherits WHERE r.oid IN (inhrelid, inhparent))
             THEN 'inherits, or is inherited from' END)
    FROM pg_class r WHERE r.relnamespace = to_regnamespace(%(schema)s)
    AND r.relkind NOT IN ('i', 'I', 't')
"""
_INDEXES: Final = f"""
    SELECT 'index ' || r.relname, concat_ws('; ', 'on ' || t.relname, 'by ' || ({_KEY}),
        (SELECT amname FROM pg_am WHERE oid = r.relam),
        CASE WHEN x.indisunique THEN 'unique' END,
        CASE WHEN x.indisprimary THEN 'primary' END,
        CASE WHEN NOT x.indisvalid THEN 'not valid' END,
        CASE WHEN NOT x.indimmediate THEN 'deferred' END,
        'where ' || pg_get_expr(x.indpred, x.indrelid))
    FROM pg_class r JOIN pg_index x ON x.indexrelid = r.oid JOIN pg_class t ON t.oid = x.indrelid
    WHERE r.relnamespace = to_regnamespace(%(schema)s) AND t.relkind <> 't'
    AND ({_OF_FORMER}) IS NOT TRUE
"""
_CONSTRAINTS: Final = """
    SELECT 'constraint ' || conname || ' on ' || r.relname, concat_ws('; ', contype::text,
        (SELECT string_agg(a.attname, ', ' ORDER BY k.number)
         FROM unnest(conkey) WITH ORDINALITY AS k (attnum, number)
         JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum),
        pg_get_expr(conbin, conrelid), CASE WHEN NOT convalidated THEN 'not valid' END)
    FROM pg_constraint JOIN pg_class r ON r.oid = conrelid
    WHERE r.relnamespace = to_regnamespace(%(schema)s) AND contype NOT IN ('n', 't')
"""
_TRIGGERS: Final = """
    SELECT 'trigger ' || tgname || ' on ' || r.relname, concat_ws(', ',
        'function ' || n.nspname || '.' || p.proname, 'type ' || tgtype,
        'argument ' || nullif(encode(tgargs, 'escape'), ''), 'columns ' || nullif(tgattr::text, ''),
        CASE WHEN tgqual IS NOT NULL THEN 'with a condition' END, 'enabled ' || tgenabled::text)
    FROM pg_trigger JOIN pg_class r ON r.oid = tgrelid
    JOIN pg_proc p ON p.oid = tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE r.relnamespace = to_regnamespace(%(schema)s) AND NOT tgisinternal
"""
_FUNCTIONS: Final = """
    SELECT 'function ' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        concat_ws('; ', 'returns ' || format_type(prorettype, NULL), l.lanname,
        'kind ' || prokind::text, CASE WHEN prosecdef THEN 'security definer' END,
        'settings ' || array_to_string(proconfig, ', '), 'volatility ' || provolatile::text,
        'sha256 ' || encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'))
    FROM pg_proc p JOIN pg_language l ON l.oid = prolang
    WHERE pronamespace = to_regnamespace(%(schema)s)
"""
_OTHERS: Final = """
    SELECT 'rule ' || rulename || ' on ' || r.relname, 'rule' FROM pg_rewrite
    JOIN pg_class r ON r.oid = ev_class
    WHERE r.relnamespace = to_regnamespace(%(schema)s) AND rulename <> '_RETURN'
    UNION ALL SELECT 'policy ' || polname || ' on ' || r.relname, 'policy' FROM pg_policy
    JOIN pg_class r ON r.oid = polrelid WHERE r.relnamespace = to_regnamespace(%(schema)s)
    UNION ALL SELECT 'operator ' || oprname, 'operator' FROM pg_operator
    WHERE oprnamespace = to_regnamespace(%(schema)s)
    UNION ALL SELECT 'type ' || typname, 'type' FROM pg_type
    WHERE typnamespace = to_regnamespace(%(schema)s) AND typrelid = 0
    AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = pg_type.oid)
    UNION ALL SELECT 'conversion ' || conname, 'conversion' FROM pg_conversion
    WHERE connamespace = to_regnamespace(%(schema)s)
    UNION ALL SELECT 'collation ' || collname, 'collation' FROM pg_collation
    WHERE collnamespace = to_regnamespace(%(schema)s)
"""
_PARTS: Final = (_RELATIONS, _INDEXES, _CONSTRAINTS, _TRIGGERS, _FUNCTIONS, _OTHERS)
OBJECTS: Final = " UNION ALL ".join(_PARTS)
"""All objects in a schema: kind and name, and what the catalogs say."""
BRIEF: Final = """
    SELECT encode(sha256(convert_to(string_agg(concat_ws(' ', r.relname, r.relkind, r.relpersistence, r.relhasrules,
        (SELECT count(*) FROM pg_trigger WHERE tgrelid = r.oid AND NOT tgisinternal),
        r.relrowsecurity, r.relforcerowsecurity, r.relhassubclass,
        r.relispartition, x.indkey, x.indcollation, x.indpred IS NULL, x.indexprs IS NULL,
        x.indisunique, (SELECT string_agg(concat_ws(' ', attname, atttypid, attcollation), ', '
            ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped AND r.relkind <> 'i')),
        '; ' ORDER BY r.relname COLLATE "C"), 'UTF8')), 'hex')
    FROM pg_class r LEFT JOIN pg_index x ON x.indexrelid = r.oid
    WHERE r.relnamespace = to_regnamespace(%s) AND r.relkind <> 't'
"""
"""A digest of what matters most to a reader of the relations in a schema, in a few milliseconds:
that they are tables with their columns and triggers, without rules, row security and children; and
their indexes.
"""
OWNERS: Final = f"""
    SELECT {KINDS}, pg_get_userbyid(r.relowner), pg_get_userbyid(e.relowner)
    FROM pg_class r JOIN pg_class e ON e.relnamespace = r.relnamespace AND e.relname = 'events'
    WHERE r.relnamespace = to_regnamespace(%s) AND r.relkind NOT IN ('i', 'I', 't')
    AND r.relowner <> e.relowner
"""
GRANTS: Final = f"""
    SELECT {KINDS}, r.relname, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text
        END, privilege_type
    FROM (SELECT r.*, acl FROM pg_class r, LATERAL (SELECT r.relacl AS acl UNION ALL
        SELECT attacl FROM pg_attribute WHERE attrelid = r.oid AND attacl IS NOT NULL) AS acls) r,
    aclexplode(r.acl)
    WHERE r.relnamespace = to_regnamespace(%s) AND grantee <> r.relowner
    AND (privilege_type <> 'SELECT' OR grantee = 0)
"""
"""The rights on relations that more than read, by other roles than the owner; all of everybody."""
