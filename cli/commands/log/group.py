"""authledger log: the Merkle log that the ledger is; its key, and its signed checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.log import key as log_key
from cli.commands.log import prove as log_prove
from cli.commands.log import timestamp as log_timestamp
from cli.commands.log import witness as log_witness
from cli.commands.log.key import SignerCommand, VerifierKey
from cli.options import Reading, command
from cli.printing.output import Output, out, say, show
from cli.reading import ledger_of

if TYPE_CHECKING:
    from ledger.application import Ledger

app = typer.Typer(help="Prove the history: the log's key and its signed checkpoints.")
key = typer.Typer(help="The log's signing key.")
app.add_typer(key, name="key", no_args_is_help=True)
log_key.register(key)
log_prove.register(app)
log_witness.register(app)
log_timestamp.register(app)

Origin = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What the log is called by everybody, for ever, e.g. example.com/authledger.",
    ),
]
Since = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="A checkpoint that you kept: the log must begin with it. Moved on to the new one.",
    ),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="VKEY",
        help="The verifier key, as its owner gave it to you. Default: the key on this machine.",
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Which log keys and witnesses you trust (c2sp.org/tlog-policy), in the place of --key: "
        "the checkpoint that you kept must be cosigned as it asks.",
    ),
]

Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="How many processes read the ledger. Default: as many as there are processors.",
    ),
]
Indexes = Annotated[
    bool,
    typer.Option(
        "--indexes",
        help="Hold the indexes of a file against their tables as well: it takes about twice as "
        "long.",
    ),
]


@command(app, "init")
def init(
    ask: Reading,
    origin: Origin,
    signer_command: SignerCommand = None,
    verifier_key: VerifierKey = None,
) -> None:
    """Make the log's key, and sign its first checkpoint; make the ledger too, if there is none.

    From then on every append ends with a checkpoint. The key lies outside the ledger's folder;
    what is printed is the verifier key, by which anybody can check, and nobody can sign.
    """
    from cli.writing import open_for_writing
    from ledger.log.signer import LogSigner

    log_key.check_goes_together(signer_command, verifier_key)
    with open_for_writing(ask) as ledger:
        _check_is_new(ledger, origin)
        signer = LogSigner(ledger.signers.keys, origin)
        signer.key.create(ledger.location, command=signer_command, vkey=verifier_key)
        with ledger.store_errors():
            ledger.entries.sign(signer)
    log_key.print_key(ask, signer.key)
    say(
        f"The key is in {signer.key.folder}: keep a copy of it where nobody else can read it.\n"
        "Give the verifier key to whoever will check this ledger, by another way than the ledger: "
        "on paper, by a signed message, on your web site. A key that comes with the evidence "
        "proves nothing."
    )


@command(app, "checkpoint")
def checkpoint(ask: Reading) -> None:
    """Print the newest checkpoint: a note that says how long the log is and under which root.

    Signs one first if entries came after the last. Who keeps one can hold the ledger to it later.
    """
    form = ask.form
    with ledger_of(ask) as ledger:
        note = _covering(ledger)
    if form is Output.TABLE:
        out(*note.splitlines())
        return
    origin, size, root = note.split("\n")[:3]
    columns = ("origin", "size", "root", "note")
    show(form, columns, [(origin, int(size), root, note)])


@command(app, "verify")
def verify(
    ask: Reading,
    *,
    since: Since = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    jobs: Jobs = None,
    indexes: Indexes = False,
) -> None:
    """Read every stored byte again and hold it against the log, its checkpoints and your own.

    Names what is not as it was written, and where; says what was not checked. Without a key,
    without a checkpoint, or with entries that none covers, it fails as well, and says which.
    """
    from cli.commands.log.verify import verify_log

    with ledger_of(ask) as ledger:
        verify_log(ask.form, ledger, since or [], keys or [], policy, jobs=jobs, indexes=indexes)


def _check_is_new(ledger: Ledger, origin: str) -> None:
    """A log keeps its name for ever; only one whose key is not here any more can get another."""
    from ledger.errors import InvalidInput

    note = ledger.entries.checkpoint()
    known = note.split("\n")[0] if note is not None else None
    if known == origin:
        raise InvalidInput(
            f"The log {origin} has its checkpoints already.",
            remedy="`authledger log key show` prints its verifier key.",
        )
    if known is not None and ledger.signers(known) is not None:
        raise InvalidInput(
            f"This ledger is the log {known} already, and who kept its checkpoints knows it so.",
            remedy="`authledger log key rotate` gives it another key.",
        )


def _covering(ledger: Ledger) -> str:
    """The newest checkpoint, signed now if it does not cover all."""
    from ledger.log.prover import signed_checkpoint

    note, checkpoint = signed_checkpoint(ledger.entries)
    missing = ledger.last_position() - checkpoint.size
    if not missing:
        return str(note)
    signer = ledger.signers(checkpoint.origin)
    if signer is not None:
        with ledger.store_errors():
            return ledger.entries.sign(signer)
    folder = ledger.signers.folder
    say(
        f"No checkpoint covers the last {missing} entries, and the key of {checkpoint.origin} is "
        f"not {f'in {folder}' if folder else 'here'}: this one is older."
    )
    return str(note)
