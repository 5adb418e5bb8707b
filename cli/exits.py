"""Turns errors into messages and exit codes; no other module does (docs/exit-codes.md)."""

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
CONDITION_NOT_MET: Final = 8
DONE_IN_PART: Final = 9
INTERRUPTED: Final = 130
READER_WENT: Final = 141
"""128 + SIGPIPE, which a shell reports of any program that `| head` ended."""

MEANINGS: Final = {
    DONE: "done",
    BUG: "a bug in authledger",
    USAGE: "usage: the command line, a setting or a value is not valid",
    REFUSED: "refused by a rule, and recorded",
    NOT_FOUND: "not found: no such ledger, agency, position, file",
    CONFLICT: "conflict: other writers kept appending, or an id or a place is taken",
    VERIFICATION_FAILED: "a verification failed",
    STORE_UNAVAILABLE: "the ledger or a file cannot be read or written now, or not in the given time",
    CONDITION_NOT_MET: "a condition that you asked for does not hold",
    DONE_IN_PART: "done in part",
    INTERRUPTED: "interrupted (Ctrl-C)",
    READER_WENT: "the reader of the output went away (`| head`)",
}

_PASSWORD: Final = re.compile(r"(\w:/{1,2}[^\s/:@]*):\S*@")
"""In a URL, also in one that was taken for a path, which loses a slash."""
_URL: Final = re.compile(r"(://|\b(?:postgres(?:ql)?|jdbc):).*", re.IGNORECASE)

_UsageError: type[Any] = typer.BadParameter.__bases__[0]
_ClickException: type[Any] = _UsageError.__bases__[0]


def report(error: BaseException, *, debug: bool) -> int:
    """Print what went wrong, on stderr; return the exit code."""
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
    from ledger.errors import LedgerError, Refused

    if isinstance(error.__context__, Refused):  # Its entries could not be printed.
        warn(f"{_heading(error.__context__)}{error.__context__.message}")
    if isinstance(error, LedgerError):
        warn(f"{_heading(error)}{_without_passwords(error.message)}")
        _print_what_was_appended(error)
        for line in filter(None, error.remedy.split("\n")):  # Each command can be pasted.
            warn(line)
        return code_of(error)
    code = _report_other(error, debug=debug)
    _print_what_was_appended(error)
    return code


def _report_other(error: BaseException, *, debug: bool) -> int:
    """Report an error that is neither a usage error nor a LedgerError; return the exit code."""
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        warn("Interrupted." if isinstance(error, KeyboardInterrupt) else "Not done.")
        return INTERRUPTED
    if isinstance(error, OSError):
        named = f": {error.filename}" if error.filename else ""
        warn(f"Error: {error.strerror or error}{_without_passwords(named)}")
        return STORE_UNAVAILABLE
    _report_bug(error, debug=debug)
    return BUG


def _print_what_was_appended(error: BaseException) -> None:
    """Print what this run has appended, since a later failure does not undo a commit; if nothing
    was, the notes of the error. The entries of a refusal have been printed already.
    """
    from ledger.errors import Refused

    if isinstance(error, Refused):
        return
    for sentence in [appended()] if appended() else getattr(error, "__notes__", ()):
        warn(sentence)


def flushed(code: int) -> int:
    """Flush stdout, and return the exit code. A full disk or a closed pipe may show only here."""
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
        (errors.ConditionNotMet, CONDITION_NOT_MET),
        (errors.DoneInPart, DONE_IN_PART),
    ):
        if isinstance(error, kind):
            return code
    return BUG


def _heading(error: BaseException) -> str:
    from ledger.errors import ConditionNotMet, DoneInPart, Refused

    if isinstance(error, Refused):
        return "Would be refused: " if error.dry_run else "Refused: "
    if isinstance(error, ConditionNotMet):
        return "Condition not met: "
    return "Done in part: " if isinstance(error, DoneInPart) else "Error: "


def _report_usage(error: Any) -> None:
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        say(context.get_help())
        return
    said = error.format_message().replace(": Value error, ", ": ")  # Pydantic's word, not ours.
    warn(f"Error: {_without_urls(said)}")
    if context is not None:
        say(f"For help: {context.command_path} --help")


def _without_passwords(text: str) -> str:
    """The text with `…` in the place of a URL's password."""
    return _PASSWORD.sub(r"\1:…@", text)


def _without_urls(text: str) -> str:
    """A sentence about words that were not understood, up to a URL: it may hold a password."""
    return _URL.sub(r"\1…", text)


def _report_bug(error: BaseException, *, debug: bool) -> None:
    warn(f"This is a bug in authledger: {type(error).__name__}: {_without_urls(str(error))}")
    if not debug:
        say("Please report it, together with the command. To see where it happened, repeat the")
        say("command with --debug before it, or with AUTHLEDGER_DEBUG=1.")
