"""Checks of cells commit by commit: the view that they lead to is what `derive` says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from random import Random
from typing import Any

from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.handles import Handle, Recall, handles_of
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import fact

Commits = Sequence[Sequence[Fact]]
Shown = dict[tuple[object, ...], Span]


def shown(spans: Iterable[Span]) -> Shown:
    """Spans by what identifies them. No two spans have the same."""
    known, found = list(spans), Shown()
    found.update(((*span.key, span.valid_from), span) for span in known)
    assert len(found) == len(known)
    return found


def apply(cells: Cells, view: Shown) -> None:
    """Apply what changed to a view, as the read side does. Each change must fit the view."""
    for change in cells.changes():
        span = change.after or change.before
        assert span is not None
        assert view.pop((*span.key, span.valid_from), None) == change.before
        if change.after is not None:
            view[*span.key, span.valid_from] = change.after


def recalling(facts: Sequence[Fact], rules: Rules) -> Recall:
    """An index of facts by their handles."""

    def recall(handles: Collection[Handle]) -> list[Fact]:
        return [one for one in facts if not set(handles).isdisjoint(handles_of(one, rules))]

    return recall


def check_commits(commits: Commits, rules: Rules) -> None:
    """After each commit, the view is what `derive` says; so are the answers to questions."""
    cells, view, learned = Cells(rules), Shown(), list[Fact]()
    asked = Cells(rules)
    for commit in commits:
        learned += commit
        cells.learn(commit)
        asked.learn(commit)
        apply(cells, view)
        right = shown(derive(learned, rules))
        assert view == right
        assert shown(asked.everything()) == right


def unplaced_view(view: Shown) -> Shown:
    """The view without positions. Of several facts in one instant that all name a thing anew, cells
    that recall only some may show another one's position than `derive`.
    """
    return {key: span._replace(position=None) for key, span in view.items()}


def check_recalled(commits: Commits, rules: Rules) -> None:
    """Cells that recall earlier facts by their handles find the changes of cells that hold all."""
    learned, view = list[Fact](), Shown()
    for commit in commits:
        cells = Cells(rules, recalling(list(learned), rules))
        learned += commit
        cells.learn(commit)
        apply(cells, view)
        assert unplaced_view(view) == unplaced_view(shown(derive(learned, rules)))


def check_recalled_once(commits: Commits, rules: Rules, first: int) -> None:
    """The same for cells that recall what came before a commit, and learn all that follow."""
    before = [fact for commit in commits[:first] for fact in commit]
    cells = Cells(rules, recalling(before, rules))
    view, learned = shown(derive(before, rules)), list(before)
    for commit in commits[first:]:
        learned += commit
        cells.learn(commit)
        apply(cells, view)
        assert unplaced_view(view) == unplaced_view(shown(derive(learned, rules)))


def grouped(facts: Sequence[Fact], random: Random) -> Commits:
    """The facts in commits of one to three."""
    commits, rest = list[Sequence[Fact]](), list(facts)
    while rest:
        count = random.randint(1, 3)
        commits.append(rest[:count])
        rest = rest[count:]
    return commits


def policy(call: Call, seconds: float, **given: Any) -> Fact:
    return fact("E", seconds, **{"kind": "policy", "name": None, **given})._replace(call=call)
