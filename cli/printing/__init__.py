"""How answers are printed: forms, tables, progress, sentences."""
