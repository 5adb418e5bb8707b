"""The command `authledger`, also as `python -m authledger`."""

from __future__ import annotations

import sys

from authledger.installation import fault, fault_in_files


def run() -> None:
    """Run the command line; exit with 1 if its packages are not authledger's own."""
    if wrong := fault():
        sys.exit(wrong)
    try:
        from cli.main import run as command  # noqa: PLC0415  Only once it is known whose it is.
    except ImportError:
        if wrong := fault_in_files():
            sys.exit(wrong)
        raise
    command()


if __name__ == "__main__":
    run()
