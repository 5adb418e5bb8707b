"""A receipt: what was verified in full once, written down in a file outside the ledger.

The next verification hashes everything again, and checks in full only what came after. A receipt
is not signed: it is as good as the place where it is kept. Its digest finds accidents, and not
somebody who can write the file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ledger.durable_file import write
from ledger.errors import DoneInPart, InvalidInput
from ledger.events import EVENTS
from ledger.merkle.checkpoint import Checkpoint
from ledger.persistence.columns import COLUMNS, FORMAT_VERSION
from ledger.values import instant_text
from ledger.verification.findings import Before, Whole

RULES: Final = 2
"""The version of the rules by which rows are checked. A change that adds a rule counts
it up."""
BYTES_MAX: Final = 65_536
"""A receipt is never as long as that."""
_AGAIN: Final = "Move the file away and verify again: everything is checked in full then."


@dataclass(frozen=True, slots=True)
class Receipt:
    """A log's state that was verified, and which check of its entries is relied on."""

    origin: str
    keys: tuple[str, ...]
    """The ids of the keys whose signatures of the checkpoint were verified."""
    size: int
    root: str
    """In hexadecimal digits."""
    checkpoint: str
    whole_size: int
    """So many of the first entries are in whole segments, and are only hashed the next time."""
    columns: str
    commands: str
    rules: str
    checked_from: str
    checked_until: str
    """The times of the first and the last full check of these entries."""
    checked_by: tuple[str, ...]
    """The versions of the program that made them."""

    @property
    def as_checkpoint(self) -> Checkpoint:
        return Checkpoint(self.origin, self.size, bytes.fromhex(self.root))

    @property
    def before(self) -> Before:
        whole = Whole(self.whole_size, self.columns, self.commands)
        return Before(self.size, bytes.fromhex(self.root), whole)

    def relied_on(self) -> str:
        """A sentence: what the verification relied on that used this receipt."""
        when = f"on {self.checked_from}"
        if self.checked_until != self.checked_from:
            when = f"between {self.checked_from} and {self.checked_until}"
        return (
            f"positions 1 to {self.whole_size} were checked in full {when} by authledger "
            f"{', '.join(self.checked_by)}; now they were only hashed again, and digests of their "
            "columns and commands compared"
        )

    def why_not(self, *, keys: tuple[str, ...], segment_size: int) -> str:
        """Why it cannot be relied on; empty if it can."""
        if self.rules != rules(segment_size):
            return "it was made by other rules than those of this version"
        if not set(self.keys).intersection(keys):
            return "the checkpoint was signed with another key then"
        if not self.whole_size:
            return f"it covers fewer than {segment_size} entries, which are checked again"
        return ""

    def write(self, path: Path) -> None:
        """Replace the file. Raises DoneInPart: the verification itself was done."""
        fields = asdict(self)
        text = json.dumps(fields | {"sum": _sum(fields)}, indent=1)
        try:
            write(path, f"{text}\n".encode())
        except OSError as error:
            raise DoneInPart(
                f"The ledger is verified, but the receipt {path} could not be written: "
                f"{error.strerror}."
            ) from error


def rules(segment_size: int) -> str:
    """A text that differs where another version of the program may have checked something else."""
    known = (RULES, FORMAT_VERSION, COLUMNS, sorted(each.TOPIC for each in EVENTS), segment_size)
    return sha256(json.dumps(known).encode()).hexdigest()[:16]


def read_receipt(path: Path) -> Receipt | None:
    """Read the receipt in a file. Returns None if the file does not exist. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            return parse_receipt(file.read(BYTES_MAX), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(
            f"The receipt {path} cannot be read: {error.strerror}. Nothing was verified."
        ) from error


def parse_receipt(text: bytes, about: str) -> Receipt:
    """Parse a receipt, which errors call `about`. Raises InvalidInput."""
    try:
        fields: dict[str, Any] = json.loads(text)
        given = fields.pop("sum")
        lists = {name: tuple(fields[name]) for name in ("keys", "checked_by")}
        receipt = Receipt(**fields | lists)
        if given != _sum(fields):
            raise InvalidInput(
                f"{about} is not a valid receipt: it was altered or damaged. Nothing was verified.",
                remedy=_AGAIN,
            )
        receipt.as_checkpoint  # noqa: B018  Its values may be of other types.
        return receipt
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput(
            f"{about} is not a valid receipt. Nothing was verified.", remedy=_AGAIN
        ) from error


def check_origin(receipt: Receipt, origin: str, about: str) -> None:
    """Raises InvalidInput if it is the receipt of another log."""
    if receipt.origin != origin:
        raise InvalidInput(
            f"{about} is the receipt of the log {receipt.origin}, but this ledger is the log "
            f"{origin}. Nothing was verified.",
            remedy="Give each ledger a receipt of its own.",
        )


def receipt_of(  # noqa: PLR0917
    checkpoint: Checkpoint,
    note: str,
    keys: tuple[str, ...],
    whole: Whole,
    relied: Receipt | None,
    segment_size: int,
    now: datetime,
) -> Receipt:
    """The receipt of a verification without findings, which relied on an earlier one or on none."""
    at, by = instant_text(now), {_release()}
    first = at
    if relied is not None:
        has_more = whole.size > relied.whole_size
        first, at = relied.checked_from, at if has_more else relied.checked_until
        by = {*relied.checked_by, *(by if has_more else ())}
    return Receipt(
        origin=checkpoint.origin,
        keys=keys,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        checkpoint=note,
        whole_size=whole.size,
        columns=whole.columns,
        commands=whole.commands,
        rules=rules(segment_size),
        checked_from=first,
        checked_until=at,
        checked_by=tuple(sorted(by)),
    )


def _release() -> str:
    try:
        return version("authledger")
    except PackageNotFoundError:
        return "(not installed)"


def _sum(fields: dict[str, Any]) -> str:
    return sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
