"""Signs checkpoints of a ledger: what this process neither appended nor verified is verified first,
and shown.
"""

from __future__ import annotations

import logging
from typing import Final

from ledger.errors import StreamChanged, VerificationFailed
from ledger.persistence.location import Location
from ledger.persistence.merkle_log import CheckpointSigner, KeyAbsent, Tail, UnsignedTail
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import Appended

_log: Final = logging.getLogger("authledger")
ATTEMPTS_MAX: Final = 20


class Signing:
    """The signatures of one open ledger."""

    def __init__(self, recorder: Recorder, location: Location) -> None:
        self._recorder, self._location = recorder, location
        self._absent = False
        """Whether it was said that the key is not here."""

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign a checkpoint of the log as it is now; return the note.

        Raises VerificationFailed if entries that were not signed are not as a ledger writes them,
        and the errors of the signer.
        """
        for _ in range(ATTEMPTS_MAX):
            try:
                return self._recorder.sign(signer)
            except UnsignedTail as error:
                self._verify(error.tail)
        raise StreamChanged(
            "No checkpoint was signed: other writers without the log's key kept appending.",
            remedy="Try again.",
        )

    def released(self, appended: Appended) -> str | None:
        """The checkpoint of an append, released; None if there is none.

        An append over a tail was not signed: the tail is verified and shown, and then signed
        together with it. Raises as `sign`; the entries are appended in any case.
        """
        signed = appended.signed
        if isinstance(signed, Tail):
            signer = self._recorder.log.signer_of(signed.origin)
            return None if signer is None else self._sign_over(signed, signer)
        if isinstance(signed, KeyAbsent) and not self._absent:
            self._absent = True
            _log.warning(
                "The key of the log %s is not here: what is appended is not signed.", signed.origin
            )
        return appended.released()

    def _sign_over(self, tail: Tail, signer: CheckpointSigner) -> str:
        self._verify(tail)
        return self.sign(signer)

    def _verify(self, tail: Tail) -> None:
        """Verify a tail and show it."""
        from ledger.verification.tail import verify_tail  # noqa: PLC0415  Few processes need it.

        done = verify_tail(self._location, tail)
        if done.found.count:
            place, what = done.found.kept[0]
            raise VerificationFailed(
                f"The positions {tail.first} to {tail.last} are not signed, and {done.found.count} "
                f"of their checks failed: {place}: {what}. No checkpoint was signed.",
                remedy="`authledger log verify` lists everything that is not as it was written. "
                "Restore a copy from before.",
            )
        types = ", ".join(f"{count} {name}" for name, count in sorted(done.types.items()))
        _log.warning(
            "The positions %s to %s were appended without a signature, by another process. They "
            "were verified, and are signed now: %s.",
            tail.first,
            tail.last,
            types,
        )
        self._recorder.log.verified(tail)
