"""A ledger in one SQLite file. Imports nothing of PostgreSQL's folder."""
