"""The tables of the views, on SQLite and on PostgreSQL: connections, upkeep, free SQL.

May import: definitions, history, projection, dialect, and of `ledger` what opens its databases.
"""
