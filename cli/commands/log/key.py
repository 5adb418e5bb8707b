"""authledger log key: show the log's key, give it another, retire the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Actor, Reading, Reason, command
from cli.printing.output import Output, out, say, show
from cli.reading import ledger_of

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.log.key_folder import LogKey

SignerCommand = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Signs instead of a key in a file: gets a checkpoint's text, answers 64 bytes or "
        "their base64 (Ed25519). With it goes --verifier-key.",
    ),
]
VerifierKey = Annotated[
    str | None,
    typer.Option(metavar="VKEY", help="What the signer command's signatures are checked with."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    command(app, "show")(show_key)
    command(app, "rotate")(rotate)
    command(app, "retire")(retire)


def show_key(ask: Reading) -> None:
    """Print the verifier key of the ledger's log, and where its key is kept."""
    with ledger_of(ask) as ledger:
        print_key(ask, key_of(ledger))


def rotate(
    ask: Reading,
    signer_command: SignerCommand = None,
    verifier_key: VerifierKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> None:
    """Give the log another key. Both sign every checkpoint until the older one is retired.

    That there is a new key is an entry of the log, signed by the old one: who knows the old one
    can believe the new one.
    """
    from cli.writing import actor_of, checked
    from ledger.log.key_events import KeyRotated
    from ledger.log.key_folder import NewKey
    from ledger.log.signer import LogSigner

    check_goes_together(signer_command, verifier_key)
    with ledger_of(ask) as ledger:
        key = key_of(ledger)
        key.check_rotates()
        new = NewKey.of(key.origin, signer_command, verifier_key)
        done = ledger.append_event(
            KeyRotated(log=key.origin, verifier_key=new.vkey),
            actor=actor_of(ask.settings.value("actor") if actor is None else actor),
            reason=checked("reason", reason),
        )
        key.rotate(new)
        with ledger.store_errors():
            ledger.entries.sign(LogSigner(ledger.signers.keys, key.origin))
    print_key(ask, key)
    say(
        f"Position {done.entries[-1].position} announces it, signed by the key before. Both sign "
        "now. Give the new verifier key to whoever checks this ledger; when they have it: "
        "authledger log key retire."
    )


def retire(ask: Reading, actor: Actor = None, reason: Reason = None) -> None:
    """End the overlap: the key before the last rotation signs no more, and is deleted."""
    from cli.writing import actor_of, checked
    from ledger.errors import NotFound
    from ledger.log.key_events import KeyRetired

    with ledger_of(ask) as ledger:
        key = key_of(ledger)
        if (previous := key.previous) is None:
            raise NotFound("One key signs this log; there is none to retire.")
        ledger.append_event(
            KeyRetired(log=key.origin, verifier_key=str(previous)),
            actor=actor_of(ask.settings.value("actor") if actor is None else actor),
            reason=checked("reason", reason),
        )
        key.retire()
    print_key(ask, key)
    say(f"Retired: {previous}. Its private key is deleted here; delete its copies.")


def check_goes_together(signer_command: str | None, verifier_key: str | None) -> None:
    """Raises InvalidInput if one is given without the other."""
    from ledger.errors import InvalidInput

    if (signer_command is None) != (verifier_key is None):
        raise InvalidInput("--signer-command and --verifier-key go together.")


def print_key(ask: Reading, key: LogKey) -> None:
    """The verifier key; in the other forms with its log and its folder."""
    columns = ("origin", "verifier_key", "folder")
    row = (key.origin, str(key.verifier), str(key.folder))
    if ask.form is Output.TABLE:
        out(row[1])
        return
    show(ask.form, columns, [row])


def key_of(ledger: Ledger) -> LogKey:
    """The key of the ledger's log, if it is on this machine."""
    from ledger.log.key_folder import LogKey
    from ledger.log.prover import signed_checkpoint

    _, checkpoint = signed_checkpoint(ledger.entries)
    return LogKey(ledger.signers.keys, checkpoint.origin)
