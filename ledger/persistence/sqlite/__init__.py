"""A ledger in one SQLite file.

May import: the modules of `persistence` that belong to no database; never `postgres`.
"""
