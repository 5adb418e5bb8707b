"""authledger log: the group of commands, and those for the log's checkpoints themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.log import key as log_key
from cli.commands.log import prove as log_prove
from cli.commands.log import timestamp as log_timestamp
from cli.commands.log import witness as log_witness
from cli.commands.log.key import SignerCommand, VerifierKey
from cli.options import Actor, Reading, Reason, command
from cli.printing.output import Output, out, say, show
from cli.reading import ledger_of

if TYPE_CHECKING:
    from ledger.application import Ledger

app = typer.Typer(help="Prove the history: keys, signed checkpoints, proofs, verification.")
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
        help="The log's name, which cannot be changed later, e.g. example.com/authledger.",
    ),
]
Since = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="A checkpoint that you kept: the log must continue it. On success this file is "
        "replaced by the new checkpoint.",
    ),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="VKEY",
        help="The verifier key, as the log's owner gave it to you. Default: the key on this machine.",
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="The log keys and witnesses that you trust (c2sp.org/tlog-policy), instead of --key: "
        "the checkpoint given with --since must have the cosignatures that it requires.",
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
ReceiptFile = Annotated[
    Path | None,
    typer.Option(
        "--receipt",
        metavar="FILE",
        help="Rely on what an earlier verification wrote down in this file, and write it anew. The "
        "file is not signed: keep it where only you can write.",
    ),
]
Indexes = Annotated[
    bool,
    typer.Option(
        "--indexes",
        help="Compare the indexes with their tables as well (SQLite): takes about twice as long.",
    ),
]

Digests = Annotated[
    bool,
    typer.Option(
        "--digests",
        help="Compute the digests of traces again, by which a copy of a trace is recognised: takes "
        "several times as long.",
    ),
]

WithoutNames = Annotated[
    bool,
    typer.Option(
        "--without-names",
        help="The ledger is a copy without names: a name that is missing is not a finding.",
    ),
]


@command(app, "init")
def init(
    ask: Reading,
    origin: Origin,
    signer_command: SignerCommand = None,
    verifier_key: VerifierKey = None,
) -> None:
    """Make the log's key and sign its first checkpoint; also make the ledger if there is none.

    From then on every append ends with a signed checkpoint. The private key is kept outside the
    ledger's folder. The command prints the verifier key, with which anybody can check signatures
    and nobody can sign.
    """
    from cli.writing import open_for_writing
    from ledger.log.signer import LogSigner

    log_key.check_goes_together(signer_command, verifier_key)
    with open_for_writing(ask) as ledger:
        _check_is_new(ledger, origin)
        signer = LogSigner(ledger.signers.keys, origin)
        signer.key.create(ledger.location, command=signer_command, vkey=verifier_key)
        ledger.sign(signer)
    log_key.print_key(ask, signer.key)
    say(
        f"The key is in {signer.key.folder}: keep a copy of this folder where nobody else can "
        "read it.\n"
        "Give the verifier key to everybody who will check this ledger, by another way than the "
        "ledger: on paper, by a signed message, on your web site. A key that comes together with "
        "the evidence proves nothing."
    )


@command(app, "checkpoint")
def checkpoint(ask: Reading) -> None:
    """Print the newest checkpoint: a signed note with the log's size and root.

    If it does not cover all entries, a new one is signed first. Keep a checkpoint where nobody
    else can write: `log verify --since FILE` shows later whether the log continues it.
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


@command(app, "set-clock-back")
def set_clock_back(ask: Reading, *, reason: Reason = None, actor: Actor = None) -> None:
    """Record that recorded times begin anew: a wrong clock recorded entries later than now.

    Nothing is changed: the entries with the wrong times stay, and this one says up to which time
    they reach. Without it, no writer whose clock is right could append. An event that lies ahead of
    the clock does not count before its time comes.
    """
    from cli.writing import actor_of, checked, names_in, show_entries
    from ledger.errors import InvalidInput

    form = ask.form
    why = checked("reason", reason)
    if why is None:
        raise InvalidInput(
            "Setting the clock back needs a reason. Nothing was appended.",
            remedy="Add --reason TEXT.",
        )
    who = actor_of(ask.settings.value("actor") if actor is None else actor)
    with ledger_of(ask) as ledger:
        entries = ledger.set_clock_back(actor=who, reason=why).entries
        show_entries(form, entries, names_in(ledger, entries))


@command(app, "verify")
def verify(
    ask: Reading,
    *,
    since: Since = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    jobs: Jobs = None,
    indexes: Indexes = False,
    digests: Digests = False,
    without_names: WithoutNames = False,
    receipt: ReceiptFile = None,
) -> None:
    """Read every stored byte, and compare it with the log, its checkpoint and those you kept.

    Prints each place that is not as it was written, and what was not checked. Also fails
    without a verifier key or a checkpoint, or if the checkpoint does not cover all entries.

    With --receipt, a verification without findings is written down in a file, outside the ledger.
    The next one with that file hashes all entries again, compares all tiles and the root of then,
    and checks in full only the rows that came after; it says what it relied on. If anything is not
    as it was, everything is checked in full.
    """
    from cli.commands.log.verify import verify_log

    with ledger_of(ask, refuses_altered=False) as ledger:
        verify_log(
            ask.form,
            ledger,
            since or [],
            keys or [],
            policy,
            log_keys=ask.settings.found("log_keys"),
            jobs=jobs,
            indexes=indexes,
            digests=digests,
            without_names=without_names,
            receipt=receipt,
        )


def _check_is_new(ledger: Ledger, origin: str) -> None:
    """Raises InvalidInput if the ledger's log has a name and its key is here: a name is kept."""
    from ledger.errors import InvalidInput

    note = ledger.entries.checkpoint()
    known = note.split("\n")[0] if note is not None else None
    if known == origin:
        raise InvalidInput(
            f"The log {origin} exists already: this ledger has its checkpoints.",
            remedy="`authledger log key show` prints its verifier key.",
        )
    if known is not None and ledger.signers(known) is not None:
        raise InvalidInput(
            f"This ledger is the log {known} already, and those who kept its checkpoints know it by "
            "that name.",
            remedy="`authledger log key rotate` gives it another key under the same name.",
        )


def _covering(ledger: Ledger) -> str:
    """The newest checkpoint, signed now if the stored one does not cover all entries."""
    from ledger.log.prover import signed_checkpoint

    note, checkpoint = signed_checkpoint(ledger.entries)
    last = ledger.last_position()
    signer = ledger.signers(checkpoint.origin)
    has_record = signer is None or signer.key.last() is not None
    if last == checkpoint.size and has_record:
        return str(note)
    if signer is not None:
        return ledger.sign(signer)
    folder = ledger.signers.folder
    say(
        f"This checkpoint covers {checkpoint.size} of {last} entries, and no newer one could be "
        f"signed: the key of {checkpoint.origin} is not {f'in {folder}' if folder else 'here'}."
    )
    return str(note)
