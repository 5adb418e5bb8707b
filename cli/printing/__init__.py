"""How answers are printed: output formats, tables, progress.

May import: nothing else of `cli`.
"""
