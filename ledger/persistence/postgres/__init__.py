"""A ledger in a PostgreSQL database. Imports nothing of SQLite's folder."""
