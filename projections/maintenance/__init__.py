"""Keeps the views: catch up, rebuild, compare, digest.

May import: stores, and what lies below them.
"""
