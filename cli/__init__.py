"""The voice: parse, call, print. One file per command group; errors become exit codes in exits.py.

Only typer is imported when the program starts; the ledger and its views are when a command needs
them, so that `--version`, `--help` and shell completion answer at once.
"""
