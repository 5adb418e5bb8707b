"""The databases that keep the views, and how each is asked.

May import: definitions, history, projection, dialect, and of `ledger` what opens its databases.
"""
