"""The command line of authledger: parse, call, print. One file a command; exit codes in exits.py.

May import: `authledger`, `projections` and `ledger`.

When the program starts, only typer is imported. A group of commands is imported when it is called,
and the ledger and its views when a command needs them, so that every command starts fast.
"""

import os

# Without this, pydantic looks for plugins in the metadata of all installed packages, which is slow,
# and such a package could change what is valid.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
