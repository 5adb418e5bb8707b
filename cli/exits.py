"""Errors become exit codes here, and nowhere else.

0 done · 1 a bug · 2 usage · 3 refused · 4 not found · 5 conflict · 6 verification failed
7 the ledger, or a file, cannot be read or written · 130 interrupted · 141 the reader went away
"""

from __future__ import annotations

import re
import sys
import traceback
from typing import Any, Final

import typer

from cli.appended import appended
from cli.printing.output import say, silence, warn

DONE: Final = 0
BUG: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
NOT_FOUND: Final = 4
CONFLICT: Final = 5
VERIFICATION_FAILED: Final = 6
STORE_UNAVAILABLE: Final = 7
INTERRUPTED: Final = 130
READER_WENT: Final = 141
"""128 + SIGPIPE, as a shell would see of any program that `| head` cut off."""

_UsageError: type[Any] = typer.BadParameter.__bases__[0]
_ClickException: type[Any] = _UsageError.__bases__[0]


def report(error: BaseException, *, debug: bool) -> int:
    """Tell a person what went wrong, on stderr; return the exit code."""
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if debug:
        say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, BrokenPipeError):
        silence(sys.stdout)
        return READER_WENT
    if isinstance(error, _ClickException):
        _report_usage(error)
        return USAGE
    from ledger.errors import LedgerError

    if isinstance(error, LedgerError):
        warn(f"{_heading(error)}{error.message}")
        _tell_what_was_appended(error)
        if error.remedy:
            warn(error.remedy)
        return code_of(error)
    code = _told_failure(error, debug=debug)
    _tell_what_was_appended(error)
    return code


def _told_failure(error: BaseException, *, debug: bool) -> int:
    """What is neither a usage error nor one of the ledger's own."""
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        warn("Interrupted." if isinstance(error, KeyboardInterrupt) else "Not done.")
        return INTERRUPTED
    if isinstance(error, OSError):
        warn(f"Error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return STORE_UNAVAILABLE
    _report_bug(error, debug=debug)
    return BUG


def _tell_what_was_appended(error: BaseException) -> None:
    """Whatever fails after a commit cannot undo it: say what this run has appended, where it has;
    else what the error's notes say. A refusal was printed with its entries already.
    """
    from ledger.errors import Refused

    if isinstance(error, Refused):
        return
    for sentence in [appended()] if appended() else getattr(error, "__notes__", ()):
        warn(sentence)


def flushed(code: int) -> int:
    """The exit code, once all output has left: a full disk or a closed pipe may show only now."""
    try:
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        return report(error, debug=False) if code in (DONE, READER_WENT) else code
    return code


def code_of(error: BaseException) -> int:
    """The exit code of one of the ledger's errors."""
    from ledger import errors

    for kind, code in (
        (errors.InvalidInput, USAGE),
        (errors.Refused, REFUSED),
        (errors.NotFound, NOT_FOUND),
        (errors.Conflict, CONFLICT),
        (errors.VerificationFailed, VERIFICATION_FAILED),
        (errors.StoreUnavailable, STORE_UNAVAILABLE),
    ):
        if isinstance(error, kind):
            return code
    return BUG


def _heading(error: BaseException) -> str:
    from ledger.errors import Refused

    if not isinstance(error, Refused):
        return "Error: "
    return "Would be refused: " if error.dry_run else "Refused: "


def _report_usage(error: Any) -> None:
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        say(context.get_help())
        return
    said = error.format_message().replace(": Value error, ", ": ")  # Pydantic's word, not ours.
    warn(f"Error: {_without_urls(said)}")
    if context is not None:
        say(f"`{context.command_path} --help` tells how to use it.")


def _without_urls(text: str) -> str:
    """What is said of words that nobody understood: a URL among them may hold a password."""
    return re.sub(r"(\w[\w+.-]*://)\S+", r"\1…", text)


def _report_bug(error: BaseException, *, debug: bool) -> None:
    warn(f"This is a bug in authledger: {type(error).__name__}: {_without_urls(str(error))}")
    if not debug:
        say("Please report it, with what you did. With --debug before the command (or")
        say("AUTHLEDGER_DEBUG=1) the same call shows where it happened.")
