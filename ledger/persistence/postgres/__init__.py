"""A ledger in a PostgreSQL database.

May import: the modules of `persistence` that belong to no database; never `sqlite`.
"""
