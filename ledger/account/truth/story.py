"""A story: one explanation of a slot's facts. Which thing had the name when, and what it held.

    slot "ci"    START ─ AROA1 created ─ granted ─ deleted ─ (nobody) ─ AROA2 created ─ …
                 past = (life of AROA1,)                      life = life of AROA2

A story takes facts one by one, in the order that it assumes. A fact whose need is not met adds an
unseen fact to `cost`. At the start, nobody or an unseen thing has the name: both cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ledger.account.truth.fact import Fact, LineKey
from ledger.account.truth.life import End, Life
from ledger.account.truth.lines import (
    NAMED_NOT_KNOWN,
    PLACE_NOT_KNOWN,
    REVOKED,
    doubted,
    ended,
    granted,
    outlived,
    perhaps_granted,
    revoked,
    was_set,
)
from ledger.account.truth.rules import Rules


class Start:
    """The state of a name before its first fact: nobody has it, or a thing that was not seen."""


START: Final = Start()
Births = Mapping[str, Fact]
"""The creations that were seen, by the immutable id."""


def proves_life(fact: Fact) -> bool:
    """Whether a fact proves that its thing had not expired: a use or a grant, seen at the cloud.

    A thing that has expired can still be changed and deleted, and its permissions be revoked.
    """
    seen = fact.origin == "observed" and fact.consequence_of is None
    return seen and fact.call in ("evidence", "granted")


class Story:
    """One explanation of a slot's facts. `take` changes it; `fork` makes an independent copy."""

    __slots__ = ("births", "closed", "cost", "doubtful", "life", "past", "rules")

    def __init__(self, rules: Rules, births: Births) -> None:
        self.rules, self.births = rules, births
        self.cost = 0
        self.life: Life | Start | None = START
        self.past: tuple[Life, ...] = ()
        self.doubtful = False
        """Whether the search was given up: a thing that is proven later may be a known one."""
        self.closed: frozenset[LineKey] = frozenset()
        """Permissions whose policy or project ended before they were first granted."""

    def fork(self) -> Story:
        copy = Story(self.rules, self.births)
        copy.cost, copy.past, copy.doubtful = self.cost, self.past, self.doubtful
        copy.closed = self.closed
        copy.life = self.life.fork() if type(self.life) is Life else self.life
        return copy

    def take(self, fact: Fact) -> None:
        """Apply a fact, as the next that happened. Never refuses."""
        _STEPS[fact.call](self, fact)

    def lives(self) -> tuple[Life, ...]:
        """All lives, the present one last."""
        return (*self.past, self.life) if type(self.life) is Life else self.past

    def state(self) -> object:
        """A value that is equal for stories to which the same facts will cost the same."""
        life = self.life
        if type(life) is not Life:
            return life
        lines = frozenset(
            (key, *((run.status, run.dearer, run.closed) for run in line))
            for key, line in life.lines.items()
        )
        return life.id or life.begun.at, life.seen, life.asked is None, life.tasks, lines

    # -- lives ------------------------------------------------------------------------------------

    def present(self, fact: Fact) -> Life | None:
        """The life that the fact is about; a fact without one proves an unseen creation.

        Returns None for a fact that proves nothing: a consequence, or a call on a thing of which
        the end is known.
        """
        life = self.life
        if type(life) is Life and (fact.id is None or life.id == fact.id):
            return life
        if fact.consequence_of is not None:
            return None
        return self._inferred(fact)

    def _inferred(self, fact: Fact) -> Life | None:
        if self.doubtful and self._take_up(fact):
            return self.present(fact)
        if self._has_ended(fact):
            self.cost += 1  # An id is never used again.
            return None
        if type(self.life) is Life and self._may_be(self.life, fact):
            self.life.id = fact.id
            return self.life
        self.cost += self.life is not START
        self._replace(fact)
        return self._begin_unseen(fact, free=self.life is not START)

    def _take_up(self, fact: Fact) -> bool:
        """Go on with the life of an id, if the search did not find out whether it had ended."""
        for life in self.past:
            if fact.id is not None and life.id == fact.id and life.ended is None:
                self.past = tuple(each for each in self.past if each is not life)
                self.past += (self.life,) if type(self.life) is Life else ()
                self.life = life
                return True
        return False

    def _begin_unseen(self, fact: Fact, *, free: bool) -> Life:
        """Begin a life whose creation was not seen; `free`: nobody had the name before it."""
        last = self.past[-1].ended if self.past and free else None
        self.life = life = Life(fact, seen=False, unseen_from=last.at if last else None)
        if self.doubtful:
            life.doubted_at = fact.at
        return life

    def _has_ended(self, fact: Fact) -> bool:
        return fact.id is not None and any(life.id == fact.id for life in self.past)

    def _may_be(self, life: Life, fact: Fact) -> bool:
        """Whether a life whose id is not known may be the thing with the fact's id."""
        if life.id is not None:
            return False
        birth = self.births.get(fact.id or "")
        return birth is None or birth.position == life.begun.position

    def _replace(self, fact: Fact) -> None:
        """End the life of a thing that still has the name: its deletion was not seen."""
        life = self.life
        if type(life) is not Life:
            return
        if life.asked is None:
            self.cost += 1
            if fact.kind in self.rules.deletes_only_detached:
                self.cost += life.detach()
        self._close(life, fact, "not seen")

    def _close(self, life: Life, fact: Fact, end: End) -> None:
        life.ended, life.end = fact, end
        self.past = (*self.past, life)
        self.life = None

    def create(self, fact: Fact) -> None:
        life = self.life
        if type(life) is Life and fact.id is not None and life.id == fact.id:
            self.cost += not life.seen  # A proof came before the creation.
            if not life.seen and life.begun.at == fact.at:
                life.begun, life.seen = fact, True
        else:
            self._replace(fact)
            self.cost += self._has_ended(fact)
            self.life = life = Life(fact, seen=True)
        if fact.kind != "agency":
            self._tell(life, fact)
        elif fact.trustee is not None or fact.document:
            life.lines["trust"] = was_set(life.lines.get("trust", ()), fact.trustee, fact)
        if fact.expires_at is not None:
            expiry = fact._replace(document=None)
            life.lines["expiry"] = was_set(life.lines.get("expiry", ()), fact.expires_at, expiry)

    def _is_of_another(self, fact: Fact) -> bool:
        """Whether a task that ended was that of a thing which had the name before."""
        life = self.life
        if fact.task is None or (type(life) is Life and fact.task in life.tasks):
            return False
        return any(fact.task in past.tasks for past in self.past)

    def delete(self, fact: Fact) -> None:
        if self._is_of_another(fact):
            return
        life = self.present(fact)
        if life is None:
            return
        if fact.kind in self.rules.deletes_only_detached and fact.origin == "observed":
            self.cost += life.detach()
        self._close(life, fact, "seen")

    def leave(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is not None:
            self._close(life, fact, "left")

    def ask(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is None:
            return
        if fact.task is not None:
            life.tasks |= {fact.task}
        if life.asked is None:
            life.asked = fact
        elif life.asked.at == fact.at and life.asked.actor != fact.actor:
            life.asked = life.asked._replace(actor=None)  # Either may have been the first.

    def fail(self, fact: Fact) -> None:
        """The deletion that was asked for was not carried out. It proves nothing else."""
        life = self.life
        if self._is_of_another(fact):
            return
        if type(life) is Life and life.asked is not None and fact.id in (None, life.id):
            life.failures = (*life.failures, (life.asked, fact))
            life.asked = None

    def appear(self, fact: Fact) -> None:
        """An unseen creation, that a search tries at this place."""
        free = self.life is not START
        self.cost += free
        self._replace(fact)
        self._begin_unseen(fact, free=free)

    # -- lines ------------------------------------------------------------------------------------

    def grant(self, fact: Fact) -> None:
        life, key = self.present(fact), fact.key
        if life is not None and key is not None:
            line = life.lines.get(key, ())
            life.lines[key], missing = granted(line, fact)
            self.cost += missing or (not line and key in self.closed)
            self._outlive(life, fact)
            self._doubt_others(key, fact)

    def revoke(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is None or fact.key is None:
            return
        line = life.lines.get(fact.key, ())
        if fact.consequence_of is not None and all(run.status == REVOKED for run in line):
            return  # The cause has ended it already.
        life.lines[fact.key], missing = revoked(line, fact, life.begun.at, seen=life.seen)
        self.cost += missing
        self._doubt_others(fact.key, fact)

    def _doubt_others(self, key: LineKey, fact: Fact) -> None:
        """If a search was given up, a thing that it doubts may have the permission instead."""
        for life in self.past if self.doubtful else ():
            if life.ended is None and key not in life.lines:
                life.lines[key] = doubted((), fact)

    def end_line(self, fact: Fact) -> None:
        """The policy or the project of a permission ended, and so the permission."""
        life, key = self.life, fact.key
        if type(life) is not Life or key is None or key not in life.lines:
            self.closed |= {key} if key is not None else set()
            return
        needs = fact.kind in self.rules.deletes_only_detached and fact.origin == "observed"
        life.lines[key], missing = ended(life.lines[key], fact, needs_detached=needs)
        self.cost += missing

    def set_trust(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is not None:
            life.lines["trust"] = was_set(life.lines.get("trust", ()), fact.trustee, fact)

    def set_expiry(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is not None:
            life.lines["expiry"] = was_set(life.lines.get("expiry", ()), fact.expires_at, fact)

    def use(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is not None:
            self._outlive(life, fact)

    def _outlive(self, life: Life, fact: Fact) -> None:
        """A call of a cloud that an expired thing does not allow proves that it had not expired."""
        line = life.lines.get("expiry")
        if line and proves_life(fact):
            life.lines["expiry"], missing = outlived(line, fact)
            self.cost += missing

    def set_content(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is not None:
            self._tell(life, fact)

    def _tell(self, life: Life, fact: Fact) -> None:
        """Keep the document that a fact tells of a policy, and let it be in force, if it is."""
        if fact.document and fact.version is not None:
            life.texts = {**life.texts, fact.version: fact.document}
        if fact.document is not None and fact.in_force is not False:
            life.lines["content"] = was_set(life.lines.get("content", ()), None, fact)

    def set_boundary(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is not None:
            limit = None if fact.call == "boundary removed" else fact.policy or fact.policy_id or ""
            life.lines["boundary"] = was_set(life.lines.get("boundary", ()), limit, fact)

    def doubt(self, fact: Fact) -> None:
        life = self.present(fact)
        if life is None:
            return
        if fact.key is None:
            life.doubted_at = life.doubted_at or fact.at
        else:
            life.lines[fact.key] = doubted(life.lines.get(fact.key, ()), fact)

    def doubt_named(self, fact: Fact) -> None:
        """The permission may be meant: its policy's name changed hands, and nobody saw when."""
        life = self.present(fact)
        if life is None or fact.key is None:
            return
        line = life.lines.get(fact.key, ())
        if fact.call == "perhaps revoked":
            line = perhaps_granted(line, fact, life.begun.at)
        life.lines[fact.key] = doubted(line, fact, NAMED_NOT_KNOWN)

    def unplace(self, fact: Fact) -> None:
        """A revocation may be of this permission: it told another name, or id, of the project."""
        life = self.present(fact)
        if life is not None and fact.key is not None and fact.key in life.lines:
            life.lines[fact.key] = doubted(life.lines[fact.key], fact, PLACE_NOT_KNOWN)


_STEPS: Final[Mapping[str, Callable[[Story, Fact], object]]] = {
    "created": Story.create,
    "entered": Story.create,
    "deleted": Story.delete,
    "left": Story.leave,
    "deletion asked for": Story.ask,
    "deletion failed": Story.fail,
    "granted": Story.grant,
    "revoked": Story.revoke,
    "ended": Story.end_line,
    "trust set": Story.set_trust,
    "expiry set": Story.set_expiry,
    "content set": Story.set_content,
    "boundary set": Story.set_boundary,
    "boundary removed": Story.set_boundary,
    "evidence": Story.use,
    "doubted": Story.doubt,
    "perhaps granted": Story.doubt_named,
    "perhaps revoked": Story.doubt_named,
    "unplaced": Story.unplace,
    "unseen": Story.appear,
}
