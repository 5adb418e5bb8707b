"""The views' own SQLite file, beside the ledger's.

May import: the modules of `stores` that belong to no database; never `postgres`.
"""
