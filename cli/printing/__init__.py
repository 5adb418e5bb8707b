"""How answers are printed: forms, tables, progress, sentences.

May import: nothing else of `cli`.
"""
