"""Executes commands and appends observations: decide, envelop, append, retry; the cache.

May import: persistence, account, subjects, and what lies below them.
"""
