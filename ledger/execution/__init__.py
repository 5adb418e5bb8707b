"""Carries out commands and observations: settles, envelops and numbers facts; caches accounts.

May import: persistence, account, subjects, and what lies below them.
"""
