"""Importing: read trace files in this process, or in one beside it while this one appends.

May import: sources, processes, and what lies below them.
"""
