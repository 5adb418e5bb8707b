"""Executes commands and appends observations: decide, settle, envelop, append, retry; the cache.

May import: persistence, account, subjects, and what lies below them.
"""
