"""The ledger as Python programs use it: commands, observations, views, the trail, proofs.

with authledger.open("audit.db") as ledger:
    ledger.execute(GrantAuthorization(account="0a1b2c3d4e5f", service="asm", region="cn-north-4"))
    ledger.view("regions", region="cn-north-4").dicts()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authledger import rows
from authledger.actor import actor_of
from authledger.instants import When
from authledger.reader import Reader
from authledger.regions import check_region
from ledger.application import Actor, Observation, Observed, Outcome, Request, system_clock
from ledger.application import Ledger as WriteSide
from ledger.catalogue import Catalogue, load_catalogue
from ledger.errors import InvalidInput, LedgerError, NotFound, StoreForbidden
from ledger.execution.request import check_texts
from ledger.messages import Command, Recorded
from ledger.persistence.location import Location, location_of
from projections.views import Views

if TYPE_CHECKING:
    from authledger.proof import Evidence
    from authledger.traces import Imported
    from ledger.account.questions import Account
    from ledger.verification.verdict import Verdict
    from projections.audit.replay import Replayed


def open(  # noqa: A001  It is called authledger.open, as gzip.open is.
    location: Path | str,
    *,
    create: bool = False,
    actor: Actor | str | None = None,
    catalogue: Path | str | None = None,
    log_keys: Path | str | None = None,
    checkpoint_every: int = 1,
    require_signature: bool = False,
    clock: Callable[[], datetime] = system_clock,
    clock_jump_max: timedelta | None = None,
) -> Ledger:
    """Open a ledger. Use it in a `with` block, or call `close()` in the end.

    - `location`: a path, `sqlite:///PATH`, or `postgresql://…` with all of libpq's parameters.
    - `create`: make the ledger if there is none.
    - `actor`: who acts, unless a call names another: a name, which is recorded as claimed. Default:
      the operating system's user.
    - `catalogue`: a folder of TOML files with further services, beside the built-in ones.
    - `log_keys`: the folder with the keys of logs; default: the one that the command line uses.
      With the key of this ledger's log, appends end with a signed checkpoint.
    - `checkpoint_every`: a checkpoint is signed at least every so many entries; 0: on request only.
    - `require_signature`: an append that should be signed and cannot be is refused: without the key
      of the ledger's log, or after entries that nobody signed.
    - `clock`: returns the present as an aware `datetime`.
    - `clock_jump_max`: how long after the last entry an append may be; default: 366 days.

    Raises NotFound if there is no ledger and `create` is false; InvalidInput for a location or a
    catalogue that is not valid; StoreUnavailable, or one of its kinds, if it cannot be used.
    """
    place = location_of(location)
    try:
        return Ledger(
            place,
            create=create,
            actor=actor_of(actor),
            catalogue=load_catalogue(None if catalogue is None else Path(catalogue)),
            log_keys=None if log_keys is None else Path(log_keys),
            checkpoint_every=checkpoint_every,
            require_signature=require_signature,
            clock=clock,
            clock_jump_max=clock_jump_max,
        )
    except NotFound as error:
        raise NotFound(
            f"There is no ledger at {place}. Nothing was made.",
            remedy="authledger.open(…, create=True) makes one.",
        ) from error


class Ledger(Reader):
    """An open ledger. `authledger.open` makes it.

    Threads may share it. It carries out commands one at a time, and reads through a connection of
    each thread's own, which is opened when the thread first reads and closed when the thread ends.
    Processes do not share it: each opens the ledger for itself, and not before it forks.

    Every method raises StoreUnavailable, or one of its kinds, if the ledger cannot be read or
    written just now, and InvalidInput after `close()`.
    """

    def __init__(
        self,
        location: Location,
        *,
        create: bool,
        actor: Actor,
        catalogue: Catalogue,
        log_keys: Path | None,
        checkpoint_every: int,
        require_signature: bool,
        clock: Callable[[], datetime],
        clock_jump_max: timedelta | None = None,
    ) -> None:
        super().__init__(lambda: Views.open(location, catalogue), clock)
        self._actor = actor
        self._writer: WriteSide | StoreForbidden
        try:
            self._writer = WriteSide(
                location,
                create=create,
                catalogue=catalogue,
                clock=clock,
                log_keys=log_keys,
                checkpoint_every=checkpoint_every,
                require_signature=require_signature,
                clock_jump_max=clock_jump_max,
            )
        except StoreForbidden as error:  # A role of PostgreSQL's that may read the views alone.
            self._writer = error

    def close(self) -> None:
        """Close all connections; no thread may be using the ledger. A second call does nothing."""
        super().close()
        if isinstance(self._writer, WriteSide):
            self._writer.close()

    # -- writing ---------------------------------------------------------------------------------

    def execute(
        self,
        command: Command,
        *,
        actor: Actor | str | None = None,
        reason: str | None = None,
        command_id: str | None = None,
        correlation_id: str | None = None,
        dry_run: bool = False,
        new_region: bool = False,
    ) -> Outcome:
        """Decide a command and append its events in one transaction.

        Returns the entries that were appended, and the signed checkpoint if the log has a key. A
        `command_id` makes it safe to try again: used twice by the same actor, it appends nothing
        the second time and returns the first outcome. `dry_run` appends nothing and returns what
        would be appended. `new_region` allows a region that neither the catalogue nor the account
        knows.

        Raises Refused if the rules say no, after the refusal was appended (`error.entries`);
        NotFound for an agency or a policy that the account does not have; CommandIdReused;
        StreamChanged if other writers appended to the account again and again; InvalidInput, as for
        a region that is not known. Entries that were appended although the call failed are in
        `error.entries`, and the error's text names their positions.
        """
        self._check(command, new_region=new_region)
        return self._write_side.execute(
            command,
            actor=self._acting(actor),
            reason=reason,
            command_id=command_id,
            correlation_id=correlation_id,
            dry_run=dry_run,
        )

    def execute_many(
        self,
        commands: Iterable[Command | Request],
        *,
        actor: Actor | str | None = None,
        reason: str | None = None,
        correlation_id: str | None = None,
        new_region: bool = False,
    ) -> list[Outcome | LedgerError]:
        """Decide up to 1,000 commands in their order, and append all their events in one commit.

        Each command knows what those before it decided, as if these were committed. A `Request`
        gives a command an id, an actor or a reason of its own.

        Returns one result for each command, in their order: its outcome, or the error that
        `execute` would have raised for this command: `Refused`, `NotFound`, `CommandIdReused`,
        `InvalidInput`. Nothing is raised for these: the other commands are carried out. If other
        writers appended to the accounts meanwhile, all commands are decided again.

        Raises every other error for all commands together, as StoreUnavailable and StreamChanged:
        either all events are in the ledger or none, and the error's text says which. Raises
        InvalidInput for more commands, or for a request with `dry_run`.
        """
        check_texts(reason=reason, correlation_id=correlation_id)
        given = {"actor": self._acting(actor), "reason": reason, "correlation_id": correlation_id}
        asked: list[Request | LedgerError] = []
        for each in commands:
            try:
                asked.append(self._request(each, given, new_region=new_region))
            except InvalidInput as error:
                asked.append(error)
        found = self._write_side.execute_many([r for r in asked if isinstance(r, Request)])
        results = iter(found)
        return [next(results) if isinstance(each, Request) else each for each in asked]

    def observe(self, observations: Iterable[Observation]) -> Observed:
        """Append facts from the cloud's traces, in transactions of many traces.

        A trace that is known already appends nothing, and nothing is refused: the cloud did it.
        Returns how many traces were new and known, and how many entries were appended. A part whose
        transaction was committed stays, also if a later one fails; then the error's text says so.
        """
        return self._write_side.observe(observations)

    def import_traces(
        self,
        source: str,
        paths: Path | str | Iterable[Path | str],
        *,
        provider: str | None = None,
        account: str | None = None,
        documents: bool = False,
        jobs: int | None = None,
    ) -> Imported:
        """Read trace files, plain or gzip, and folders of them, and append the facts in them.

        `source` is the kind of traces: "cts" (Huawei Cloud) or "cloudtrail" (AWS). `provider` is
        the cloud, if it is a partner's edition. `account`: only this account's facts are appended,
        and a trace that names no account is this one's. `documents`: a trace that is known appends,
        once, the documents and ids that an older version left out. Records that cannot be read are
        reported with their places, and the rest is appended: look at `complete` in the result.
        `jobs`: with 2, a process of its own reads the files while this one appends; by default if
        they are big and there are two processors.

        Raises NotFound for a path that does not exist, before anything is read; InvalidInput.
        """
        from authledger.traces import traces_of  # noqa: PLC0415  Brings the translators along.

        files = traces_of(source, paths, provider, account)
        return files.append_to(self._write_side, self._clock(), complete=documents, jobs=jobs)

    def erase(
        self, subject: str, *, actor: Actor | str | None = None, reason: str | None = None
    ) -> None:
        """Forget the name behind a surrogate id, for good, and append that it was forgotten.

        The history and its proofs stay valid. Raises NotFound if no name is kept for it.
        """
        self._write_side.erase(subject, actor=self._acting(actor), reason=reason)

    def erase_document(
        self, digest: str, *, actor: Actor | str | None = None, reason: str | None = None
    ) -> None:
        """Forget the text of a document, for good, and append that it was forgotten.

        `digest` may be its first digits. The history and its proofs stay valid; a later trace does
        not bring the text back. Raises NotFound if no text of it is kept, InvalidInput.
        """
        with self._caught_up() as (views, _):
            found = views.documents.find(digest)
        self._write_side.erase_document(found, actor=self._acting(actor), reason=reason)

    def set_clock_back(self, *, actor: Actor | str | None = None, reason: str) -> Outcome:
        """Append that a wrong clock recorded entries later than now. Raises InvalidInput if not."""
        return self._write_side.set_clock_back(actor=self._acting(actor), reason=reason)

    # -- reading ---------------------------------------------------------------------------------

    def account(self, account: str, provider: str = "huaweicloud") -> Account:
        """Return the state of an account, as decisions see it now. It is the caller's own copy."""
        return self._write_side.account(provider, account)

    def history(self, first: int = 1, last: int | None = None) -> Iterator[Recorded]:
        """Yield entries by position, both ends included; `last` None: to the end."""
        return self._write_side.history(first, last)

    def replay(self, first: int = 1, last: int | None = None) -> Iterator[Replayed]:
        """Yield each entry with what it says in one sentence, and what it changed.

        Both ends are included; `last` None: to the end. Raises InvalidInput if they are outside
        the history.
        """
        from projections.audit.replay import replay  # noqa: PLC0415  It is rarely asked for.

        return replay(self._write_side, first, last)

    def entry(self, position: int) -> str:
        """Return one entry exactly as it is stored: a line of canonical JSON. Raises NotFound."""
        return self._write_side.entry_text(position)

    # -- proving ---------------------------------------------------------------------------------

    def evidence(
        self,
        view: type[Any] | str,
        path: Path | str,
        /,
        *,
        as_of: When | None = None,
        known_at: When | None = None,
        complete: bool = False,
        **where: str,
    ) -> Evidence:
        """Answer a question as `view` does, and write the answer with its proofs to `path`.

        A stranger checks the file by `authledger.verify_evidence`, without this ledger. The
        file has every entry if `complete` is true, if the answer has no rows, or if it follows
        from more than 10,000: then it also shows that there was nothing else. Policy documents go
        along, if they are kept; other names of people are not in it.

        Raises NotFound where no signed checkpoint covers what was asked for.
        """
        from authledger.proof import evidence_of, question_of  # noqa: PLC0415  Brings cryptography.
        from projections.evidence.make import make  # noqa: PLC0415

        question = question_of(rows.name_of(view), where)
        with self._caught_up() as (views, _):
            when = self._resolved(views, as_of, known_at)
            made = make(self._write_side, views, question, Path(path), when=when, complete=complete)
        return evidence_of(made)

    def verify(
        self,
        *,
        keys: Iterable[str] = (),
        since: Iterable[Path | str] = (),
        check: bool = True,
        jobs: int | None = None,
        indexes: bool = False,
        receipt: Path | str | None = None,
    ) -> Verdict:
        """Read every stored byte again, and compare it with the log's signed checkpoint.

        - `keys`: verifier keys; default: the key on this machine, if it is here.
        - `since`: files with checkpoints that you kept; the log must continue each of them.
        - `check`: raise VerificationFailed if anything is found; otherwise see `verified`.
        - `jobs`: how many processes read; default: as many as there are processors.
        - `indexes`: also compare the indexes of a file with their tables.
        - `receipt`: a file in which a verification without findings is written down. The next one
          only hashes the entries that it covers, and `relied` in the verdict says so. The file is
          not signed: keep it where only you can write.

        Returns the verdict: `verified`, what was found, and `unchecked`, what was not looked at.
        """
        from authledger.verifying import verdict_of  # noqa: PLC0415  Brings cryptography along.

        return verdict_of(
            self._write_side,
            keys,
            since,
            check=check,
            jobs=jobs,
            indexes=indexes,
            receipt=None if receipt is None else Path(receipt),
        )

    # -- within ----------------------------------------------------------------------------------

    @property
    def _write_side(self) -> WriteSide:
        self._check_open()
        if isinstance(self._writer, StoreForbidden):
            raise StoreForbidden(self._writer.message, remedy=self._writer.remedy)
        return self._writer

    def _request(
        self, asked: Command | Request, given: Mapping[str, Any], *, new_region: bool
    ) -> Request:
        """The request for a command, with the values for all commands where it has none of its own.

        Raises InvalidInput.
        """
        if not isinstance(asked, Request):
            self._check(asked, new_region=new_region)
            return Request(command=asked, **given)
        self._check(asked.command, new_region=new_region)
        missing = {name: each for name, each in given.items() if getattr(asked, name) is None}
        return replace(asked, **missing)

    def _check(self, command: Command, *, new_region: bool) -> None:
        """Raises InvalidInput."""
        if not isinstance(command, Command):
            raise InvalidInput(
                f"{command!r} is not a command. Nothing was appended.",
                remedy="Give an object of a command's class, as authledger.GrantAuthorization(…).",
            )
        if not new_region:
            self._check_region(command)

    def _check_region(self, command: Command) -> None:
        def account() -> Account:
            return self._write_side.account(command.provider, command.account)

        check_region(command, self._write_side.catalogue, account, "new_region=True")

    def _acting(self, actor: Actor | str | None) -> Actor:
        return self._actor if actor is None else actor_of(actor)
