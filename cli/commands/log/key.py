"""authledger log key: show the log's key, rotate it, retire the previous one."""

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
        help="A command that signs, instead of a key in a file: it reads a checkpoint's text and "
        "writes the Ed25519 signature, 64 bytes or their base64. Needs --verifier-key.",
    ),
]
VerifierKey = Annotated[
    str | None,
    typer.Option(metavar="VKEY", help="The verifier key of the signer command."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    command(app, "show")(show_key)
    command(app, "rotate")(rotate)
    command(app, "retire")(retire)


def show_key(ask: Reading) -> None:
    """Print the verifier key of the ledger's log; -o json also prints its folder."""
    with ledger_of(ask) as ledger:
        print_key(ask, key_of(ledger))


def rotate(
    ask: Reading,
    signer_command: SignerCommand = None,
    verifier_key: VerifierKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> None:
    """Give the log a new key. Both sign every checkpoint until the old one is retired.

    An entry of the log announces the new key, and the old key signs it: a reader who knows the
    old key can believe the new one.
    """
    from cli.writing import actor_of, checked
    from ledger.log.key_events import KeyRotated
    from ledger.log.signer import LogSigner
    from ledger.log.signing_key import NewKey

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
        ledger.sign(LogSigner(ledger.signers.keys, key.origin))
    print_key(ask, key)
    say(
        f"Position {done.entries[-1].position} announces the new key, signed by the old one. Both "
        "sign from now on. Give the new verifier key to everybody who checks this ledger. When "
        "they have it, run: authledger log key retire"
    )


def retire(ask: Reading, actor: Actor = None, reason: Reason = None) -> None:
    """End a rotation: the old key signs no longer, and its files are deleted."""
    from cli.writing import actor_of, checked
    from ledger.errors import NotFound
    from ledger.log.key_events import KeyRetired

    with ledger_of(ask) as ledger:
        key = key_of(ledger)
        if (previous := key.previous) is None:
            raise NotFound(
                "No rotation is under way: one key signs this log, and there is none to retire."
            )
        ledger.append_event(
            KeyRetired(log=key.origin, verifier_key=str(previous)),
            actor=actor_of(ask.settings.value("actor") if actor is None else actor),
            reason=checked("reason", reason),
        )
        key.retire()
    print_key(ask, key)
    say(
        f"Retired: {previous}. Its files are deleted from {key.folder}; delete other copies of its "
        "private key as well."
    )


def check_goes_together(signer_command: str | None, verifier_key: str | None) -> None:
    """Raises InvalidInput if one is given without the other."""
    from ledger.errors import InvalidInput

    if (signer_command is None) != (verifier_key is None):
        raise InvalidInput("--signer-command and --verifier-key go together: give both or none.")


def print_key(ask: Reading, key: LogKey) -> None:
    """Print the verifier key; in forms other than a table, with its log and its folder."""
    columns = ("origin", "verifier_key", "folder")
    row = (key.origin, str(key.verifier), str(key.folder))
    if ask.form is Output.TABLE:
        out(row[1])
        return
    show(ask.form, columns, [row])


def key_of(ledger: Ledger) -> LogKey:
    """The key of the ledger's log; whether its files are here is not checked yet."""
    from ledger.log.key_folder import LogKey
    from ledger.log.prover import signed_checkpoint

    _, checkpoint = signed_checkpoint(ledger.entries)
    return LogKey(ledger.signers.keys, checkpoint.origin)
