"""The command line of authledger: parse, call, print. One file a command; exit codes in exits.py.

May import: `authledger`, `projections` and `ledger`.

Only typer is imported when the program starts; a group of commands is when it is asked for, and
the ledger and its views when a command needs them, so that all of them answer at once.
"""

import os

# Looking for plugins, pydantic would read the metadata of every package that is installed; and
# no package that happens to be there has a say in what is valid.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
