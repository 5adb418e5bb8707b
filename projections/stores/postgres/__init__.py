"""The views in the ledger's PostgreSQL database, in a schema of their own.

May import: the modules of `stores` that belong to no database; never `sqlite`.
"""
