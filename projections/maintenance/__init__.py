"""Keeps the views: catch up, rebuild, compare, digest."""
